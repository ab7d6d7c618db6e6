"""What connections leave behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections import Counter
from typing import ClassVar

import pytest

import groundup

from .connections import Recorder, deaf_port, open_descriptors, reset, serving, turns, until

pytestmark = pytest.mark.groundup_only


class Echo(asyncio.Protocol):
    alive: ClassVar[weakref.WeakSet[asyncio.Protocol]] = weakref.WeakSet()

    def connection_made(self, transport):
        self.alive.add(self)
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, exc):
        pass


class Caller(Echo):
    """Sends, waits for the answer, and closes in one of several ways."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.write(b"hello")

    def data_received(self, data):
        getattr(self.transport, self.way)()

    def connection_lost(self, exc):
        self.lost.set_result(exc)


def living() -> Counter[str]:
    """Count the objects of the extension that are alive."""
    gc.collect()
    names = ("StreamTransport", "Server", "Listener", "Coroutine", "Context", "TransportSocket")
    return Counter(name for thing in gc.get_objects() if (name := type(thing).__name__) in names)


async def call(address, way: str) -> None:
    _, protocol = await asyncio.get_running_loop().create_connection(lambda: Caller(way), *address)
    await protocol.lost


async def test_thousands_of_connections_leave_nothing():
    async def storm(count: int) -> None:
        async with serving(Echo) as (_, address):
            for _ in range(count // 50):
                ways = ["close", "abort"] * 25
                await asyncio.gather(*(call(address, way) for way in ways))
            await until(lambda: len(open_descriptors()) <= len(before) + 1)
        await turns(3)

    before = open_descriptors()
    await storm(100)
    objects = living()
    await storm(3000)
    assert open_descriptors() == before
    assert living() == objects
    assert len(Echo.alive) == 0


async def test_failed_and_cancelled_attempts_leave_nothing(full_backlog):
    async def attempt(address) -> None:
        with pytest.raises((OSError, TimeoutError)):
            async with asyncio.timeout(0.002):
                await asyncio.get_running_loop().create_connection(Recorder, *address)

    with deaf_port() as port:
        addresses = ("127.0.0.1", port), full_backlog
        for address in addresses:
            await attempt(address)
        before, objects = open_descriptors(), living()
        for address in addresses * 50:
            await attempt(address)
        await turns(2)
        assert open_descriptors() == before
        assert living() == objects


async def test_resets_leave_nothing():
    before, objects = open_descriptors(), living()
    async with serving(Echo, backlog=1000) as (_, address):
        for _ in range(300):
            peer = socket.create_connection(address)
            peer.send(b"x")
            reset(peer)
        await until(lambda: len(open_descriptors()) == len(before) + 1)
    assert open_descriptors() == before
    assert living() == objects


async def test_a_thousand_connections_at_once():
    count = 1000
    received = bytearray()

    class Protocol(Recorder):
        def data_received(self, data):
            received.extend(data)

    loop = asyncio.get_running_loop()
    async with serving(Echo, backlog=2000) as (server, address):
        transports = [(await loop.create_connection(Protocol, *address))[0] for _ in range(count)]
        for transport in transports:
            transport.write(b"0123456789")
        await until(lambda: len(received) == 10 * count)
        for transport in transports:
            transport.close()
        await until(lambda: all(transport.get_protocol() is None for transport in transports))
        server.close()
        await server.wait_closed()


async def test_a_server_that_is_closed_goes():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    gone = weakref.ref(server)
    server.close()
    await server.wait_closed()
    del server
    await turns(2)
    gc.collect()
    assert gone() is None


def test_threads_may_write_to_one_transport():
    """In whatever order, each write arrives whole."""

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        far.setblocking(False)
        transport, protocol = await loop.create_connection(Recorder, sock=near)

        def write(letter: bytes) -> None:
            for _ in range(200):
                transport.write(letter * 100)

        threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
        for thread in threads:
            thread.start()
        received = bytearray()
        while len(received) < 3 * 200 * 100:
            received += await loop.sock_recv(far, 1 << 16)
        for thread in threads:
            thread.join()
        transport.close()
        await protocol.lost
        far.close()
        return bytes(received)

    received = groundup.run(main())
    pieces = [received[index : index + 100] for index in range(0, len(received), 100)]
    assert Counter(pieces) == {letter * 100: 200 for letter in (b"a", b"b", b"c")}


FORK = """
import asyncio, os, socket, sys
import groundup

async def in_child():
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"child")
    assert await reader.readexactly(5) == b"child"
    writer.close()
    await writer.wait_closed()

async def echo(reader, writer):
    while data := await reader.read(100):
        writer.write(data)
    writer.close()
    await writer.wait_closed()

async def main():
    global address
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio._set_running_loop(None)
            groundup.run(in_child())
            code = 0
        finally:
            os._exit(code)
    assert await asyncio.to_thread(os.waitpid, pid, 0) == (pid, 0)
    writer.write(b"after")
    assert await reader.readexactly(5) == b"after"
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    print("both went on")

groundup.run(main())
"""


def test_a_forked_child_may_run_a_loop_of_its_own():
    environment = {**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    outcome = subprocess.run(
        [sys.executable, "-c", FORK],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment,
    )
    assert outcome.stdout == "both went on\n", outcome.stderr
