"""TLS connections in good order: what goes through, what is known of them, how they end."""

from __future__ import annotations

import asyncio
import gc
import ssl
import warnings
import weakref

import pytest

from comparison import log

from .certificates import NAME, Echo, client_context, secured, server_context
from .connections import Recorder, open_descriptors, serving, turns, until

MUCH = bytes(range(256)) * 20_000


class Buffered(asyncio.BufferedProtocol):
    """Receives into one buffer of its own, and notes what comes as a Recorder does."""

    def __init__(self, size: int = 10_000) -> None:
        self.buffer = bytearray(size)
        self.calls: list[str] = []
        self.received = bytearray()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.calls.append("connection_made")

    def get_buffer(self, sizehint):
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes):
        self.received += self.buffer[:nbytes]

    def eof_received(self):
        self.calls.append("eof_received")

    def connection_lost(self, exc):
        self.calls.append("connection_lost")
        self.lost.set_result(exc)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_bytes_go_both_ways(authority, version):
    server = server_context(authority)
    server.minimum_version = server.maximum_version = version
    async with secured(authority, server=server) as (transport, protocol, peer):
        transport.write(MUCH)
        peer.transport.writelines([MUCH[:1], bytearray(MUCH[1:7]), memoryview(MUCH[7:])])
        await until(lambda: len(protocol.received) == len(peer.received) == len(MUCH))
        assert protocol.received == peer.received == MUCH
        name = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
        assert transport.get_extra_info("ssl_object").version() == name


@pytest.mark.parametrize("size", [1, 10_000, 1 << 20])
async def test_a_buffered_protocol_receives_into_its_buffer(authority, size):
    much = MUCH[: 100 * size]
    async with secured(authority, lambda: Buffered(size)) as (_transport, protocol, peer):
        peer.transport.write(much)
        peer.transport.close()
        assert await protocol.lost is None
        assert protocol.received == much
        assert protocol.calls == ["connection_made", "eof_received", "connection_lost"]


async def test_a_protocol_can_be_replaced(authority):
    async with secured(authority) as (transport, first, peer):
        second = Buffered()
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        peer.transport.write(b"to the second")
        await until(lambda: second.received)
        assert (bytes(first.received), bytes(second.received)) == (b"", b"to the second")
        transport.set_protocol(first)


async def test_what_is_known_of_a_connection(authority):
    client, server = client_context(authority), server_context(authority)
    async with secured(authority, client=client, server=server) as (transport, _, peer):
        assert isinstance(transport, asyncio.Transport)
        assert transport.get_extra_info("sslcontext") is client
        assert peer.transport.get_extra_info("sslcontext") is server
        assert ("DNS", NAME) in transport.get_extra_info("peercert")["subjectAltName"]
        assert peer.transport.get_extra_info("peercert") is None
        assert isinstance(transport.get_extra_info("ssl_object"), ssl.SSLObject)
        name, version, bits = transport.get_extra_info("cipher")
        assert (name, version, bits) == transport.get_extra_info("ssl_object").cipher()
        assert transport.get_extra_info("compression") is None
        address = transport.get_extra_info("sockname")
        assert transport.get_extra_info("socket").getsockname() == address
        assert peer.transport.get_extra_info("peername") == address
        assert transport.get_extra_info("no such", "default") == "default"
        assert (transport.is_reading(), transport.is_closing()) == (True, False)
        assert transport.get_write_buffer_limits() == (131072, 524288)
        assert transport.get_write_buffer_size() == 0


async def test_the_application_protocol_is_negotiated(authority):
    client, server = client_context(authority), server_context(authority)
    client.set_alpn_protocols(["h2", "http/1.1"])
    server.set_alpn_protocols(["http/1.1"])
    async with secured(authority, client=client, server=server) as (transport, _, peer):
        for each in (transport, peer.transport):
            assert each.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"


async def test_the_server_hears_which_name_is_asked_for(authority):
    asked = []
    server = server_context(authority, "first.example")
    second = server_context(authority, "second.example")

    def choose(ssl_object, name, context):
        asked.append(name)
        ssl_object.context = second

    server.sni_callback = choose
    async with secured(authority, server=server, server_hostname="second.example") as (
        transport,
        *_,
    ):
        names = transport.get_extra_info("peercert")["subjectAltName"]
    assert asked == ["second.example"]
    assert names == (("DNS", "second.example"),)


async def test_a_client_can_show_a_certificate(authority):
    client, server = client_context(authority), server_context(authority)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("client.example").configure_cert(client)
    async with secured(authority, client=client, server=server) as (_, _, peer):
        certificate = peer.transport.get_extra_info("peercert")
        assert certificate["subjectAltName"] == (("DNS", "client.example"),)


async def test_an_empty_server_hostname_checks_no_name(authority):
    client = client_context(authority)
    client.check_hostname = False
    async with secured(authority, client=client, server_hostname="") as (transport, *_):
        assert transport.get_extra_info("ssl_object").server_hostname is None


@pytest.mark.parametrize("who", ["client", "server"])
async def test_closing_sends_what_was_written_and_ends_both(authority, who):
    async with secured(authority) as (_transport, protocol, peer):
        closer, other = (protocol, peer) if who == "client" else (peer, protocol)
        closer.transport.write(MUCH)
        closer.transport.close()
        assert closer.transport.is_closing()
        assert await other.lost is None
        assert await closer.lost is None
        assert other.received == MUCH
        assert other.calls[0] == "connection_made"
        assert other.calls[-2:] == ["eof_received", "connection_lost"]
        assert other.transport.is_closing()


async def test_abort_loses_what_waits(authority):
    async with secured(authority) as (transport, protocol, peer):
        peer.transport.pause_reading()
        transport.write(bytes(1 << 24))
        transport.write(bytes(1 << 24))
        assert transport.get_write_buffer_size() > 0
        transport.abort()
        assert await protocol.lost is None
        assert transport.is_closing()
        assert transport.get_write_buffer_size() == 0
        peer.transport.resume_reading()
        await peer.lost
        assert len(peer.received) < 1 << 25


async def test_eof_in_one_direction_is_not_possible(authority):
    async with secured(authority) as (transport, *_):
        assert transport.can_write_eof() is False
        with pytest.raises(NotImplementedError):
            transport.write_eof()


async def test_eof_received_cannot_keep_the_connection(authority):
    class Stays(Recorder):
        def eof_received(self):
            super().eof_received()
            return True

    with log() as records:
        async with secured(authority, Stays) as (_, protocol, peer):
            peer.transport.close()
            assert await protocol.lost is None
    assert [record.getMessage() for record in records] == [
        "returning true from eof_received() has no effect when using ssl"
    ]


async def test_writing_after_the_end_is_warned_of_when_repeated(authority):
    async with secured(authority) as (transport, protocol, _):
        transport.abort()
        await protocol.lost
        with log() as records:
            counts = []
            for _ in range(8):
                transport.write(b"late")
                counts.append(len(records))
        assert {record.getMessage() for record in records} == {"SSL connection is closed"}
        assert counts == [0, 0, 0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("wrong", ["text", 1, None, [b"a"]])
async def test_only_bytes_can_be_written(authority, wrong):
    kind = type(wrong).__name__
    async with secured(authority) as (transport, _, peer):
        with pytest.raises(TypeError, match=f"bytes-like (instance, got|object, not) .?{kind}"):
            transport.write(wrong)
        transport.write(b"")
        transport.write(b"right")
        await until(lambda: peer.received == b"right")


async def test_nothing_is_received_while_reading_is_paused(authority):
    async with secured(authority) as (transport, protocol, peer):
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        peer.transport.write(MUCH)
        await asyncio.sleep(0.05)
        assert protocol.received == b""
        low, high = transport.get_read_buffer_limits()
        assert low < high <= transport.get_read_buffer_size() < len(MUCH)
        transport.resume_reading()
        transport.resume_reading()
        assert transport.is_reading()
        await until(lambda: len(protocol.received) == len(MUCH))
        assert protocol.received == MUCH


async def test_what_arrived_before_the_end_waits_for_a_paused_reader(authority):
    async with secured(authority) as (transport, protocol, peer):
        transport.pause_reading()
        peer.transport.write(b"the last")
        peer.transport.close()
        await asyncio.sleep(0.05)
        assert protocol.calls == ["connection_made"]
        transport.resume_reading()
        assert await protocol.lost is None
        assert protocol.received == b"the last"
        assert protocol.calls[-2:] == ["eof_received", "connection_lost"]


async def test_a_protocol_is_asked_to_pause_writing(authority):
    async with secured(authority) as (transport, protocol, peer):
        peer.transport.pause_reading()
        transport.set_write_buffer_limits(high=1000, low=100)
        assert transport.get_write_buffer_limits() == (100, 1000)
        written = 0
        while "pause_writing" not in protocol.calls:
            transport.write(MUCH)
            written += len(MUCH)
        assert transport.get_write_buffer_size() >= 1000
        peer.transport.resume_reading()
        await until(lambda: "resume_writing" in protocol.calls)
        assert transport.get_write_buffer_size() <= 100
        await until(lambda: len(peer.received) == written)
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]


async def test_limits_that_make_no_sense_are_refused(authority):
    async with secured(authority) as (transport, *_):
        for change in (transport.set_write_buffer_limits, transport.set_read_buffer_limits):
            with pytest.raises(ValueError, match="must be >= low"):
                change(high=1, low=2)


async def test_streams_speak_tls(authority):
    async def echo(reader, writer):
        writer.write(await reader.readexactly(len(MUCH)))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context(authority))
    async with server:
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(),
            ssl=client_context(authority),
            server_hostname=NAME,
        )
        writer.write(MUCH)
        assert await reader.read() == MUCH
        writer.close()
        await writer.wait_closed()


async def test_many_connections_at_once(authority):
    client = client_context(authority)
    loop = asyncio.get_running_loop()
    async with serving(Echo, ssl=server_context(authority), backlog=200) as (_, address):

        async def call(number):
            transport, protocol = await loop.create_connection(
                Recorder, *address, ssl=client, server_hostname=NAME
            )
            transport.write(b"%d" % number)
            await until(lambda: protocol.received == b"%d" % number)
            transport.close()
            assert await protocol.lost is None

        await asyncio.gather(*map(call, range(50)))


async def test_connections_leave_nothing_behind(authority):
    contexts = weakref.WeakSet()
    transports = weakref.WeakSet()

    async def connect(count, how):
        client, server = client_context(authority), server_context(authority)
        contexts.update((client, server))
        for _ in range(count):
            async with secured(authority, Echo, client=client, server=server) as (
                transport,
                protocol,
                peer,
            ):
                transports.update((transport, peer.transport))
                peer.transport.write(b"hello")
                await until(lambda peer=peer: peer.received)
                getattr(transport, how)()
                await protocol.lost

    await connect(2, "close")
    await turns(3)
    before = open_descriptors()
    for how in ("close", "abort"):
        await connect(40, how)
    await turns(3)
    gc.collect()
    assert open_descriptors() == before
    assert list(transports) == []
    assert list(contexts) == []


def test_a_transport_that_nobody_closed_warns(authority, loop):
    async def connect():
        server = await loop.create_server(Recorder, "127.0.0.1", 0, ssl=server_context(authority))
        address = server.sockets[0].getsockname()
        ssl = client_context(authority)
        await loop.create_connection(Recorder, *address, ssl=ssl, server_hostname=NAME)
        server.close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop.run_until_complete(connect())
        loop.close()
        gc.collect()
    assert {warning.category for warning in caught} == {ResourceWarning}
    assert "unclosed transport <TlsTransport>" in [str(warning.message) for warning in caught]
