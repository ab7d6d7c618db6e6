"""The server as an object: when it serves, and how it and its connections end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from .callers import Echo, calling, echoed
from .connections import (
    Recorder,
    receive,
    serving,
    shrink,
    turns,
    until,
)


async def test_serving_starts_when_it_is_asked_for():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, start_serving=False)
    address = server.sockets[0].getsockname()
    assert not server.is_serving()
    with pytest.raises(ConnectionRefusedError):
        await echoed(address)
    await server.start_serving()
    await server.start_serving()
    assert server.is_serving()
    assert await echoed(address) == b"hello"
    server.close()
    await server.wait_closed()


async def test_serve_forever_ends_by_cancellation():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, start_serving=False)
    address = server.sockets[0].getsockname()
    task = loop.create_task(server.serve_forever())
    await turns(2)
    assert server.is_serving()
    assert await echoed(address) == b"hello"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not server.is_serving()
    assert server.sockets == ()
    await server.wait_closed()


@pytest.mark.groundup_only
async def test_serve_forever_closes_the_connections_when_it_is_cancelled():
    """As it does in the newer versions of asyncio."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    with calling(server.sockets[0].getsockname()) as caller:
        caller.send(b"hello")
        assert await receive(caller, 5) == b"hello"
        task = loop.create_task(server.serve_forever())
        await turns(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await receive(caller, 1) == b""


async def test_serve_forever_ends_when_the_server_is_closed():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    task = loop.create_task(server.serve_forever())
    await turns(2)
    server.close()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_serve_forever_is_for_one_at_a_time():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    task = loop.create_task(server.serve_forever())
    await turns(2)
    with pytest.raises(RuntimeError) as caught:
        await server.serve_forever()
    assert str(caught.value) == f"server {server!r} is already being awaited on serve_forever()"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_closed_server_does_not_serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    server.close()
    server.close()
    assert not server.is_serving()
    assert server.sockets == ()
    with pytest.raises(RuntimeError) as caught:
        await server.serve_forever()
    assert str(caught.value) == f"server {server!r} is closed"
    with pytest.raises(ConnectionRefusedError):
        await echoed(address)


async def test_closing_the_server_leaves_connections_alone():
    async with serving(Echo) as (server, address):
        with calling(address) as caller:
            caller.send(b"one")
            assert await receive(caller, 3) == b"one"
            server.close()
            caller.send(b"two")
            assert await receive(caller, 3) == b"two"


@pytest.mark.asyncio_since(3, 12)
async def test_wait_closed_waits_for_the_connections():
    async with serving(Echo) as (server, address):
        with calling(address) as caller:
            caller.send(b"one")
            assert await receive(caller, 3) == b"one"
            waiting = asyncio.create_task(server.wait_closed())
            await turns(3)
            assert not waiting.done()
            server.close()
            await turns(3)
            assert not waiting.done()
        await waiting
        await server.wait_closed()


@pytest.mark.asyncio_since(3, 13)
@pytest.mark.parametrize("way", ["close_clients", "abort_clients"])
async def test_connections_are_closed_with_the_server(way):
    lost = []

    class Protocol(Echo):
        def connection_lost(self, exc):
            lost.append(exc)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    with contextlib.ExitStack() as callers:
        for _ in range(3):
            caller = callers.enter_context(calling(address))
            caller.send(b"one")
            assert await receive(caller, 3) == b"one"
        server.close()
        getattr(server, way)()
        await server.wait_closed()
        await until(lambda: len(lost) == 3)  # before Python 3.12 the server does not wait
        assert lost == [None] * 3


@pytest.mark.groundup_only
async def test_close_clients_sends_what_is_written_and_abort_clients_does_not():
    size = 8 << 20
    for way in ("close_clients", "abort_clients"):
        protocols = []

        class Protocol(Recorder):
            def connection_made(self, transport, protocols=protocols):
                super().connection_made(transport)
                transport.write(bytes(size))
                protocols.append(self)

        async with serving(Protocol) as (server, address):
            shrink(server.sockets[0])
            with calling(address) as caller:
                await until(lambda protocols=protocols: protocols)
                assert protocols[0].transport.get_write_buffer_size() > 0
                getattr(server, way)()
                with contextlib.suppress(ConnectionResetError):
                    received = await receive(caller, size)
                assert (len(received) == size) == (way == "close_clients")


async def test_async_with_closes_the_server():
    loop = asyncio.get_running_loop()
    async with await loop.create_server(Echo, "127.0.0.1", 0) as server:
        assert isinstance(server, asyncio.Server)
        address = server.sockets[0].getsockname()
        assert await echoed(address) == b"hello"
    assert server.sockets == ()
    with pytest.raises(ConnectionRefusedError):
        await echoed(address)


async def test_the_server_is_an_asyncio_server():
    async with serving() as (server, _):
        assert isinstance(server, asyncio.Server)
        assert isinstance(server, asyncio.AbstractServer)
        assert server.get_loop() is asyncio.get_running_loop()
        assert repr(server) == f"<Server sockets={server.sockets!r}>"
        assert isinstance(server.sockets, tuple)
        assert type(server.sockets[0]).__name__ == "TransportSocket"
