"""start_tls: from plain text to TLS in the middle of a connection."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from .certificates import NAME, client_context, server_context
from .connections import Recorder, connected, receive, serving, tcp_pair, turns, until


@contextlib.asynccontextmanager
async def both_ends():
    """Give a transport and a protocol for each end of a connection, in plain text."""
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    ends = [await loop.create_connection(Recorder, sock=sock) for sock in (near, far)]
    try:
        yield ends
    finally:
        for transport, protocol in ends:
            transport.abort()
            await protocol.lost


async def upgrade(ends, client, server):
    """Put TLS on both ends; return the new transports."""
    loop = asyncio.get_running_loop()
    (near, near_protocol), (far, far_protocol) = ends
    return await asyncio.gather(
        loop.start_tls(near, near_protocol, client, server_hostname=NAME),
        loop.start_tls(far, far_protocol, server, server_side=True),
    )


async def test_a_connection_becomes_secure_in_the_middle(authority):
    async with both_ends() as ends:
        (plain, protocol), (far_plain, far_protocol) = ends
        plain.write(b"STARTTLS\r\n")
        await until(lambda: far_protocol.received == b"STARTTLS\r\n")
        far_plain.write(b"go ahead\r\n")
        await until(lambda: protocol.received == b"go ahead\r\n")
        client = client_context(authority)
        near, far = await upgrade(ends, client, server_context(authority))
        assert isinstance(near, asyncio.Transport)
        assert near.get_extra_info("sslcontext") is client
        assert near.get_extra_info("peername") == plain.get_extra_info("peername")
        assert near.get_protocol() is protocol
        near.write(b"secret")
        far.write(b"answer")
        await until(lambda: far_protocol.received == b"STARTTLS\r\nsecret")
        await until(lambda: protocol.received == b"go ahead\r\nanswer")
        # The protocols have heard of the connection before.
        assert protocol.calls.count("connection_made") == 1
        near.close()
        assert await protocol.lost is None
        assert await far_protocol.lost is None
        assert far_protocol.calls[-2:] == ["eof_received", "connection_lost"]


async def test_tls_in_tls(authority):
    client, server = client_context(authority), server_context(authority)
    async with both_ends() as ends:
        (_, protocol), (_, far_protocol) = ends
        outer = await upgrade(ends, client, server)
        ends_of_outer = [(outer[0], protocol), (outer[1], far_protocol)]
        near, far = await upgrade(ends_of_outer, client, server)
        much = bytes(range(256)) * 4000
        near.write(much)
        far.write(much)
        await until(lambda: len(protocol.received) == len(far_protocol.received) == len(much))
        assert protocol.received == far_protocol.received == much
        far.close()
        assert await protocol.lost is None
        assert await far_protocol.lost is None


async def test_streams_can_be_upgraded(authority):
    async def serve(reader, writer):
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"go ahead\n")
        await writer.drain()
        await writer.start_tls(server_context(authority))
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client_context(authority), server_hostname=NAME)
        assert writer.get_extra_info("peercert")
        writer.write(b"secret\n")
        assert await reader.read() == b"SECRET\n"
        writer.close()
        await writer.wait_closed()
        await turns(2)


@pytest.mark.parametrize("wrong", [None, True, "context"])
async def test_a_context_is_needed(wrong):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, _):
        with pytest.raises(TypeError) as caught:
            await loop.start_tls(transport, protocol, wrong)
        message = f"sslcontext is expected to be an instance of ssl.SSLContext, got {wrong!r}"
        assert str(caught.value) == message


async def test_not_every_transport_can_be_upgraded(authority):
    loop = asyncio.get_running_loop()
    transport = asyncio.Transport()
    with pytest.raises(TypeError) as caught:
        await loop.start_tls(transport, Recorder(), client_context(authority))
    assert str(caught.value) == f"transport {transport!r} is not supported by start_tls()"


async def test_a_timeout_must_be_positive(authority):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, _):
        with pytest.raises(ValueError, match="ssl_handshake_timeout should be a positive number"):
            await loop.start_tls(
                transport,
                protocol,
                client_context(authority),
                server_hostname=NAME,
                ssl_handshake_timeout=0,
            )


async def test_a_handshake_that_takes_too_long_closes_the_connection(authority):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, far):
        with pytest.raises(ConnectionAbortedError, match=r"longer than 0\.05 seconds"):
            await loop.start_tls(
                transport,
                protocol,
                client_context(authority),
                server_hostname=NAME,
                ssl_handshake_timeout=0.05,
            )
        assert transport.is_closing()
        assert await receive(far, 1 << 16)  # the hello, and then the end


async def test_a_peer_that_answers_in_plain_text(authority):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, far):
        await loop.sock_sendall(far, b"454 no TLS here\r\n")
        with pytest.raises(ssl.SSLError):
            await loop.start_tls(
                transport, protocol, client_context(authority), server_hostname=NAME
            )
        assert transport.is_closing()


async def test_a_cancelled_upgrade_closes_the_connection(authority):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, far):
        upgrading = asyncio.create_task(
            loop.start_tls(transport, protocol, client_context(authority), server_hostname=NAME)
        )
        await receive(far, 5)
        upgrading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upgrading
        assert transport.is_closing()


async def test_a_server_can_be_upgraded_by_its_protocol(authority):
    upgraded = asyncio.get_running_loop().create_future()

    class Upgrades(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            self.task = asyncio.create_task(self.upgrade())

        async def upgrade(self):
            loop = asyncio.get_running_loop()
            self.transport = await loop.start_tls(
                self.transport, self, server_context(authority), server_side=True
            )
            self.transport.write(b"welcome")
            upgraded.set_result(self)

    loop = asyncio.get_running_loop()
    async with serving(Upgrades) as (_, address):
        transport, protocol = await loop.create_connection(
            Recorder, *address, ssl=client_context(authority), server_hostname=NAME
        )
        await until(lambda: protocol.received == b"welcome")
        transport.close()
        assert await protocol.lost is None
        assert await (await upgraded).lost is None


@pytest.mark.groundup_only
async def test_a_stream_server_takes_what_a_client_sent_before_the_server_started_tls(authority):
    async def answer(reader, writer):
        while not reader._buffer:  # the client's first message
            await asyncio.sleep(0.001)
        await writer.start_tls(server_context(authority))
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await writer.start_tls(client_context(authority), server_hostname=NAME)
        writer.write(b"line\n")
        assert await reader.readline() == b"line\n"
        writer.close()
        await writer.wait_closed()
