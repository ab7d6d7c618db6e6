"""Connections to test: a transport with a protocol that notes all it hears, and a bare socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any


class Recorder(asyncio.Protocol):
    """Notes the name of each call, the bytes, and why the connection was lost."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received = bytearray()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.calls.append("connection_made")

    def data_received(self, data: bytes) -> None:
        self.calls.append("data_received")
        self.received += data

    def eof_received(self) -> bool | None:
        self.calls.append("eof_received")
        return None

    def pause_writing(self) -> None:
        self.calls.append("pause_writing")

    def resume_writing(self) -> None:
        self.calls.append("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        if not self.lost.done():
            self.lost.set_result(exc)


class StaysOpen(Recorder):
    """Goes on writing after the peer's end of file."""

    def eof_received(self) -> bool:
        super().eof_received()
        return True


# In bytes; what is set is not tuned by the kernel, so that far less than a megabyte is under way.
KERNEL_BUFFER = 1 << 16


def tcp_pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """Return both ends of a TCP connection over loopback, non-blocking, with small buffers."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        shrink(listener)
        near = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        shrink(near)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    near.setblocking(False)
    far.setblocking(False)
    return near, far


def shrink(sock: Any) -> None:
    """Give a socket, and those that it accepts, small buffers."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER)


def unix_pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection of Unix sockets, non-blocking."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    return near, far


@contextlib.asynccontextmanager
async def connected(
    factory: Callable[[], Any] = Recorder,
    pair: Callable[[], tuple[socket.socket, socket.socket]] = tcp_pair,
) -> AsyncIterator[tuple[Any, Any, socket.socket]]:
    """Give a transport, its protocol, and the socket at the other end; close all in the end."""
    near, far = pair()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(factory, sock=near)
    try:
        yield transport, protocol, far
    finally:
        far.close()
        if transport.get_protocol() is not None:
            transport.abort()
        await until(lambda: transport.get_protocol() is None)


@contextlib.asynccontextmanager
async def serving(
    factory: Callable[[], Any] = Recorder, host: str = "127.0.0.1", **options: Any
) -> AsyncIterator[tuple[Any, tuple[Any, ...]]]:
    """Give a server on a free port and its address; close it and its connections in the end."""
    loop = asyncio.get_running_loop()
    made: list[Any] = []

    def remember() -> Any:
        made.append(factory())
        return made[-1]

    server = await loop.create_server(remember, host, 0, **options)
    address = server.sockets[0].getsockname()
    try:
        yield server, address
    finally:
        server.close()
        for protocol in made:
            if (transport := getattr(protocol, "transport", None)) is not None:
                transport.abort()
        await server.wait_closed()
        await turns(2)


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds, which the loop's own work makes true."""
    while not condition():
        await asyncio.sleep(0.001)


async def turns(count: int) -> None:
    """Let the loop turn some times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def receive(peer: socket.socket, size: int) -> bytes:
    """Receive exactly so many bytes, or what comes before the end of file."""
    loop = asyncio.get_running_loop()
    received = bytearray()
    while len(received) < size:
        data = await loop.sock_recv(peer, min(size - len(received), 1 << 18))
        if not data:
            break
        received += data
    return bytes(received)


def reset(peer: socket.socket) -> None:
    """Close a TCP socket so that its peer gets a reset instead of an end of file."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@contextlib.contextmanager
def deaf_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Give a port that refuses connections, and that nobody else gets meanwhile."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as bound:
        bound.bind((host, 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def resolving_to(*addresses: tuple[Any, ...]) -> Iterator[None]:
    """Make the running loop resolve every name to these addresses."""
    kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    infos = [
        (socket.AF_INET6, *kind, (host, port, 0, 0))
        if ":" in host
        else (socket.AF_INET, *kind, (host, port))
        for host, port in addresses
    ]

    async def getaddrinfo(*args: Any, **keywords: Any) -> list[Any]:
        return infos

    loop = asyncio.get_running_loop()
    loop.getaddrinfo = getaddrinfo
    yield
    del loop.getaddrinfo


def open_descriptors() -> set[str]:
    """Return what the process's descriptors refer to, each with its number."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{name} -> {os.readlink(f'/proc/self/fd/{name}')}")
    return {line for line in found if "/proc/" not in line}
