"""Readers as connections have them, for tests that feed them by hand."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

LIMIT = 8


class Transport(asyncio.Transport):
    """A transport that notes whether it is to read."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")


@contextmanager
def connection(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Transport]:
    """A transport of a loop, connected to nobody in particular."""
    near, far = socket.socketpair()
    with far:
        create = loop.create_connection(asyncio.Protocol, sock=near)
        transport, _ = loop.run_until_complete(create)
        yield transport
        transport.abort()
        loop.run_until_complete(asyncio.sleep(0))


def adopted(transport: asyncio.Transport, limit: int = LIMIT) -> asyncio.StreamReader:
    """A reader that a transport has seen."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit, loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport.set_protocol(protocol)
    transport.set_protocol(asyncio.Protocol())
    return reader
