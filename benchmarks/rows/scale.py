"""A great deal of one thing: what each costs in memory, and what they cost those that run."""

from __future__ import annotations

import asyncio
import gc
import time

from ..in_process import Run, measured
from ..loads import Talk
from ..row import Measured
from ..served import Served
from ..usage import usage
from .echo import serve_protocol, serve_streams

TURNS = 1000


async def hold(make, count: int) -> Measured:
    """Make things; return what one costs in time and memory, and a turn beside them all."""
    gc.collect()
    empty, began = usage(), time.perf_counter()
    held = [make(number) for number in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    made = (time.perf_counter() - began) * 1e9 / count
    memory = (usage()["memory"] - empty["memory"]) / count
    began = time.perf_counter()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    turn = (time.perf_counter() - began) * 1e9 / TURNS
    for one in held:
        one.cancel()
    return {"memory": memory, "time": made, "turn": turn}


@measured("scale/idle-tasks-100k", per="task", figures=("memory", "time", "turn"))
async def idle_tasks(run: Run) -> Measured:
    """A hundred thousand tasks that wait for one future; time is that of making one."""
    never = asyncio.get_running_loop().create_future()

    async def wait():
        await never

    return await hold(lambda _: asyncio.create_task(wait()), run.scaled(100_000))


@measured("scale/timers-1M", per="timer", figures=("time", "memory", "turn"))
async def timers(run: Run) -> Measured:
    """A million timers that are not due; time is that of setting one."""
    loop = asyncio.get_running_loop()
    count = run.scaled(1_000_000)
    # Not in the order in which they are due: the steps, prime to the count, go round.
    return await hold(lambda n: loop.call_later(600 + n * 7919 % count / 1e3, abs, n), count)


FIGURES = ("memory", "cpu", "user", "system", "p50", "p99")
for name, serve in {"protocol": serve_protocol, "streams": serve_streams}.items():
    Served(
        f"scale/idle-connections-20k/{name}",
        serve,
        Talk(size=64, connections=1, idle=20_000),
        per="connection held, and per request on another",
        figures=FIGURES,
        by_hand=() if name == "protocol" else None,
        what=f"20,000 TCP connections that have said one thing, and one that talks ({name})",
    )
