"""What all tests share: a loop, and a comparison of this loop with asyncio's."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import groundup
from comparison import observe


@pytest.fixture
def loop() -> Iterator[groundup.EventLoop]:
    """A loop, closed when the test ends."""
    loop = groundup.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def few_objects() -> Iterator[None]:
    """Let the collections that follow look at what the tests make, and at nothing older."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def socketpair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets that do not block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield ours, theirs


@pytest.fixture
def same() -> Callable[..., Any]:
    """Run a body on asyncio's loop and on this one, expect the same of both, and return it.

    The same are: what the body returns, what it warns of, and what it logs. The body is a function
    of a loop; it may be a coroutine function.
    """

    def same(body: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
        expected = observe(asyncio.SelectorEventLoop, body)
        found = observe(groundup.new_event_loop, body)
        assert found.returned == expected.returned
        assert found.warned == expected.warned
        assert found.logged == expected.logged
        return expected.returned

    return same
