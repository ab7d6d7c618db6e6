"""The front doors of the event loop: it is written in Rust and joined to asyncio here."""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from groundup import _groundup
from groundup.coroutine_functions import with_coroutine_functions

__all__ = ["EventLoop", "install", "new_event_loop", "run"]

_T = TypeVar("_T")


# asyncio.BaseEventLoop is there for isinstance(): each of its methods and attributes that could be
# asked for is the Rust class's, which comes first. Like asyncio's own loops, it does not take
# create_datagram_endpoint's former reuse_address.
@with_coroutine_functions
class EventLoop(_groundup.EventLoop, asyncio.BaseEventLoop):  # type: ignore[misc]
    """An asyncio event loop in Rust; a drop-in for the one that asyncio.new_event_loop() makes."""

    if not TYPE_CHECKING:
        __init__ = object.__init__

    def __del__(self, _warn: Callable[..., None] = warnings.warn) -> None:
        """Close the loop, and say so if that was forgotten."""
        if not self.is_closed():
            _warn(f"unclosed event loop {self!r}", ResourceWarning, source=self)
            if not self.is_running():
                self.close()


# The interpreter calls a method in C quickly if it is the class's own.
_groundup.take_over_methods(EventLoop, _groundup.EventLoop)


def new_event_loop() -> EventLoop:
    """Return a new event loop.

    It is the loop_factory to give asyncio.run() (Python 3.12 and newer) and asyncio.Runner.
    """
    return EventLoop()


def run(
    main: Awaitable[_T],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> _T:
    """Run a coroutine, a generator-based coroutine or another awaitable on a new event loop.

    The rules are those of asyncio.run(): what is left of tasks is cancelled in the end,
    asynchronous generators and the default executor are shut down, Ctrl-C cancels main.

    Args:
        main: what to run.
        debug: the loop's debug mode; None leaves it to asyncio's settings.
        loop_factory: makes the loop; None means new_event_loop().

    Returns:
        What main returns.

    Raises:
        RuntimeError: when an event loop runs in this thread already.
        ValueError: when main cannot be awaited (TypeError from Python 3.14 on).
    """
    if asyncio._get_running_loop() is not None:
        if inspect.iscoroutine(main):
            main.close()
        raise RuntimeError("groundup.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=loop_factory or new_event_loop) as runner:
        return runner.run(_as_coroutine(main))


def _as_coroutine(main: Awaitable[_T]) -> Coroutine[Any, Any, _T]:
    """Return main in the form that asyncio.Runner takes; what is not awaitable stays as it is."""
    if asyncio.iscoroutine(main) or not inspect.isawaitable(main):
        return cast("Coroutine[Any, Any, _T]", main)
    return _groundup.coroutine(lambda: main)()


def install() -> None:
    """Have asyncio.run() and asyncio.new_event_loop() make this loop from here on."""
    policy = _policy_class()()
    if sys.version_info >= (3, 14):
        asyncio.events._set_event_loop_policy(policy)  # type: ignore[attr-defined]
    else:
        asyncio.set_event_loop_policy(policy)


def _policy_class() -> type[Any]:
    """Return a policy of the running version whose loops are this one."""
    if sys.version_info >= (3, 14):
        base = asyncio.unix_events._DefaultEventLoopPolicy  # type: ignore[attr-defined]
    else:
        base = asyncio.DefaultEventLoopPolicy
    return type("EventLoopPolicy", (base,), {"_loop_factory": EventLoop, "__doc__": base.__doc__})
