"""Callbacks, timers and turns: what the loop itself costs, with nothing waiting for the kernel."""

from __future__ import annotations

import asyncio
import contextvars

from ..in_process import counted

BATCH = 1000


@counted("scheduling/call-soon-chain", per="callback")
async def call_soon_chain(count):
    """A callback that calls the next one soon: each has a turn to itself."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = count

    def step():
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step)
        else:
            done.set_result(None)

    loop.call_soon(step)
    await done


@counted("scheduling/call-soon-batch", per="callback")
async def call_soon_batch(count):
    """A thousand callbacks called soon at once, with an argument."""
    loop = asyncio.get_running_loop()
    for _ in range(-(-count // BATCH)):
        for number in range(min(BATCH, count)):
            loop.call_soon(abs, number)
        await asyncio.sleep(0)


@counted("scheduling/call-soon-context", per="callback")
async def call_soon_context(count):
    """A callback that calls the next one soon, in a context that is given."""
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    done = loop.create_future()
    left = count

    def step():
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step, context=context)
        else:
            done.set_result(None)

    loop.call_soon(step)
    await done


@counted("scheduling/call-later-cancel", per="timer")
async def call_later_cancel(count):
    """A timer that is set, and cancelled before it is due."""
    loop = asyncio.get_running_loop()
    for number in range(count):
        loop.call_later(60, abs, number).cancel()
        if number % BATCH == 0:
            await asyncio.sleep(0)


@counted("scheduling/call-later-due", per="timer")
async def call_later_due(count):
    """A timer that is due when it is set."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    left = count

    def step():
        nonlocal left
        left -= 1
        if left:
            loop.call_later(0, step)
        else:
            done.set_result(None)

    loop.call_soon(step)
    await done


@counted("scheduling/sleep0", per="turn")
async def sleep0(count):
    """One task that gives way: await asyncio.sleep(0)."""
    for _ in range(count):
        await asyncio.sleep(0)


@counted("scheduling/sleep0-100-tasks", per="step")
async def sleep0_100_tasks(count):
    """A hundred tasks that give way in turn."""

    async def give_way():
        for _ in range(-(-count // 100)):
            await asyncio.sleep(0)

    await asyncio.gather(*(give_way() for _ in range(100)))


@counted("scheduling/sleep-100k-tasks", per="task", count=100_000)
async def sleep_100k_tasks(count):
    """A hundred thousand tasks, each of which sleeps for a while: made, expired, ended."""

    async def rest(seconds):
        await asyncio.sleep(seconds)

    tasks = [asyncio.create_task(rest(number % 100 / 10_000)) for number in range(count)]
    for task in tasks:
        await task


@counted("scheduling/context-variable", per="step")
async def context_variable(count):
    """Tasks that set a context variable, give way, and read it."""
    variable = contextvars.ContextVar("variable", default=0)

    async def use():
        for number in range(-(-count // 10)):
            variable.set(number)
            await asyncio.sleep(0)
            assert variable.get() == number

    await asyncio.gather(*(use() for _ in range(10)))


@counted("scheduling/run-empty", per="loop")
async def run_empty(count):
    """asyncio.Runner from end to end, in a thread: a loop is made, runs a coroutine, is closed."""
    factory = type(asyncio.get_running_loop())

    async def nothing():
        pass

    def run():
        for _ in range(count):
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(nothing())

    await asyncio.to_thread(run)
