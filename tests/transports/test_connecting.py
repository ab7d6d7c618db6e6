"""create_connection: addresses, failures, and what is left behind."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import logging
import socket

import pytest

from .connections import (
    Recorder,
    connected,
    deaf_port,
    open_descriptors,
    resolving_to,
    serving,
    tcp_pair,
    turns,
    unix_pair,
    until,
)


async def test_connection_made_comes_before_create_connection_returns():
    order = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            order.append("connection_made")
            asyncio.get_running_loop().call_soon(order.append, "after connection_made")

    async with connected(Protocol) as (transport, protocol, _):
        order.append("returned")
        assert protocol.transport is transport
        assert order == ["connection_made", "after connection_made", "returned"]


async def test_the_connection_is_there_before_the_first_data():
    order = []

    class Protocol(Recorder):
        def data_received(self, data):
            order.append("data_received")

    near, far = tcp_pair()
    far.send(b"early")
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Protocol, sock=near)
    order.append("returned")
    await until(lambda: len(order) == 2)
    assert order == ["returned", "data_received"]
    transport.close()
    await protocol.lost
    far.close()


async def test_host_and_port_connect_to_a_server():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        transport, protocol = await loop.create_connection(Recorder, host, port)
        assert transport.get_extra_info("peername") == (host, port)
        assert transport.get_protocol() is protocol
        transport.abort()
        await protocol.lost


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", b"127.0.0.1"], ids=repr)
async def test_names_and_literals_are_resolved(host):
    loop = asyncio.get_running_loop()
    async with serving() as (_, (_, port)):
        transport, protocol = await loop.create_connection(
            Recorder, host, port, family=socket.AF_INET
        )
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        transport.abort()
        await protocol.lost


async def test_the_port_may_be_a_string_of_digits():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        transport, protocol = await loop.create_connection(Recorder, host, str(port))
        transport.abort()
        await protocol.lost


async def test_ipv6_connects():
    loop = asyncio.get_running_loop()
    async with serving(host="::1") as (_, address):
        transport, protocol = await loop.create_connection(Recorder, *address[:2])
        assert transport.get_extra_info("peername") == address
        assert transport.get_extra_info("sockname")[0] == "::1"
        transport.abort()
        await protocol.lost


async def test_local_addr_is_where_the_connection_comes_from():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        transport, protocol = await loop.create_connection(
            Recorder, host, port, local_addr=("127.0.0.1", 0)
        )
        name = transport.get_extra_info("sockname")
        assert name[0] == "127.0.0.1"
        assert name[1] != 0
        transport.abort()
        await protocol.lost


async def test_a_local_addr_that_is_taken_is_named():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        with pytest.raises(OSError) as caught:
            await loop.create_connection(Recorder, host, port, local_addr=(host, port))
    assert caught.value.errno == errno.EADDRINUSE
    assert f"error while attempting to bind on address ('{host}', {port}): " in str(caught.value)
    assert str(caught.value).endswith("address already in use")


async def test_a_local_addr_of_another_family_is_refused():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        with pytest.raises(OSError) as caught:
            await loop.create_connection(Recorder, host, port, local_addr=("::1", 0))
    family = repr(socket.AF_INET)
    assert str(caught.value) == f"no matching local address with family={family} found"


@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
async def test_a_connected_socket_is_taken_as_it_is(pair):
    near, far = pair()
    names = near.getsockname(), near.getpeername()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Recorder, sock=near)
    assert transport.get_extra_info("sockname") == names[0]
    assert transport.get_extra_info("peername") == names[1]
    assert near.gettimeout() == 0
    transport.close()
    await protocol.lost
    assert near.fileno() == -1
    far.close()


async def test_small_writes_are_not_delayed():
    async with connected() as (transport, _, _):
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_a_refused_connection_is_told_with_its_number():
    loop = asyncio.get_running_loop()
    with deaf_port() as port, pytest.raises(ConnectionRefusedError) as caught:
        await loop.create_connection(Recorder, "127.0.0.1", port)
    assert caught.value.errno == errno.ECONNREFUSED
    assert str(caught.value) == (
        f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', {port})"
    )


@pytest.mark.asyncio_since(3, 12)
async def test_all_errors_come_in_a_group():
    loop = asyncio.get_running_loop()
    with deaf_port() as port, pytest.raises(ExceptionGroup) as caught:
        await loop.create_connection(Recorder, "127.0.0.1", port, all_errors=True)
    assert caught.value.message == "create_connection failed"
    assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError]


async def test_the_next_address_is_tried_when_one_refuses():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        with (
            deaf_port() as deaf,
            deaf_port() as deafer,
            resolving_to((host, deaf), (host, deafer), (host, port)),
        ):
            transport, protocol = await loop.create_connection(Recorder, "example.test", port)
        assert transport.get_extra_info("peername") == (host, port)
        transport.abort()
        await protocol.lost


async def test_different_failures_are_told_together():
    loop = asyncio.get_running_loop()
    with (
        resolving_to(("127.0.0.1", 1), ("127.0.0.1", 2)),
        pytest.raises(OSError) as caught,
    ):
        await loop.create_connection(Recorder, "example.test", 1)
    text = f"[Errno {errno.ECONNREFUSED}] Connect call failed ('127.0.0.1', "
    assert str(caught.value) == f"Multiple exceptions: {text}1), {text}2)"


async def test_the_same_failure_is_told_once():
    loop = asyncio.get_running_loop()
    message = "Connect call failed"
    with (
        resolving_to(("127.0.0.1", 1), ("127.0.0.1", 1)),
        pytest.raises(ConnectionRefusedError, match=message),
    ):
        await loop.create_connection(Recorder, "example.test", 1)


async def test_a_name_without_addresses_is_an_error():
    loop = asyncio.get_running_loop()
    message = r"^getaddrinfo\(\) returned empty list$"
    with resolving_to(), pytest.raises(OSError, match=message):
        await loop.create_connection(Recorder, "example.test", 1)


async def test_a_name_that_does_not_resolve_is_an_error():
    loop = asyncio.get_running_loop()
    with pytest.raises(socket.gaierror) as caught:
        await loop.create_connection(Recorder, "nobody.invalid", 80)
    assert caught.value.errno in (socket.EAI_NONAME, socket.EAI_AGAIN)


async def test_cancelled_while_connecting_nothing_stays_open(full_backlog):
    loop = asyncio.get_running_loop()
    before = open_descriptors()
    task = loop.create_task(loop.create_connection(Recorder, *full_backlog))
    await turns(5)
    assert len(open_descriptors() - before) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert open_descriptors() - before == set()


async def test_cancelled_after_connecting_the_connection_is_closed():
    lost = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            task.cancel()

        def connection_lost(self, exc):
            lost.append(exc)

    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    task = loop.create_task(loop.create_connection(Protocol, sock=near))
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: lost)
    assert lost == [None]
    assert near.fileno() == -1
    far.close()


async def test_the_protocol_lives_in_the_context_of_the_call():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Protocol(Recorder):
        def __init__(self):
            super().__init__()
            seen.append(("factory", variable.get()))

        def connection_made(self, transport):
            super().connection_made(transport)
            seen.append(("connection_made", variable.get()))

        def data_received(self, data):
            seen.append(("data_received", variable.get()))

        def eof_received(self):
            seen.append(("eof_received", variable.get()))

        def connection_lost(self, exc):
            super().connection_lost(exc)
            seen.append(("connection_lost", variable.get()))

    variable.set("caller")
    async with connected(Protocol) as (_, protocol, far):
        variable.set("later")
        far.send(b"x")
        await until(lambda: len(seen) == 3)
        far.shutdown(socket.SHUT_WR)
        await protocol.lost
    names = ["factory", "connection_made", "data_received", "eof_received", "connection_lost"]
    assert seen == [(name, "caller") for name in names]


async def test_debug_mode_logs_the_connection(caplog):
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    caplog.set_level(logging.DEBUG, logger="asyncio")
    async with serving() as (_, (host, port)):
        transport, protocol = await loop.create_connection(Recorder, host, port)
        texts = [record.getMessage() for record in caplog.records]
        transport.abort()
        await protocol.lost
    assert any(f"connected to {host}:{port}: (" in text for text in texts)
    assert any("is serving" in text for text in texts)
    await until(lambda: any("got a new connection from" in r.getMessage() for r in caplog.records))
