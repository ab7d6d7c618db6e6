"""Tasks and futures: made, waited for, gathered, timed out."""

from __future__ import annotations

import asyncio
import contextlib

from ..in_process import counted


async def nothing():
    pass


async def once():
    await asyncio.sleep(0)


@counted("tasks/create-task", per="task")
async def create_task(count):
    """A task that returns at once, made and awaited."""
    for _ in range(count):
        await asyncio.create_task(nothing())


@counted("tasks/create-task-that-waits", per="task")
async def create_task_that_waits(count):
    """A task that gives way once, made and awaited."""
    for _ in range(count):
        await asyncio.create_task(once())


@counted("tasks/future", per="future")
async def future(count):
    """A future that a callback sets, made and awaited."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        waited = loop.create_future()
        loop.call_soon(waited.set_result, None)
        await waited


@counted("tasks/gather-100k", per="task", count=100_000)
async def gather_100k(count):
    """A hundred thousand coroutines gathered."""
    await asyncio.gather(*(nothing() for _ in range(count)))


@counted("tasks/gather-10", per="gathering")
async def gather_10(count):
    """Ten coroutines gathered, again and again."""
    for _ in range(count):
        await asyncio.gather(*(nothing() for _ in range(10)))


@counted("tasks/group-10", per="group")
async def group_10(count):
    """A TaskGroup with ten tasks, again and again."""
    for _ in range(count):
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(nothing())


@counted("tasks/wait-for", per="wait")
async def wait_for(count):
    """A coroutine that gives way once, within asyncio.wait_for."""
    for _ in range(count):
        await asyncio.wait_for(once(), 60)


@counted("tasks/timeout", per="wait")
async def timeout(count):
    """One turn within asyncio.timeout, which does not run out."""
    for _ in range(count):
        async with asyncio.timeout(60):
            await asyncio.sleep(0)


@counted("tasks/timeout-that-runs-out", per="wait")
async def timeout_that_runs_out(count):
    """A wait that asyncio.timeout ends at once."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await loop.create_future()


@counted("tasks/cancel", per="task")
async def cancel(count):
    """A task that waits, made and cancelled."""
    for _ in range(count):
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@counted("tasks/eager", per="task", since=(3, 12))
async def eager(count):
    """An eager task that returns at once, made and awaited."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    for _ in range(count):
        await asyncio.create_task(nothing())


@counted("tasks/eager-that-waits", per="task", since=(3, 12))
async def eager_that_waits(count):
    """An eager task that gives way once, made and awaited."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    for _ in range(count):
        await asyncio.create_task(once())
