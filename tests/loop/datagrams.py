"""Running tests of the sock_ methods on asyncio's loop and on this one, and sockets for them."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

import groundup

LIMIT = 30  # seconds

on_both_loops = pytest.mark.parametrize(
    "new_loop",
    [asyncio.SelectorEventLoop, groundup.new_event_loop],
    ids=["asyncio", "groundup"],
)


def run(new_loop, main):
    """Run a coroutine on a new loop."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(asyncio.wait_for(main, LIMIT))


@contextlib.contextmanager
def bound(family=socket.AF_INET, address=("127.0.0.1", 0), kind=socket.SOCK_DGRAM):
    """Give a non-blocking socket that is bound to an address."""
    with socket.socket(family, kind) as sock:
        sock.bind(address)
        sock.setblocking(False)
        yield sock


@contextlib.contextmanager
def full_receiver(folder):
    """Give a sender, and a receiver that has no room for what it is sent."""
    with (
        bound(socket.AF_UNIX, str(folder / "receiver")) as receiver,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sender.sendto(b"before", receiver.getsockname())
        yield sender, receiver
