"""Tasks, timers, signals, threads, processes and whole loops leave nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys

import groundup

from .census import leaves_nothing, leaves_nothing_behind

PIPE = asyncio.subprocess.PIPE


async def test_tasks_and_timers():
    async def work(number):
        await asyncio.sleep(0.0001 * (number % 5))
        if number % 7 == 0:
            raise LookupError(number)
        return number

    async def storm(count):
        loop = asyncio.get_running_loop()
        for _ in range(count // 100):
            tasks = [loop.create_task(work(number)) for number in range(100)]
            timers = [loop.call_later(60, print) for _ in range(100)]
            tasks[50].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for timer in timers:
                timer.cancel()

    await leaves_nothing(storm, 20_000)


async def test_signal_handlers():
    async def storm(count):
        loop = asyncio.get_running_loop()
        for _ in range(count):
            heard = loop.create_future()
            loop.add_signal_handler(signal.SIGUSR1, heard.set_result, None)
            os.kill(os.getpid(), signal.SIGUSR1)
            await heard
            loop.remove_signal_handler(signal.SIGUSR1)

    await leaves_nothing(storm, 2000)


async def test_an_executor():
    async def storm(count):
        loop = asyncio.get_running_loop()
        for _ in range(count // 50):
            jobs = [loop.run_in_executor(None, divmod, 1, number % 10) for number in range(50)]
            await asyncio.gather(*jobs, return_exceptions=True)

    # Its threads are made once, as many as it may have.
    await storm(5000)
    await leaves_nothing(storm, 5000)


async def test_pipes():
    class Reads(asyncio.Protocol):
        def __init__(self):
            self.lost = asyncio.get_running_loop().create_future()

        def connection_lost(self, exc):
            self.lost.set_result(exc)

    async def storm(count):
        loop = asyncio.get_running_loop()
        for _ in range(count):
            reading, writing = (
                os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True)
            )
            _, reader = await loop.connect_read_pipe(Reads, reading)
            transport, _ = await loop.connect_write_pipe(Reads, writing)
            transport.write(b"data")
            transport.close()
            await reader.lost

    await leaves_nothing(storm, 2000)


async def test_processes():
    async def storm(count):
        async def call():
            process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
            assert await process.communicate(b"data") == (b"data", None)

        for _ in range(count // 5):
            await asyncio.gather(*(call() for _ in range(5)))

    await leaves_nothing(storm, 1000)


async def test_processes_that_are_cancelled_midway():
    """While they are started, while they run, and while what they write is read."""

    async def call(turns):
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        try:
            await process.communicate(b"data" * turns)
            await asyncio.sleep(60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def storm(count):
        for number in range(count):
            task = asyncio.create_task(call(number))
            for _ in range(number % 12):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.002)

    await leaves_nothing(storm, 100)


def use(loop: groundup.EventLoop) -> None:
    """Do a little of everything on a loop, and close it."""

    async def main():
        near, far = os.pipe()
        loop.add_reader(near, print)
        loop.call_later(60, print)
        loop.create_future()
        left_over.append(asyncio.create_task(asyncio.sleep(60)))
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        server.close()
        os.close(near)
        os.close(far)

    left_over: list[asyncio.Task[None]] = []
    loop.run_until_complete(main())
    left_over[0].cancel()
    loop.run_until_complete(asyncio.gather(*left_over, return_exceptions=True))
    loop.close()


def test_loops():
    def storm(count):
        for _ in range(count):
            groundup.new_event_loop().close()
        for _ in range(count // 10):
            use(groundup.new_event_loop())
        gc.collect()

    leaves_nothing_behind(storm, 1000)


def test_runs():
    async def main():
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(10)))
        await asyncio.to_thread(sys.getrefcount, None)

    def storm(count):
        for _ in range(count):
            groundup.run(main())

    leaves_nothing_behind(storm, 200)
