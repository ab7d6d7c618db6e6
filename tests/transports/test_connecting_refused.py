"""create_connection: what it refuses."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

import pytest

from .connections import (
    Recorder,
    connected,
    open_descriptors,
    serving,
    tcp_pair,
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "host and port was not specified and no sock specified"),
        (
            {"host": "127.0.0.1", "port": 1, "sock": "near"},
            "host/port and sock can not be specified at the same time",
        ),
        (
            {"port": 1, "sock": "near"},
            "host/port and sock can not be specified at the same time",
        ),
        (
            {"host": "127.0.0.1", "port": 1, "server_hostname": "name"},
            "server_hostname is only meaningful with ssl",
        ),
        (
            {"host": "127.0.0.1", "port": 1, "ssl_handshake_timeout": 1},
            "ssl_handshake_timeout is only meaningful with ssl",
        ),
        (
            {"host": "127.0.0.1", "port": 1, "ssl_shutdown_timeout": 1},
            "ssl_shutdown_timeout is only meaningful with ssl",
        ),
    ],
)
async def test_arguments_that_exclude_each_other_are_refused(arguments, message):
    near, far = tcp_pair()
    if "sock" in arguments:
        arguments = {**arguments, "sock": near}
    loop = asyncio.get_running_loop()
    with near, far, pytest.raises(ValueError) as caught:
        await loop.create_connection(Recorder, **arguments)
    assert str(caught.value) == message


async def test_a_datagram_socket_is_refused():
    loop = asyncio.get_running_loop()
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(ValueError, match=r"^A Stream Socket was expected, got <socket\.socket fd="),
    ):
        await loop.create_connection(Recorder, sock=sock)


async def test_a_tls_socket_is_refused():
    near, far = tcp_pair()
    context = ssl.create_default_context()
    wrapped = context.wrap_socket(near, server_hostname="x", do_handshake_on_connect=False)
    loop = asyncio.get_running_loop()
    with wrapped, far, pytest.raises(TypeError, match="Socket cannot be of type SSLSocket"):
        await loop.create_connection(Recorder, sock=wrapped)


@pytest.mark.parametrize("method", ["create_connection", "connect_accepted_socket"])
async def test_a_closed_socket_is_refused(method):
    closed = socket.socket()
    closed.close()
    connect = getattr(asyncio.get_running_loop(), method)
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        await connect(Recorder, sock=closed)
    assert caught.value.errno == errno.EBADF


async def test_a_port_out_of_range_is_refused():
    loop = asyncio.get_running_loop()
    with pytest.raises(OverflowError, match="port must be 0-65535"):
        await loop.create_connection(Recorder, "127.0.0.1", 70000)


async def test_a_socket_that_another_transport_has_is_refused():
    async with connected() as (transport, _, _):
        sock = transport.get_extra_info("socket")
        twin = socket.socket(fileno=sock.fileno())
        loop = asyncio.get_running_loop()
        with pytest.raises(RuntimeError) as caught:
            loop.add_reader(twin, print)
        assert str(caught.value) == f"File descriptor {twin!r} is used by transport {transport!r}"
        twin.detach()


async def test_what_the_factory_raises_is_raised():
    def factory():
        raise LookupError("no protocol")

    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    with near, far, pytest.raises(LookupError, match="no protocol"):
        await loop.create_connection(factory, sock=near)


@pytest.mark.groundup_only
async def test_a_protocol_without_connection_made_is_refused():
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    with near, far, pytest.raises(AttributeError, match="has no attribute 'connection_made'"):
        await loop.create_connection(object, sock=near)


@pytest.mark.groundup_only
async def test_the_socket_is_closed_when_the_factory_raises():
    def factory():
        raise LookupError

    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    async with serving() as (_, (host, port)):
        before = open_descriptors()
        with pytest.raises(LookupError):
            await loop.create_connection(factory, host, port)
        # The server has accepted; its own end is none of ours.
        assert {line for line in open_descriptors() - before if "socket" not in line} == set()
        with pytest.raises(LookupError):
            await loop.create_connection(factory, sock=near)
        assert near.fileno() == -1
    far.close()
