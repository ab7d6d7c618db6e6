"""What a datagram protocol hears, and in what order."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from .connections import turns, until
from .datagrams import (
    KINDS,
    Listener,
    endpoint,
    on_loopback,
    options_for,
    udp_socket,
    until_received,
)


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 65_507])
async def test_datagrams_arrive_whole(size):
    data = os.urandom(size)
    async with on_loopback() as (_, protocol, address):
        with udp_socket() as sock:
            sock.sendto(data, address)
            await until_received(protocol, 1)
            assert protocol.received == [(data, sock.getsockname())]
            assert type(protocol.received[0][0]) is bytes


@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_large_unix_datagrams_arrive_whole(kind, tmp_path):
    data = os.urandom(150_000)
    async with endpoint(**options_for(kind, tmp_path)) as (transport, protocol):
        transport.sendto(data, transport.get_extra_info("sockname"))
        await until_received(protocol, 1)
        assert protocol.data == [data]


@pytest.mark.parametrize("kind", KINDS)
async def test_bounds_and_order_are_kept(kind, tmp_path):
    sent = [bytes([number]) * number for number in range(1, 101)]
    async with endpoint(**options_for(kind, tmp_path)) as (transport, protocol):
        for data in sent:
            transport.sendto(data, transport.get_extra_info("sockname"))
        await until_received(protocol, 100)
        assert protocol.data == sent


async def test_senders_are_told_apart():
    async with on_loopback() as (_, protocol, address):
        with udp_socket() as one, udp_socket() as other:
            for sock in (one, other, one, one, other):
                sock.sendto(b"x", address)
            await until_received(protocol, 5)
            names = [one.getsockname(), other.getsockname()]
            senders = [sender for _, sender in protocol.received]
            assert senders == [names[index] for index in (0, 1, 0, 0, 1)]


async def test_nothing_is_received_while_reading_is_paused():
    async with on_loopback() as (transport, protocol, address):
        assert transport.is_reading()
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        transport.sendto(b"one", address)
        transport.sendto(b"two", address)
        await turns(5)
        assert protocol.received == []
        transport.resume_reading()
        transport.resume_reading()
        assert transport.is_reading()
        await until_received(protocol, 2)
        assert protocol.data == [b"one", b"two"]


@pytest.mark.parametrize("method", ["pause_reading", "close", "abort"])
async def test_a_protocol_may_stop_receiving_at_any_datagram(method):
    class Protocol(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            getattr(self.transport, method)()

    async with on_loopback(Protocol) as (transport, protocol, address):
        with udp_socket() as sock:
            for _ in range(10):
                sock.sendto(b"x", address)
        await turns(10)
        assert len(protocol.received) == 1
        assert transport.is_closing() == (method != "pause_reading")


async def test_reading_may_be_paused_before_it_begins():
    class Protocol(Listener):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()
            transport.sendto(b"x", transport.get_extra_info("sockname"))

    async with on_loopback(Protocol) as (transport, protocol, _):
        await turns(5)
        assert protocol.received == []
        transport.resume_reading()
        await until_received(protocol, 1)


async def test_a_refusal_is_heard_and_ends_nothing():
    with udp_socket() as sock:
        address = sock.getsockname()
    async with endpoint(remote_addr=address) as (transport, protocol):
        transport.sendto(b"anybody?")
        await until(lambda: protocol.errors)
        assert [type(error) for error in protocol.errors] == [ConnectionRefusedError]
        assert protocol.errors[0].errno is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(address)
            late.settimeout(10)
            transport.sendto(b"hello")
            late.sendto(b"answer", late.recvfrom(100)[1])
            await until_received(protocol, 1)
        assert protocol.received == [(b"answer", address)]


@pytest.mark.parametrize("method", ["datagram_received", "error_received"])
async def test_what_a_protocol_raises_is_reported_and_ends_nothing(method, reports):
    class Protocol(Listener):
        def complain(self, *args):
            self.calls.append(method)
            raise ZeroDivisionError(method)

    setattr(Protocol, method, Protocol.complain)
    peer = udp_socket()
    async with endpoint(Protocol, remote_addr=peer.getsockname()) as (transport, protocol):
        if method == "datagram_received":
            peer.sendto(b"x", transport.get_extra_info("sockname"))
        else:
            peer.close()
            transport.sendto(b"x")
        await until(lambda: reports)
        [report] = reports
        assert isinstance(report["exception"], ZeroDivisionError)
        assert report["message"].startswith("Exception in callback ")
        assert not transport.is_closing()
        assert protocol.calls == ["connection_made", method]
    peer.close()


async def test_addresses_of_other_families_are_the_sockets_own():
    """Netlink's, for one: the kernel acknowledges a message that says nothing."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM) as sock:
        sock.bind((0, 0))
        process, nothing, please_acknowledge, number = sock.getsockname()[0], 1, 5, 7
        message = struct.pack("=IHHII", 16, nothing, please_acknowledge, number, process)
        async with endpoint(sock=sock) as (transport, protocol):
            assert transport.get_extra_info("sockname") == (process, 0)
            transport.sendto(message, (0, 0))
            await until_received(protocol, 1)
            [(answer, sender)] = protocol.received
            assert sender == (0, 0)
            assert struct.unpack_from("=IHHII", answer)[3] == number
