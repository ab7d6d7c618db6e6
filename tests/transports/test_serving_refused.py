"""create_server: what it refuses, and that a failure leaves nothing open."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys

import pytest

from .connections import (
    Recorder,
    open_descriptors,
    serving,
)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({}, ValueError, "Neither host/port nor sock were specified"),
        (
            {"host": "127.0.0.1", "port": 0, "sock": "sock"},
            ValueError,
            "host/port and sock can not be specified at the same time",
        ),
        (
            {"host": "127.0.0.1", "ssl_handshake_timeout": 1},
            ValueError,
            "ssl_handshake_timeout is only meaningful with ssl",
        ),
        (
            {"host": "127.0.0.1", "ssl_shutdown_timeout": 1},
            ValueError,
            "ssl_shutdown_timeout is only meaningful with ssl",
        ),
        (
            {"host": "127.0.0.1", "ssl": True},
            TypeError,
            "ssl argument must be an SSLContext or None",
        ),
    ],
)
async def test_wrong_arguments_are_refused(arguments, kind, message):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        if "sock" in arguments:
            arguments = {**arguments, "sock": sock}
        with pytest.raises(kind) as caught:
            await loop.create_server(Recorder, **arguments)
    assert str(caught.value) == message


async def test_a_datagram_socket_is_refused():
    loop = asyncio.get_running_loop()
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(ValueError, match=r"^A Stream Socket was expected, got <socket\.socket fd="),
    ):
        await loop.create_server(Recorder, sock=sock)


async def test_a_port_in_use_is_named():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (host, port)):
        before = open_descriptors()
        with pytest.raises(OSError) as caught:
            await loop.create_server(Recorder, host, port)
        assert open_descriptors() - before == set()
    assert caught.value.errno == errno.EADDRINUSE
    text = f"error while attempting to bind on address ('{host}', {port}): "
    assert text in str(caught.value)
    if sys.version_info >= (3, 13):
        text += f"[errno {errno.EADDRINUSE}] "
        assert str(caught.value) == f"[Errno {errno.EADDRINUSE}] {text}address already in use"


async def test_when_one_host_cannot_be_bound_none_is():
    loop = asyncio.get_running_loop()
    async with serving() as (_, (_, port)):
        before = open_descriptors()
        with pytest.raises(OSError) as caught:
            await loop.create_server(Recorder, ["127.0.0.2", "127.0.0.1"], port)
        assert open_descriptors() - before == set()
    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.groundup_only
async def test_when_a_socket_cannot_listen_none_stays_open():
    loop = asyncio.get_running_loop()
    with socket.socket() as other:
        # Both may be bound, as neither listens yet.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        server = await loop.create_server(Recorder, "127.0.0.1", port, start_serving=False)
        other.listen()
        before = open_descriptors()
        with pytest.raises(OSError) as caught:
            await server.start_serving()
        assert caught.value.errno == errno.EADDRINUSE
        assert len(before - open_descriptors()) == 1
        assert server.sockets == ()
        assert not server.is_serving()


@pytest.mark.groundup_only
async def test_an_address_of_another_machine_cannot_be_bound():
    loop = asyncio.get_running_loop()
    with pytest.raises(OSError) as caught:
        await loop.create_server(Recorder, "192.0.2.1", 0)
    assert str(caught.value) == "could not bind on any address out of [('192.0.2.1', 0)]"


async def test_a_host_that_does_not_resolve_is_an_error():
    loop = asyncio.get_running_loop()
    with pytest.raises(socket.gaierror):
        await loop.create_server(Recorder, "nobody.invalid", 0)
