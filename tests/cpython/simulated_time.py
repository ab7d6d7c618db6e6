"""A groundup loop whose time is a test's generator: what `new_test_loop(gen)` is to make.

The generator is sent the time of each timer that is set, and yields by how many seconds the time
goes on. Ready queue, tasks, reports and all else are the loop's own; only timers are kept here.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Generator
from typing import TypeVarTuple, Unpack

from .hooks import EventLoop

Ts = TypeVarTuple("Ts")

# Times that differ by less, in seconds, are the same.
RESOLUTION = 1e-9


class SimulatedLoop(EventLoop):
    """A loop whose clock stands still but for what a generator, or the test, moves it."""

    def __init__(self, gen: Callable[[], Generator[float, float]] | None = None) -> None:
        super().__init__()
        self._now = 0.0
        self._timers: list[asyncio.TimerHandle] = []
        self._announced: list[float] = []
        self._generator = gen() if gen else None
        if self._generator:
            next(self._generator)

    def time(self) -> float:
        return self._now

    def advance_time(self, seconds: float) -> None:
        if seconds:
            self._now += seconds
            self.call_soon(self._expire)

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, timer)
        if not self._announced:
            self.call_soon(self._announce)
        self._announced.append(when)
        return timer

    def run_forever(self) -> None:
        try:
            super().run_forever()
        finally:
            self._announce()

    def _announce(self) -> None:
        """Tell the generator which timers were set, and let the time go on as it says."""
        announced, self._announced = self._announced, []
        for when in announced:
            if self._generator:
                self._now += self._generator.send(when) or 0
        self._expire()

    def _expire(self) -> None:
        while self._timers and self._timers[0].when() < self._now + RESOLUTION:
            self.call_soon(_call, heapq.heappop(self._timers))

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        """Hear of a cancelled timer; it is dropped when its time comes."""

    def close(self) -> None:
        super().close()
        if self._generator:
            for _ in self._generator:
                raise AssertionError("the test ended before its time generator did")


def _call(timer: asyncio.TimerHandle) -> None:
    if not timer.cancelled():
        timer._run()
