"""Rows that need nothing from outside: a function does so many operations, and they are timed."""

from __future__ import annotations

import functools
import gc
import math
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .peers import BY_HAND
from .program import started
from .row import Measured, Row
from .usage import per_operation, usage

if TYPE_CHECKING:
    from .setting import Setting

# So many times something is done before anything is timed.
FIRST = 10
LIMIT = 120.0


@dataclass(frozen=True)
class Run:
    """What a function that is measured may need to know."""

    seconds: float
    scale: float
    address: str | None
    """Of the server that it is a client of."""

    def scaled(self, number: int) -> int:
        """A number of things, as many as this run can do with."""
        return max(1, round(number * self.scale))


# Does so many operations. Of an asynchronous generator, what lies between its two yields is timed:
# it can make connections before that, and close them afterwards.
Body: TypeAlias = Callable[..., Awaitable[Any] | AsyncGenerator[None, None]]
Measure: TypeAlias = Callable[[Run], Awaitable[Measured]]


class InProcess(Row):
    """A row whose function runs on the loop, in a process of its own."""

    def __init__(
        self,
        name: str,
        per: str,
        figures: tuple[str, ...],
        measures: dict[str, Measure],
        backend: str | None = None,
        what: str | None = None,
    ) -> None:
        super().__init__(name, per, figures, what)
        self.measures = measures
        self.backend = backend
        self.has_by_hand = BY_HAND in measures
        self.runs_on_loops = not self.has_by_hand

    def measure(self, peer: str, setting: Setting) -> Measured:
        """Have a worker do it."""
        address = setting.backends.address(self.backend) if self.backend else ""
        options = [setting.seconds, setting.scale, address]
        line = [sys.executable, "-m", "benchmarks.worker", "measure", peer, self.name, *options]
        with started(line, LIMIT, setting.core) as worker:
            return worker.hear()

    async def run(self, peer: str, run: Run) -> Measured:
        """In the worker: measure."""
        measured = await self.measures.get(peer, self.measures[""])(run)
        return {figure: measured[figure] for figure in self.figures}


def counted(
    name: str,
    *,
    per: str,
    count: int | None = None,
    figures: tuple[str, ...] = ("time",),
    by_hand: Body | None = None,
    backend: str | None = None,
    since: tuple[int, int] = (3, 11),
) -> Callable[[Body], Body]:
    """Make a row of a function that does as many operations as it is told.

    Args:
        name: the row's.
        per: what one operation is.
        count: how many operations to do; None leaves it to the time that a measurement takes.
        figures: what is shown of it.
        by_hand: another function that does the same without any loop, to compare with.
        backend: a server; the function gets its address as its second argument.
        since: the Python version that has what the function uses; older ones lack the row.
    """

    def register(body: Body) -> Body:
        if sys.version_info < since:
            return body
        measures: dict[str, Measure] = {"": functools.partial(time_operations, body, count)}
        if by_hand:
            measures[BY_HAND] = functools.partial(time_operations, by_hand, count)
        InProcess(name, per, figures, measures, backend, body.__doc__)
        return body

    return register


def measured(name: str, *, per: str, figures: tuple[str, ...]) -> Callable[[Measure], Measure]:
    """Make a row of a function that measures itself."""

    def register(measure: Measure) -> Measure:
        InProcess(name, per, figures, {"": measure}, what=measure.__doc__)
        return measure

    return register


async def time_operations(body: Body, fixed: int | None, run: Run) -> Measured:
    """Do operations until there were enough to time, and return the figures of one."""
    if run.address:
        body = functools.partial(body, address=run.address)
    count = FIRST
    await time_one(body, count)
    if fixed:
        return (await time_one(body, run.scaled(fixed)))[1]
    while True:
        seconds, figures = await time_one(body, count)
        if seconds >= 0.8 * run.seconds:
            return figures
        # The first few tell little of how long many take.
        factor = run.seconds / max(seconds, 1e-9)
        count = math.ceil(count * min(max(factor, 1.5), 20))


async def time_one(body: Body, count: int) -> tuple[float, Measured]:
    """Do so many operations; return the seconds it took, and the figures of one operation."""
    stages = body(count)
    if not isinstance(stages, AsyncGenerator):
        stages = staged(stages)
    await anext(stages)
    gc.collect()
    before, began = usage(), time.perf_counter()
    await anext(stages)
    seconds = time.perf_counter() - began
    used = per_operation(before, usage(), count)
    await anext(stages, None)
    return seconds, {"time": seconds * 1e9 / count, "rate": count / seconds, **used}


async def staged(operations: Awaitable[Any]) -> AsyncGenerator[None, None]:
    """All of it is timed."""
    yield
    await operations
    yield
