"""TLS connections that do not come about, or break: what is refused, raised and told."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import traceback

import pytest
import trustme

from .certificates import NAME, client_context, secured, server_context
from .connections import Recorder, open_descriptors, receive, reset, serving, tcp_pair, turns, until

LIMIT = 0.05  # in seconds


async def connect(address, context, **options):
    loop = asyncio.get_running_loop()
    return await loop.create_connection(
        Recorder, *address, ssl=context, **{"server_hostname": NAME, **options}
    )


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            {"sock": True, "ssl": True},
            ValueError,
            "You must set server_hostname when using ssl without a host",
        ),
        (
            {"host": "", "port": 1, "ssl": True},
            ValueError,
            "You must set server_hostname when using ssl without a host",
        ),
        (
            {"sock": True, "ssl": True, "server_hostname": NAME, "ssl_handshake_timeout": 0},
            ValueError,
            "ssl_handshake_timeout should be a positive number, got 0",
        ),
        (
            {"sock": True, "ssl": True, "server_hostname": NAME, "ssl_shutdown_timeout": -1},
            ValueError,
            "ssl_shutdown_timeout should be a positive number, got -1",
        ),
    ],
)
async def test_arguments_are_checked(arguments, kind, message):
    near, far = tcp_pair()
    if "sock" in arguments:
        arguments = {**arguments, "sock": near}
    loop = asyncio.get_running_loop()
    with near, far, pytest.raises(kind) as caught:
        await loop.create_connection(Recorder, **arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize("wrong", [True, False])
async def test_a_server_needs_a_context(wrong):
    loop = asyncio.get_running_loop()
    with pytest.raises(TypeError, match=r"^ssl argument must be an SSLContext or None$"):
        await loop.create_server(Recorder, "127.0.0.1", 0, ssl=wrong)


@pytest.mark.parametrize(
    ("trusted", "name", "message"),
    [
        (True, "other.example", "Hostname mismatch, certificate is not valid for 'other.example'"),
        (False, NAME, "unable to get local issuer certificate"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused(authority, trusted, name, message):
    context = client_context(authority if trusted else trustme.CA())
    made = []

    def factory():
        made.append(Recorder())
        return made[-1]

    before = open_descriptors()
    async with serving(factory, ssl=server_context(authority)) as (server, address):
        with pytest.raises(ssl.SSLCertVerificationError, match=message):
            await connect(address, context, server_hostname=name)
        await until(lambda: open_descriptors() - before == listening(server))
    # A protocol is told of connections that come about, and of no other.
    assert [protocol.calls for protocol in made] == [[]]


def listening(server):
    """What a server keeps open."""
    (sock,) = server.sockets
    return {line for line in open_descriptors() if line.startswith(f"{sock.fileno()} ->")}


async def test_a_server_that_speaks_no_tls_fails_the_handshake(authority):
    class Plain(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.write(b"220 hello, this is plain text\r\n")

    async with serving(Plain) as (_, address):
        with pytest.raises(ssl.SSLError) as caught:
            await connect(address, client_context(authority))
    assert caught.value.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG")


async def test_a_client_that_speaks_no_tls_is_sent_away(authority):
    made = []

    def factory():
        made.append(Recorder())
        return made[-1]

    loop = asyncio.get_running_loop()
    async with serving(factory, ssl=server_context(authority)) as (_, address):
        with socket.socket() as caller:
            caller.setblocking(False)
            await loop.sock_connect(caller, address)
            await loop.sock_sendall(caller, b"GET / HTTP/1.1\r\n\r\n")
            # An alert may come before the end.
            assert len(await receive(caller, 1000)) < 100
    # A protocol is told of connections that come about, and of no other.
    assert [protocol.calls for protocol in made] == [[]]


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_peer_that_goes_in_the_handshake(authority, how):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    connecting = asyncio.create_task(
        loop.create_connection(
            Recorder, sock=near, ssl=client_context(authority), server_hostname=NAME
        )
    )
    assert await receive(far, 5)
    far.close() if how == "close" else reset(far)
    with pytest.raises(ConnectionResetError):
        await connecting
    await turns(2)
    assert near.fileno() == -1


async def test_a_handshake_takes_no_longer_than_its_timeout(authority):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    with far, pytest.raises(ConnectionAbortedError) as caught:
        await loop.create_connection(
            Recorder,
            sock=near,
            ssl=client_context(authority),
            server_hostname=NAME,
            ssl_handshake_timeout=LIMIT,
        )
    message = "SSL handshake is taking longer than 0.05 seconds: aborting the connection"
    assert str(caught.value) == message
    await turns(2)
    assert near.fileno() == -1


async def test_a_servers_handshake_has_a_timeout_too(authority):
    context = server_context(authority)
    async with serving(ssl=context, ssl_handshake_timeout=LIMIT) as (_, address):
        with socket.create_connection(address) as caller:
            caller.setblocking(False)
            assert await receive(caller, 1) == b""


async def test_the_application_hears_nothing_of_a_handshake_that_is_cancelled(authority):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    protocols = []

    def factory():
        protocols.append(Recorder())
        return protocols[-1]

    with far:
        connecting = asyncio.create_task(
            loop.create_connection(
                factory, sock=near, ssl=client_context(authority), server_hostname=NAME
            )
        )
        await receive(far, 5)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await until(lambda: near.fileno() == -1)
    assert protocols[0].calls == []


def silent_server(authority, far):
    """Shake hands on a socket, in a thread, and then neither read nor write any more."""
    far.setblocking(True)
    return server_context(authority).wrap_socket(far, server_side=True)


async def test_a_shutdown_takes_no_longer_than_its_timeout(authority):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    shaking = loop.run_in_executor(None, silent_server, authority, far)
    transport, protocol = await loop.create_connection(
        Recorder,
        sock=near,
        ssl=client_context(authority),
        server_hostname=NAME,
        ssl_shutdown_timeout=LIMIT,
    )
    with await shaking:
        transport.close()
        lost = await protocol.lost
    assert isinstance(lost, TimeoutError)
    assert str(lost) == "SSL shutdown timed out"


async def test_an_end_of_file_without_notice_ends_the_connection(authority):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    shaking = loop.run_in_executor(None, silent_server, authority, far)
    _, protocol = await loop.create_connection(
        Recorder, sock=near, ssl=client_context(authority), server_hostname=NAME
    )
    with await shaking as secure:
        secure.sendall(b"half a mess")
        await until(lambda: protocol.received == b"half a mess")
        secure.shutdown(socket.SHUT_RDWR)
        assert await protocol.lost is None
    assert protocol.calls[-2:] == ["eof_received", "connection_lost"]


async def test_a_reset_is_told_to_the_protocol(authority):
    async with secured(authority) as (transport, protocol, peer):
        transport.write(b"hello")
        await until(lambda: peer.received)
        # An abort with something unread is a reset.
        sock = peer.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.transport.abort()
        lost = await protocol.lost
    assert isinstance(lost, ConnectionResetError)
    assert lost.errno == errno.ECONNRESET


async def test_bytes_that_are_no_records_break_the_connection(authority):
    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    shaking = loop.run_in_executor(None, silent_server, authority, far)
    _, protocol = await loop.create_connection(
        Recorder, sock=near, ssl=client_context(authority), server_hostname=NAME
    )
    raw = socket.socket(fileno=(await shaking).detach())
    with raw:
        raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        lost = await protocol.lost
    assert isinstance(lost, ssl.SSLError)
    # OpenSSL's word for it differs from version to version.
    assert lost.reason in {"DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "RECORD_LAYER_FAILURE"}


@pytest.mark.parametrize("method", ["data_received", "eof_received"])
async def test_what_a_protocol_raises_ends_its_connection(authority, method, reports):
    error = LookupError("no such thing")

    class Fails(Recorder):
        pass

    def fail(self, *args):
        raise error

    setattr(Fails, method, fail)
    async with secured(authority, Fails) as (_, protocol, peer):
        if method == "data_received":
            peer.transport.write(b"hello")
        else:
            peer.transport.close()
        assert await protocol.lost is error
        await peer.lost
    message = {
        "data_received": "Fatal error on SSL protocol",
        "eof_received": "Error calling eof_received()",
    }[method]
    assert [report["message"] for report in reports] == [message]
    frames = traceback.extract_tb(reports[0]["exception"].__traceback__)
    assert frames[-1].name == "fail"


async def test_what_connection_made_raises_is_reported(authority, reports):
    class Fails(Recorder):
        def connection_made(self, transport):
            raise LookupError("not made")

    async with serving(Fails, ssl=server_context(authority)) as (_, address):
        transport, protocol = await connect(address, client_context(authority))
        await until(lambda: reports)
        transport.abort()
        await protocol.lost
    assert isinstance(reports[0]["exception"], LookupError)


async def test_no_certificate_from_a_client_that_must_show_one(authority):
    server = server_context(authority)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    refused, failed = await asyncio.gather(
        loop.connect_accepted_socket(Recorder, near, ssl=server),
        loop.create_connection(
            Recorder, sock=far, ssl=client_context(authority), server_hostname=NAME
        ),
        return_exceptions=True,
    )
    assert refused.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    # Its alert comes through, or the end of the connection overtakes it.
    assert isinstance(failed, (ssl.SSLError, ConnectionResetError))
