"""The loop and other threads. Both have the one core."""

from __future__ import annotations

import asyncio
import queue
import threading

from ..in_process import counted


@counted("threads/call-soon-threadsafe", per="callback")
async def call_soon_threadsafe(count):
    """Another thread sends callbacks without waiting for them."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def send():
        for number in range(count):
            loop.call_soon_threadsafe(abs, number)
        loop.call_soon_threadsafe(done.set_result, None)

    thread = threading.Thread(target=send)
    thread.start()
    await done
    thread.join()


@counted("threads/call-soon-threadsafe-round-trip", per="round trip")
async def call_soon_threadsafe_round_trip(count):
    """Another thread sends a callback, and waits until it has been called."""
    loop = asyncio.get_running_loop()
    answers: queue.SimpleQueue[None] = queue.SimpleQueue()

    def send():
        for _ in range(count):
            loop.call_soon_threadsafe(answers.put, None)
            answers.get()

    await asyncio.to_thread(send)


@counted("threads/run-in-executor", per="round trip")
async def run_in_executor(count):
    """A function called in the loop's executor, and awaited."""
    loop = asyncio.get_running_loop()
    for number in range(count):
        await loop.run_in_executor(None, abs, number)


@counted("threads/run-coroutine-threadsafe", per="round trip")
async def run_coroutine_threadsafe(count):
    """Another thread has the loop run a coroutine, and waits for its result."""
    loop = asyncio.get_running_loop()

    async def nothing():
        pass

    def send():
        for _ in range(count):
            asyncio.run_coroutine_threadsafe(nothing(), loop).result()

    await asyncio.to_thread(send)
