"""Puts groundup's loop, tasks and futures under the interpreter's tests: see __init__.py.

It is called in a worker, before a module of tests is imported. It must not change what a test asks
of a loop, only which loop is asked.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.futures
import asyncio.selector_events
import asyncio.tasks
import asyncio.unix_events
import socket
import sys
import unittest
from typing import Any

import groundup
from groundup import _groundup

# Where tests find classes of loops.
LOOP_CLASSES = {
    "asyncio": ["SelectorEventLoop", "EventLoop", "BaseEventLoop"],
    "asyncio.base_events": ["BaseEventLoop"],
    "asyncio.selector_events": ["BaseSelectorEventLoop"],
}


class EventLoop(groundup.EventLoop):
    """The loop, as tests make it, and with a private method that they use as a tool."""

    def __init__(self, selector: object = None) -> None:
        """Take a selector, as asyncio's loop does; this one has its own."""
        super().__init__()

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


def install() -> None:
    """Have the tests that are imported from here on make groundup's loops, tasks and futures."""
    policy: Any = asyncio.unix_events._UnixDefaultEventLoopPolicy
    policy._loop_factory = EventLoop
    for module, names in LOOP_CLASSES.items():
        for name in names:
            # asyncio.EventLoop is new in 3.13.
            if hasattr(sys.modules[module], name):
                setattr(sys.modules[module], name, EventLoop)
    unittest.IsolatedAsyncioTestCase.loop_factory = EventLoop
    # The classes in C, as tests name them beside those in Python.
    tasks: Any = asyncio.tasks
    futures: Any = asyncio.futures
    tasks._CTask, futures._CFuture = _groundup.Task, _groundup.Future
    # What the loop keeps of asyncio's is not to be what the first test has put there for a while.
    with asyncio.Runner(loop_factory=EventLoop) as runner:
        runner.run(asyncio.sleep(0))
