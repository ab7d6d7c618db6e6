"""anyio, with the loop as an option of its backend: tasks, threads, processes, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading

import anyio
import anyio.from_thread
import anyio.to_process
import anyio.to_thread
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

import groundup


def test_task_groups_and_cancel_scopes(run_anyio):
    async def main():
        ended = []

        async def wait(name):
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(0.001)
                    ended.append(name)

        async def start(*, task_status):
            task_status.started("started")
            await wait("service")

        with anyio.move_on_after(0.02) as scope:
            async with anyio.create_task_group() as group:
                assert await group.start(start) == "started"
                group.start_soon(wait, "task")
        assert scope.cancelled_caught
        assert sorted(ended) == ["service", "task"]
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await anyio.sleep_forever()

        async def fail():
            async with anyio.create_task_group() as group:
                group.start_soon(wait, "sibling")
                await anyio.sleep(0)
                raise LookupError

        with pytest.raises(ExceptionGroup) as caught:
            await fail()
        assert [type(each) for each in caught.value.exceptions] == [LookupError]
        assert ended[-1] == "sibling"

    run_anyio(main)


def test_threads_and_the_loop_call_each_other(run_anyio):
    async def answer(number):
        await anyio.sleep(0.001)
        return number, threading.get_ident()

    def work(number):
        return *anyio.from_thread.run(answer, number), threading.get_ident()

    async def main():
        answers = {}

        async def ask(number):
            answers[number] = await anyio.to_thread.run_sync(work, number)

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(ask, number)
        assert sorted(answers) == list(range(100))
        here = threading.get_ident()
        assert all(
            n == number and at == here != other for number, (n, at, other) in answers.items()
        )

    run_anyio(main)


def test_a_portal_runs_the_loop_in_a_thread():
    async def tell():
        return type(asyncio.get_running_loop())

    options = {"loop_factory": groundup.new_event_loop}
    with anyio.from_thread.start_blocking_portal("asyncio", options) as portal:
        assert portal.call(tell) is groundup.EventLoop
        futures = [portal.start_task_soon(anyio.sleep, 0.001) for _ in range(20)]
        assert [future.result(20) for future in futures] == [None] * 20
        endless = portal.start_task_soon(anyio.sleep_forever)
        endless.cancel()


def test_processes_are_fed_and_heard(run_anyio):
    program = "import sys; [print(line.strip().upper(), flush=True) for line in sys.stdin]"

    async def main():
        async with await anyio.open_process([sys.executable, "-c", program]) as process:
            lines = BufferedByteReceiveStream(process.stdout)
            for word in (b"one", b"two"):
                await process.stdin.send(word + b"\n")
                assert await lines.receive_until(b"\n", 100) == word.upper()
            await process.stdin.aclose()
            assert await process.wait() == 0
        body = os.urandom(1 << 20)
        assert (await anyio.run_process(["cat"], input=body)).stdout == body
        with anyio.move_on_after(0.05):
            await anyio.run_process(["sleep", "60"])
        ran = await anyio.run_process("exit 3", check=False)
        assert ran.returncode == 3

    run_anyio(main)


def test_a_worker_process_computes(run_anyio):
    async def main():
        assert await anyio.to_process.run_sync(sum, range(1000)) == 499500
        with pytest.raises(ZeroDivisionError):
            await anyio.to_process.run_sync(divmod, 1, 0)

    run_anyio(main)


def test_signals_are_received(run_anyio):
    async def main():
        with anyio.open_signal_receiver(signal.SIGUSR1, signal.SIGUSR2) as signals:
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                os.kill(os.getpid(), number)
                assert await anext(signals) == number

    run_anyio(main)


def test_sockets_are_waited_for(run_anyio):
    ours, theirs = socket.socketpair()

    async def main():
        with ours, theirs:
            await anyio.wait_writable(ours)
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.wait_readable, ours)
                await anyio.sleep(0.001)
                theirs.send(b"x")
            with anyio.move_on_after(0.01):
                await anyio.wait_readable(theirs)
                pytest.fail("nothing was sent")
            async with anyio.create_task_group() as group:
                group.start_soon(close_soon, theirs)
                with pytest.raises(anyio.ClosedResourceError):
                    await anyio.wait_readable(theirs)

    async def close_soon(sock):
        await anyio.sleep(0.001)
        anyio.notify_closing(sock)

    run_anyio(main)


def test_files_are_read_and_written(run_anyio, tmp_path):
    async def main():
        path = anyio.Path(tmp_path / "file")
        async with await anyio.open_file(path, "w") as file:
            await file.writelines(f"{number}\n" for number in range(100))
        async with await anyio.open_file(path) as file:
            assert [int(line) async for line in file] == list(range(100))
        await path.unlink()
        assert not await path.exists()

    run_anyio(main)
