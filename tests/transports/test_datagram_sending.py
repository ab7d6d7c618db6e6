"""sendto: what it takes, what it refuses, and where errors go."""

from __future__ import annotations

import array
import errno
import socket
import sys

import pytest

from .connections import turns, until
from .datagrams import Listener, endpoint, on_loopback, udp_socket, until_received

SENDS_EMPTY = sys.version_info >= (3, 13)


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(array.array("i", [1, 2, 3])),
        type("Bytes", (bytes,), {})(b"subclass"),
    ],
    ids=["bytes", "bytearray", "memoryview", "view of ints", "subclass of bytes"],
)
async def test_bytes_like_objects_are_sent(data):
    async with on_loopback() as (transport, protocol, address):
        transport.sendto(data, address)
        await until_received(protocol, 1)
        assert protocol.data == [bytes(data)]


@pytest.mark.groundup_only
async def test_a_view_in_steps_is_sent():
    async with on_loopback() as (transport, protocol, address):
        transport.sendto(memoryview(b"a.b.c.")[::2], address)
        await until_received(protocol, 1)
        assert protocol.data == [b"abc"]


@pytest.mark.parametrize("data", ["text", 1, None, [b"x"], array.array("i", [1])])
async def test_other_objects_are_refused(data):
    async with on_loopback() as (transport, protocol, address):
        with pytest.raises(TypeError) as caught:
            transport.sendto(data, address)
        kind = type(data).__name__
        message = f"data argument must be a bytes-like object, not '{kind}'"
        assert str(caught.value) == message
        transport.sendto(b"x", address)
        await until_received(protocol, 1)


async def test_empty_datagrams_are_sent_since_python_3_13():
    async with on_loopback() as (transport, protocol, address):
        for data in (b"", bytearray(), memoryview(b""), b"end"):
            transport.sendto(data, address)
        await until(lambda: b"end" in protocol.data)
        assert protocol.data == ([b""] * 3 if SENDS_EMPTY else []) + [b"end"]


async def test_data_may_be_changed_after_it_was_sent():
    async with on_loopback() as (transport, protocol, address):
        data = bytearray(b"before")
        transport.sendto(data, address)
        data[:] = b"after!"
        await until_received(protocol, 1)
        assert protocol.data == [b"before"]


async def test_a_datagram_is_sent_at_once():
    async with on_loopback() as (transport, _, _):
        with udp_socket() as sock:
            transport.sendto(b"now", sock.getsockname())
            assert sock.recv(100) == b"now"
            assert transport.get_write_buffer_size() == 0


async def test_a_datagram_that_is_too_large_is_an_error_of_the_network():
    async with on_loopback() as (transport, protocol, address):
        transport.sendto(bytes(65_508), address)
        assert [error.errno for error in protocol.errors] == [errno.EMSGSIZE]
        transport.sendto(b"x", address)
        await until_received(protocol, 1)


async def test_what_error_received_raises_is_raised_by_sendto(reports):
    class Protocol(Listener):
        def error_received(self, exc):
            super().error_received(exc)
            raise ZeroDivisionError from exc

    async with on_loopback(Protocol) as (transport, _, address):
        with pytest.raises(ZeroDivisionError):
            transport.sendto(bytes(70_000), address)
        assert not transport.is_closing()
    assert reports == []


@pytest.mark.parametrize("host", ["localhost", b"127.0.0.1", "", "127.1"])
async def test_any_host_that_python_knows_can_be_sent_to(host):
    async with on_loopback() as (transport, protocol, address):
        transport.sendto(b"x", (host, address[1]))
        await until_received(protocol, 1)


async def test_ipv6_addresses_are_pairs_or_have_four_parts():
    async with endpoint(local_addr=("::1", 0)) as (transport, protocol):
        host, port, *rest = transport.get_extra_info("sockname")
        for address in [(host, port), (host, port, 0), (host, port, *rest)]:
            transport.sendto(b"x", address)
        await until_received(protocol, 3)
        assert protocol.received == [(b"x", (host, port, 0, 0))] * 3


@pytest.mark.parametrize(
    "rest", [(0, 999_999), (0, 1), (0x100000, 0), (-1, 0), (0, 0, 0)], ids=repr
)
async def test_flows_and_scopes_lead_to_the_errors_of_a_socket(rest, reports):
    address = ("fe80::1", 9, *rest)
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with sock, pytest.raises(Exception) as expected:
        sock.sendto(b"x", address)
    async with endpoint(local_addr=("::1", 0)) as (transport, protocol):
        transport.sendto(b"x", address)
        [found] = protocol.errors or [report["exception"] for report in reports]
        assert (type(found), str(found)) == (expected.type, str(expected.value))


async def test_an_ipv4_peer_can_be_heard_over_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock, udp_socket() as peer:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", 0))
        async with endpoint(sock=sock) as (transport, protocol):
            peer.sendto(b"x", ("127.0.0.1", sock.getsockname()[1]))
            await until_received(protocol, 1)
            [(_, sender)] = protocol.received
            assert sender == (f"::ffff:{peer.getsockname()[0]}", peer.getsockname()[1], 0, 0)
            transport.sendto(b"answer", sender)
            assert peer.recv(100) == b"answer"


async def test_a_host_that_cannot_be_looked_up_is_an_error_of_the_network():
    async with endpoint(local_addr=("::1", 0)) as (transport, protocol):
        transport.sendto(b"x", ("127.0.0.1", 9))
        assert [type(error) for error in protocol.errors] == [socket.gaierror]
        assert not transport.is_closing()


@pytest.mark.parametrize(
    "address",
    [
        None,
        "127.0.0.1",
        ("127.0.0.1",),
        ["127.0.0.1", 9],
        ("127.0.0.1", "9"),
        ("127.0.0.1", 65_536),
        ("127.0.0.1", -1),
        ("127.0.0.1", 9, 0, 0),
        (127, 9),
    ],
    ids=repr,
)
async def test_an_address_that_is_none_ends_the_transport(address, reports):
    async with on_loopback() as (transport, protocol, _):
        with udp_socket() as sock, pytest.raises((TypeError, OverflowError)) as expected:
            sock.sendto(b"x", address)
        transport.sendto(b"x", address)
        assert transport.is_closing()
        reason = await protocol.lost
        [report] = reports
        assert report["message"] == "Fatal write error on datagram transport"
        assert report["exception"] is reason
        assert (report["transport"], report["protocol"]) == (transport, protocol)
        assert (type(reason), str(reason)) == (expected.type, str(expected.value))


async def test_a_connected_endpoint_sends_to_its_peer_only():
    with udp_socket() as peer:
        address = peer.getsockname()
        async with endpoint(remote_addr=address) as (transport, protocol):
            transport.sendto(b"one")
            transport.sendto(b"two", tuple(address))
            for wrong in [("127.0.0.1", 9), "x", list(address), ()]:
                with pytest.raises(ValueError) as caught:
                    transport.sendto(b"x", wrong)
                assert str(caught.value) == f"Invalid address: must be None or {address}"
            assert [peer.recv(100), peer.recv(100)] == [b"one", b"two"]
        assert protocol.errors == []


async def test_a_connected_socket_sends_to_its_peer_whatever_it_is_told():
    with udp_socket() as peer, udp_socket() as other:
        async with endpoint(sock=udp_socket(connected_to=peer.getsockname())) as (transport, _):
            transport.sendto(b"one")
            transport.sendto(b"two", other.getsockname())
            transport.sendto(b"three", "nonsense")
            assert [peer.recv(100) for _ in range(3)] == [b"one", b"two", b"three"]


async def test_sending_to_a_closed_connected_endpoint_is_warned_of(caplog):
    with udp_socket() as peer:
        peer.setblocking(False)
        async with endpoint(remote_addr=peer.getsockname()) as (transport, protocol):
            transport.close()
            with pytest.raises(ValueError):
                transport.sendto(b"x", ("127.0.0.1", 9))
            for _ in range(4):
                transport.sendto(b"x")
            assert caplog.messages == []
            await protocol.lost
            for _ in range(3):
                transport.sendto(b"x")
            assert caplog.messages == ["socket.send() raised exception."] * 3
        with pytest.raises(BlockingIOError):
            peer.recv(100)
        assert protocol.errors == []


async def test_an_unconnected_endpoint_sends_until_its_socket_is_closed():
    with udp_socket() as peer:
        address = peer.getsockname()

        class Protocol(Listener):
            def connection_lost(self, exc):
                self.transport.sendto(b"last", address)
                super().connection_lost(exc)

        async with on_loopback(Protocol) as (transport, protocol, _):
            transport.close()
            transport.sendto(b"late", address)
            await protocol.lost
        assert [peer.recv(100), peer.recv(100)] == [b"late", b"last"]


@pytest.mark.groundup_only
async def test_sending_to_a_closed_endpoint_does_nothing(caplog):
    """asyncio stumbles over the socket that is not there any more."""
    with udp_socket() as peer:
        async with on_loopback() as (transport, protocol, _):
            transport.abort()
            await protocol.lost
            await turns(1)
            for _ in range(7):
                transport.sendto(b"x", peer.getsockname())
        assert caplog.messages == ["socket.send() raised exception."] * 3
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(100)
