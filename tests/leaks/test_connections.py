"""Connections by the thousand leave nothing: TCP, Unix, TLS, datagrams, servers, files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
import tempfile

import pytest
import trustme

from .census import leaves_nothing

AT_ONCE = 20


@pytest.fixture(scope="module")
def contexts():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client


async def echo(reader, writer):
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def ask(reader, writer):
    writer.write(b"question")
    assert await reader.readexactly(8) == b"question"
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def many(call, count):
    """Call so many times, some at once."""
    for _ in range(count // AT_ONCE):
        await asyncio.gather(*(call() for _ in range(AT_ONCE)))


@contextlib.asynccontextmanager
async def closing(server):
    yield server
    server.close()
    await server.wait_closed()


async def test_tcp():
    async def storm(count):
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        async def call():
            await ask(*await asyncio.open_connection(*address))

        async with closing(server):
            await many(call, count)

    await leaves_nothing(storm, 2000)


async def test_tcp_that_is_reset():
    async def storm(count):
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        async def call():
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"question")
            await reader.readexactly(8)
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

        async with closing(server):
            await many(call, count)

    await leaves_nothing(storm, 1000)


async def test_unix():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")

        async def storm(count):
            server = await asyncio.start_unix_server(echo, path)

            async def call():
                await ask(*await asyncio.open_unix_connection(path))

            async with closing(server):
                await many(call, count)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

        await leaves_nothing(storm, 2000)


async def test_tls(contexts):
    async def storm(count):
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=contexts[0])
        address = server.sockets[0].getsockname()
        options = {"ssl": contexts[1], "server_hostname": "localhost"}

        async def call():
            await ask(*await asyncio.open_connection(*address, **options))

        async with closing(server):
            await many(call, count)

    await leaves_nothing(storm, 2000)


async def test_tls_that_fails(contexts):
    """A client that does not trust the server, and one that is not a client of TLS at all."""

    async def storm(count):
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=contexts[0])
        address = server.sockets[0].getsockname()

        async def call():
            with pytest.raises(ssl.SSLError):
                await asyncio.open_connection(
                    *address, ssl=distrusting, server_hostname="localhost"
                )
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"no TLS at all\n\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        async with closing(server):
            await many(call, count)

    distrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    await leaves_nothing(storm, 200)


async def test_tls_that_is_cancelled_in_the_handshake(contexts):
    async def storm(count):
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as deaf:
            options = {"ssl": contexts[1], "server_hostname": "localhost"}

            async def call():
                connecting = asyncio.open_connection(*deaf.getsockname(), **options)
                task = asyncio.create_task(connecting)
                await asyncio.sleep(0.001)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

            await many(call, count)

    await leaves_nothing(storm, 300)


async def test_start_tls(contexts):
    async def storm(count):
        async def upgrade(reader, writer):
            await writer.start_tls(contexts[0])
            await echo(reader, writer)

        server = await asyncio.start_server(upgrade, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        async def call():
            reader, writer = await asyncio.open_connection(*address)
            await writer.start_tls(contexts[1], server_hostname="localhost")
            await ask(reader, writer)

        async with closing(server):
            await many(call, count)

    await leaves_nothing(storm, 300)


async def test_datagrams():
    class Answers(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(data, address)

    class Asks(asyncio.DatagramProtocol):
        def __init__(self):
            self.answer = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, address):
            self.answer.set_result(data)

    async def storm(count):
        loop = asyncio.get_running_loop()
        answers, _ = await loop.create_datagram_endpoint(Answers, local_addr=("127.0.0.1", 0))
        address = answers.get_extra_info("sockname")

        async def call():
            transport, protocol = await loop.create_datagram_endpoint(Asks, remote_addr=address)
            transport.sendto(b"question")
            assert await protocol.answer == b"question"
            transport.close()

        await many(call, count)
        answers.close()

    await leaves_nothing(storm, 2000)


async def test_servers():
    async def storm(count):
        for _ in range(count):
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            waiting = asyncio.create_task(server.serve_forever())
            await asyncio.sleep(0)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
            await server.wait_closed()

    await leaves_nothing(storm, 1000)


async def test_sendfile():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(100_000))
        file.flush()

        async def storm(count):
            loop = asyncio.get_running_loop()

            async def send(reader, writer):
                await loop.sendfile(writer.transport, file)
                writer.close()
                await writer.wait_closed()

            server = await asyncio.start_server(send, "127.0.0.1", 0)
            address = server.sockets[0].getsockname()

            async def call():
                reader, writer = await asyncio.open_connection(*address)
                assert len(await reader.read()) == 100_000
                writer.close()
                await writer.wait_closed()

            async with closing(server):
                for _ in range(count):
                    await call()

        await leaves_nothing(storm, 500)
