"""What the tests of faults connect: protocols that note what they hear, and bare sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .apart import until


class Note(asyncio.Protocol):
    """Notes the bytes, each call of flow control, and why the connection was lost."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.flow: list[str] = []
        self.lost = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data

    def pause_writing(self) -> None:
        self.flow.append("pause")

    def resume_writing(self) -> None:
        self.flow.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


class Echo(Note):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(data)


@contextlib.contextmanager
def tcp_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection over loopback, non-blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


@contextlib.asynccontextmanager
async def connected(kind: Any = Note) -> AsyncIterator[tuple[Any, Any, socket.socket]]:
    """A transport, its protocol, and the socket at the other end."""
    with tcp_pair() as (near, far):
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(kind, sock=near)
        try:
            yield transport, protocol, far
        finally:
            transport.abort()
            await until(lambda: transport.get_protocol() is None)


@contextlib.asynccontextmanager
async def serving(kind: Any = Echo, **options: Any) -> AsyncIterator[tuple[Any, Any]]:
    """A server and its address; it and its connections are closed in the end."""
    server = await asyncio.get_running_loop().create_server(kind, "127.0.0.1", 0, **options)
    try:
        yield server, server.sockets[0].getsockname()
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()
        await asyncio.sleep(0)


def caller(address: Any) -> socket.socket:
    """A socket that calls, non-blocking."""
    sock = socket.create_connection(address)
    sock.setblocking(False)
    return sock


async def echo(sock: socket.socket, data: bytes = b"still here") -> None:
    """Have an echo of data."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, data)
    received = b""
    while len(received) < len(data):
        received += await loop.sock_recv(sock, len(data))
    assert received == data


def reset(sock: socket.socket) -> None:
    """Close a TCP socket so that its peer gets a reset instead of an end of file."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
