"""Datagram endpoints to test: a transport with a protocol that notes all it hears."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from .connections import until

_numbers = itertools.count()


class Listener(asyncio.DatagramProtocol):
    """Notes the name of each call, the datagrams with their senders, and the errors."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self.lost = asyncio.get_running_loop().create_future()

    @property
    def data(self) -> list[bytes]:
        """What was received, without the senders."""
        return [data for data, _ in self.received]

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.calls.append("connection_made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.calls.append("datagram_received")
        self.received.append((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.calls.append("error_received")
        self.errors.append(exc)

    def pause_writing(self) -> None:
        self.calls.append("pause_writing")

    def resume_writing(self) -> None:
        self.calls.append("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        if not self.lost.done():
            self.lost.set_result(exc)


@contextlib.asynccontextmanager
async def endpoint(factory: Callable[[], Any] = Listener, **options: Any) -> AsyncIterator[Any]:
    """Give a transport and its protocol; close them in the end."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(factory, **options)
    try:
        yield transport, protocol
    finally:
        if transport.get_protocol() is not None:
            transport.abort()
        await until(lambda: transport.get_protocol() is None)


@contextlib.asynccontextmanager
async def on_loopback(factory: Callable[[], Any] = Listener, **options: Any) -> AsyncIterator[Any]:
    """Give an endpoint on a free port, its protocol, and its address."""
    options = {"local_addr": ("127.0.0.1", 0), **options}
    async with endpoint(factory, **options) as (transport, protocol):
        yield transport, protocol, transport.get_extra_info("sockname")


async def until_received(protocol: Any, count: int) -> None:
    """Wait until a Listener has received so many datagrams."""
    await until(lambda: len(protocol.received) >= count)


def options_for(kind: str, folder: Path) -> dict[str, Any]:
    """Return what create_datagram_endpoint takes to bind an endpoint to an address of its own."""
    name = f"{os.getpid()}-{next(_numbers)}"
    match kind:
        case "IPv4":
            return {"local_addr": ("127.0.0.1", 0)}
        case "IPv6":
            return {"local_addr": ("::1", 0)}
        case "path":
            return {"local_addr": str(folder / name), "family": socket.AF_UNIX}
        case "abstract":
            return {"local_addr": f"\0groundup-{name}", "family": socket.AF_UNIX}
    raise ValueError(kind)


KINDS = ["IPv4", "IPv6", "path", "abstract"]


def udp_socket(*, connected_to: Any = None) -> socket.socket:
    """Return a blocking UDP socket on a free port, which waits no longer than some seconds."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(10)
    if connected_to is not None:
        sock.connect(connected_to)
    return sock


def fill(sender: socket.socket, data: bytes, address: Any = None) -> int:
    """Send until there is no more room; return how many datagrams were sent."""
    sender.setblocking(False)
    for count in itertools.count():
        try:
            sender.send(data) if address is None else sender.sendto(data, address)
        except BlockingIOError:
            return count
    raise AssertionError("unreachable")


@contextlib.asynccontextmanager
async def full_receiver(
    folder: Path, factory: Any = Listener, is_connected: bool = True
) -> AsyncIterator[Any]:
    """Give a transport, its protocol, a full receiver, its path, and how many are in it."""
    path = str(folder / "receiver")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            count = fill(other, b"before", path)
        receiver.setblocking(False)
        remote = path if is_connected else None
        async with endpoint(factory, remote_addr=remote, family=socket.AF_UNIX) as (
            transport,
            protocol,
        ):
            yield transport, protocol, receiver, path, count


def receive_all(receiver: socket.socket) -> list[bytes]:
    """Receive all that is there, but for what it was filled with."""
    received = []
    with contextlib.suppress(BlockingIOError):
        while True:
            received.append(receiver.recv(1 << 20))
    return [data for data in received if data != b"before"]


async def receive(receiver: socket.socket, count: int) -> list[bytes]:
    """Receive so many datagrams, but for what the socket was filled with."""
    received: list[bytes] = []
    while len(received) < count:
        received += receive_all(receiver)
        await asyncio.sleep(0.001)
    return received
