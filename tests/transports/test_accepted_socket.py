"""connect_accepted_socket: a connection that was accepted elsewhere."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from .certificates import NAME, Echo, client_context, server_context
from .connections import Recorder, receive, tcp_pair, unix_pair


@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
async def test_a_socket_becomes_a_transport(pair):
    loop = asyncio.get_running_loop()
    near, far = pair()
    near.setblocking(True)
    transport, protocol = await loop.connect_accepted_socket(Echo, near)
    with far:
        assert protocol.calls == ["connection_made"]
        assert protocol.transport is transport
        await loop.sock_sendall(far, b"hello")
        assert await receive(far, 5) == b"hello"
    assert await protocol.lost is None


async def test_a_socket_speaks_tls_as_a_server_does(authority):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    context = server_context(authority)
    (transport, protocol), (_caller, calling) = await asyncio.gather(
        loop.connect_accepted_socket(Echo, near, ssl=context, ssl_handshake_timeout=30),
        loop.create_connection(
            Recorder, sock=far, ssl=client_context(authority), server_hostname=NAME
        ),
    )
    assert transport.get_extra_info("ssl_object").server_side
    assert transport.get_extra_info("sslcontext") is context
    transport.write(b"welcome")
    transport.close()
    assert await protocol.lost is None
    assert await calling.lost is None
    assert calling.received == b"welcome"


@pytest.mark.parametrize(
    "option",
    [{"ssl_handshake_timeout": 1}, {"ssl_shutdown_timeout": 1}],
    ids=lambda o: next(iter(o)),
)
async def test_timeouts_are_for_tls_only(option):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    (name,) = option
    with near, far, pytest.raises(ValueError, match=f"^{name} is only meaningful with ssl$"):
        await loop.connect_accepted_socket(Recorder, near, **option)


async def test_only_plain_stream_sockets_will_do():
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        with pytest.raises(ValueError) as caught:
            await loop.connect_accepted_socket(Recorder, sock)
        text = repr(sock)
    assert str(caught.value) == f"A Stream Socket was expected, got {text}"


async def test_a_failed_handshake_is_raised(authority):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    with far:
        await loop.sock_sendall(far, b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ssl.SSLError, match="HTTP_REQUEST"):
            await loop.connect_accepted_socket(Recorder, near, ssl=server_context(authority))
    assert near.fileno() == -1
