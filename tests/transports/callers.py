"""Who calls a server, and a protocol that answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from .connections import Recorder, receive, shrink


class Echo(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


@contextlib.contextmanager
def calling(address):
    """Give a non-blocking socket that is connected to an address."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as caller:
        shrink(caller)
        caller.connect(address)
        caller.setblocking(False)
        yield caller


async def echoed(address, data: bytes = b"hello") -> bytes:
    """Return what a server answers."""
    with calling(address) as caller:
        await asyncio.get_running_loop().sock_sendall(caller, data)
        return await receive(caller, len(data))
