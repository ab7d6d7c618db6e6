"""Who or what wakes a task is told: a signal, a thread, a job; and what goes wrong."""

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .stories import tell


def pause():
    time.sleep(0.02)


def test_a_signal(tmp_path):
    async def main():
        event = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, event.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await event.wait()

    assert tell(main, tmp_path) == [
        "main runs, by nobody",
        "main waits: event 1",
        "descriptor a runs, by the poll",
        "set runs, by SIGUSR1",
        "main runs, by set",
        "main has returned",
    ]


def test_another_thread(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def work():
            pause()
            loop.call_soon_threadsafe(future.set_result, None)

        thread = threading.Thread(target=work)
        thread.start()
        await future
        thread.join()

    assert tell(main, tmp_path) == [
        "main runs, by nobody",
        "main waits: future",
        "set_result runs, by another thread",
        "main runs, by set_result",
        "main has returned",
    ]


def test_a_job_of_an_executor(tmp_path):
    async def main():
        await asyncio.to_thread(pause)

    assert tell(main, tmp_path)[:6] == [
        "main runs, by nobody",
        "job pause begins",
        "main waits: executor job pause",
        "_set_state runs, by another thread",
        "job pause ends",
        "_call_check_cancel runs, by _set_state",
    ]


def test_a_job_that_fails_or_that_nobody_waits_for_any_more_ends_too(tmp_path):
    def fail():
        pause()
        raise ValueError("no")

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.wait([loop.run_in_executor(None, fail)])
        given_up = asyncio.create_task(asyncio.to_thread(pause))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait([given_up])
        await asyncio.sleep(0.1)

    lines = [line for line in tell(main, tmp_path) if line.startswith("job")]
    assert lines == ["job fail begins", "job fail ends", "job pause begins", "job pause ends"]


def test_a_job_that_is_cancelled_before_it_begins(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as executor:
            first = loop.run_in_executor(executor, pause)
            second = loop.run_in_executor(executor, time.time)
            second.cancel()
            await first
            await asyncio.sleep(0)

    lines = [line for line in tell(main, tmp_path) if line.startswith("job")]
    assert sorted(lines) == [
        "job pause begins",
        "job pause ends",
        "job time begins",
        "job time ends",
    ]


def test_the_resolver_is_a_job(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(executor := ThreadPoolExecutor(1))
        # Names are looked up when the task waits for it already.
        executor.submit((gate := threading.Event()).wait)
        loop.call_later(0.01, gate.set)
        await loop.getaddrinfo("localhost", 80)

    assert "main waits: executor job getaddrinfo" in tell(main, tmp_path)


def test_an_exception_that_reaches_the_loop_is_marked(tmp_path):
    def boom():
        raise ValueError("boom")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)
        loop.call_soon(boom)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": "something is wrong"})

    assert tell(main, tmp_path) == [
        "main runs, by nobody",
        "boom runs, by main",
        "exception: ValueError: boom",
        "main runs, by main",
        "exception: something is wrong",
        "main has returned",
    ]
