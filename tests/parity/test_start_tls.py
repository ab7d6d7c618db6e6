"""Upgrading a connection: without a name to check, after the end of file, to silent peers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import pytest
import trustme

from .tape import Tape, neutral, pair

# In seconds: for a peer that does not answer, and for one that does.
SHORT, LONG = 0.3, 10


@pytest.fixture(scope="module")
def contexts():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client


async def upgrade(tape, reader, writer, context, limit=LONG, **options):
    """Upgrade, and note what comes of it."""
    try:
        async with asyncio.timeout(limit):
            await writer.start_tls(context, **options)
    except Exception as error:
        tape.note("raised", neutral(error))
    else:
        writer.write(b"secret")
        tape.note("received", await reader.read(6))
    tape.note("closing", writer.transport.is_closing())
    writer.transport.abort()


@pytest.mark.parametrize("name", [None, "", "localhost", "elsewhere"])
def test_a_client_that_names_the_server_or_does_not(same, contexts, name):
    """Python checks that there is a name to check from 3.14 on; before, none is checked."""

    async def scene(tape):
        async def echo(reader, writer):
            with contextlib.suppress(OSError):
                await writer.start_tls(contexts[0])
                writer.write(await reader.read(6))
                await reader.read()
            writer.transport.abort()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await upgrade(tape, reader, writer, contexts[1], server_hostname=name)
        server.close()
        await tape.turns(10)
        return [note for note in tape if note != "turn"]

    same(lambda loop: loop.run_until_complete(scene(Tape(loop))))


PEERS = {
    "silent": lambda far: None,
    "gone": lambda far: far.close(),
    "half gone": lambda far: far.shutdown(socket.SHUT_WR),
    "talking nonsense": lambda far: far.send(b"no TLS at all\n"),
}


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_that_does_not_speak_tls(same, contexts, peer):
    async def scene(tape):
        reader, writer = await asyncio.open_connection(sock=tape.near)
        PEERS[peer](tape.far)
        options = {"server_hostname": "localhost", "limit": SHORT if peer == "silent" else LONG}
        await upgrade(tape, reader, writer, contexts[1], **options)
        await tape.turns(10)

    def body(loop):
        tape = Tape(loop)
        with pair() as (tape.near, tape.far):
            tape.run(scene(tape))
            return [note for note in tape if note != "turn"]

    same(body)


def test_a_connection_whose_peer_has_ended_already(same, contexts):
    """Reading is taken up again for the handshake, which finds the end of file once more."""

    class Stays(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def eof_received(self):
            return True

    async def scene(tape):
        transport, protocol = await tape.loop.create_connection(Stays, sock=tape.near)
        tape.far.shutdown(socket.SHUT_WR)
        await tape.turns(5)
        options = {"server_hostname": "localhost", "ssl_handshake_timeout": 10}
        try:
            await tape.loop.start_tls(transport, protocol, contexts[1], **options)
        except Exception as error:
            tape.note("raised", neutral(error))
        await tape.turns(5)

    def body(loop):
        tape = Tape(loop)
        with pair() as (tape.near, tape.far):
            return tape.run(scene(tape))

    assert "ConnectionResetError" in str(same(body))
