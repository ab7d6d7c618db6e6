"""Puts groundup's loop under the interpreter's tests: see the table in __init__.py.

It is called in a worker, before a module of tests is imported. It must not change what a test asks
of a loop, only which loop is asked.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.log
import asyncio.selector_events
import asyncio.unix_events
import socket
import sys
import unittest
from collections.abc import Callable, Generator
from typing import Any, Self

import groundup

# Where tests find classes of loops.
LOOP_CLASSES = {
    "asyncio": ["SelectorEventLoop", "EventLoop", "BaseEventLoop"],
    "asyncio.base_events": ["BaseEventLoop"],
    "asyncio.selector_events": ["BaseSelectorEventLoop"],
}


class EventLoop(groundup.EventLoop):
    """The loop, with two private methods that tests use as tools, not to see what they do."""

    def __new__(cls, *arguments: object) -> Self:
        """Take a selector, or what else a subclass is given, as asyncio's loop does."""
        return super().__new__(cls)

    def _run_once(self) -> None:
        """Run one turn."""
        self.call_soon(self.stop)
        self.run_forever()

    def _stop_serving(self, sock: socket.socket) -> None:
        """Let go of a socket and close it."""
        self.remove_reader(sock.fileno())
        sock.close()


class LoopCount:
    """Counts the loops of asyncio's own that come to be; to be made before install() is called."""

    def __init__(self) -> None:
        self.made = 0
        base: Any = asyncio.base_events.BaseEventLoop
        make = base.__init__

        def count(loop: Any, *args: Any, **keywords: Any) -> None:
            self.made += 1
            make(loop, *args, **keywords)

        base.__init__ = count


class LoggerOfBaseEvents:
    """The logger that asyncio.base_events has just now: tests replace it there."""

    def __getattr__(self, name: str) -> Any:
        logger: Any = asyncio.base_events.logger  # type: ignore[attr-defined]
        return getattr(logger, name)


def install() -> None:
    """Have the tests that are imported from here on make groundup's loops."""
    from test.test_asyncio import utils  # type: ignore[import-not-found]

    policy: Any = asyncio.unix_events._UnixDefaultEventLoopPolicy
    policy._loop_factory = EventLoop
    for module, names in LOOP_CLASSES.items():
        for name in names:
            # asyncio.EventLoop is new in 3.13.
            if hasattr(sys.modules[module], name):
                setattr(sys.modules[module], name, EventLoop)
    unittest.IsolatedAsyncioTestCase.loop_factory = EventLoop
    utils.TestCase.new_test_loop = _new_test_loop
    asyncio.log.logger = LoggerOfBaseEvents()  # type: ignore[assignment]
    # What the loop keeps of asyncio's is not to be what the first test has put there for a while.
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        runner.run(asyncio.sleep(0))


def _new_test_loop(
    case: Any, gen: Callable[[], Generator[float, float]] | None = None
) -> asyncio.AbstractEventLoop:
    """Stand for the method of test.test_asyncio.utils.TestCase."""
    from .simulated_time import SimulatedLoop

    loop = SimulatedLoop(gen)
    case.set_event_loop(loop)
    return loop
