"""TLS with peers that mean no good: nonsense, silence, hanging up, a byte at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import socket
import ssl

import pytest
import trustme

from .apart import apart, descriptors, idle, until
from .peers import Echo, Note, caller, echo, serving

NONSENSE = {
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "zeros": bytes(100),
    "noise": random.Random(1).randbytes(3000),
    "a record that is too long": b"\x16\x03\x01\xff\xff" + bytes(100),
    "a record of a kind there is not": b"\x63\x03\x03\x00\x04abcd",
    "half a record": b"\x16\x03\x01\x02\x00\x01\x00",
    "an alert": b"\x15\x03\x03\x00\x02\x02\x28",
}


def contexts():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client


async def all_of(sock):
    """What a peer receives until its connection ends, in whatever way."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while data := await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
            received += data
    return received


async def secure_echo(address, client):
    reader, writer = await asyncio.open_connection(
        *address, ssl=client, server_hostname="localhost"
    )
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("what", NONSENSE)
@apart
async def test_nonsense_ends_the_connection_and_no_other(what):
    server, client = contexts()
    async with serving(ssl=server) as (_, address):
        with caller(address) as sock:
            sock.send(NONSENSE[what])
            if what == "half a record":
                await idle()
                sock.shutdown(socket.SHUT_WR)
            await all_of(sock)
        await secure_echo(address, client)


@apart
async def test_nonsense_after_the_handshake_ends_the_connection():
    server, client = contexts()
    made = []

    def make():
        made.append(Echo())
        return made[-1]

    async with serving(make, ssl=server) as (_, address):
        async with quiet_client(address, client) as transport:
            os.write(transport.get_extra_info("socket").fileno(), NONSENSE["noise"])
            assert isinstance(await made[0].lost, ssl.SSLError)
        await secure_echo(address, client)


@contextlib.asynccontextmanager
async def quiet_client(address, client):
    """The transport of a client that does nothing by itself."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(
        Note, *address, ssl=client, server_hostname="localhost"
    )
    try:
        yield transport
    finally:
        transport.abort()
        await protocol.lost


@pytest.mark.parametrize("side", ["server", "client"])
@apart
async def test_a_peer_that_says_nothing_is_given_up_after_a_time(side):
    server, client = contexts()
    loop = asyncio.get_running_loop()
    if side == "server":
        async with serving(ssl=server, ssl_handshake_timeout=0.2) as (_, address):
            with caller(address) as sock:
                assert await all_of(sock) == b""
    else:
        options = {"server_hostname": "localhost", "ssl_handshake_timeout": 0.2}
        with (
            socket.create_server(("127.0.0.1", 0)) as deaf,
            pytest.raises(ConnectionAbortedError),
        ):
            await loop.create_connection(Echo, *deaf.getsockname(), ssl=client, **options)
    await asyncio.sleep(0)


@apart
async def test_peers_that_hang_up_in_the_handshake_leave_nothing():
    server, client = contexts()
    made = []

    def make():
        made.append(Echo())
        return made[-1]

    async with serving(make, ssl=server) as (listening, address):
        before, hello = descriptors(), hello_of(client)
        for length in range(0, len(hello), 40):
            with caller(address) as sock:
                sock.send(hello[:length] or b"\x16")
        await until(lambda: len(made) == len(range(0, len(hello), 40)))
        await secure_echo(address, client)
        await until(lambda: descriptors() == before)
        assert listening.is_serving()


def hello_of(client):
    """The first message of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


@apart
async def test_a_byte_at_a_time_is_enough():
    server, client = contexts()
    loop = asyncio.get_running_loop()
    async with serving(ssl=server) as (_, address):
        with caller(address) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            session = client.wrap_bio(incoming, outgoing, server_hostname="localhost")

            async def by_bytes(call, *args):
                while True:
                    try:
                        return call(*args)
                    except ssl.SSLWantReadError:
                        pass
                    finally:
                        for byte in outgoing.read():
                            await loop.sock_sendall(sock, bytes([byte]))
                            await asyncio.sleep(0)
                    incoming.write(await loop.sock_recv(sock, 1))

            await by_bytes(session.do_handshake)
            await by_bytes(session.write, b"hello")
            assert await by_bytes(session.read, 5) == b"hello"


@apart
async def test_a_peer_that_never_reads_holds_little_memory():
    """Flow control has the writer wait: what is written ahead is bounded."""
    server, client = contexts()
    ahead = []

    class Floods(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport, self.may_write = transport, True
            asyncio.get_running_loop().call_soon(self.flood)

        def flood(self):
            while self.may_write and not self.transport.is_closing():
                self.transport.write(bytes(1 << 16))
            ahead.append(self.transport.get_write_buffer_size())

        def pause_writing(self):
            self.may_write = False

        def resume_writing(self):
            self.may_write = True
            asyncio.get_running_loop().call_soon(self.flood)

    async with (
        serving(Floods, ssl=server) as (_, address),
        quiet_client(address, client) as transport,
    ):
        transport.pause_reading()
        await until(lambda: ahead)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await idle(0.5)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert ahead[-1] < 2 << 20
    assert after - before < 4 << 10


@apart
async def test_a_stream_that_is_read_slowly_takes_no_more_than_it_may():
    """StreamReader has the transport wait: what a flooding peer sends ahead is bounded."""
    limit = 1 << 16
    arrived = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(
        lambda reader, writer: arrived.set_result((reader, writer)), "127.0.0.1", 0, limit=limit
    )
    address = server.sockets[0].getsockname()
    with caller(address) as sock:
        reader, writer = await arrived
        loop = asyncio.get_running_loop()
        flood = loop.create_task(loop.sock_sendall(sock, bytes(16 << 20)))
        await asyncio.sleep(0.05)
        await idle()
        assert not flood.done()
        assert len(reader._buffer) <= 2 * limit + (1 << 18)
        received = 0
        while received < 16 << 20:
            received += len(await reader.read(1 << 18))
        await flood
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


@apart
async def test_a_line_that_comes_a_byte_at_a_time_is_one_line():
    async with serving() as (_, address):
        with caller(address) as sock:
            for byte in b"one line\n":
                await echo(sock, bytes([byte]))
