"""When a datagram protocol is asked to pause and to resume, and that nothing is lost if it does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys

import pytest

from .connections import turns, until
from .datagrams import (
    Listener,
    endpoint,
    full_receiver,
    on_loopback,
    receive,
    until_received,
)

# What a datagram counts beside its data. Early releases of 3.13 add it and do not subtract it.
HEADER = 8 if sys.version_info >= (3, 13) else 0
SUBTRACTS_HEADER = sys.version_info < (3, 13) or sys.version_info >= (3, 14)


@pytest.mark.asyncio_since(3, 14)
async def test_a_protocol_pauses_and_resumes(tmp_path):
    async with full_receiver(tmp_path) as (transport, protocol, receiver, _, _):
        transport.set_write_buffer_limits(high=1000, low=300)
        while "pause_writing" not in protocol.calls:
            transport.sendto(bytes(100))
        count = -(-1001 // (100 + HEADER))
        assert transport.get_write_buffer_size() == count * (100 + HEADER)
        transport.sendto(bytes(100))
        assert protocol.calls == ["connection_made", "pause_writing"]
        received = 0
        while "resume_writing" not in protocol.calls:
            assert transport.get_write_buffer_size() > 300
            with contextlib.suppress(BlockingIOError):
                received += receiver.recv(1000) != b"before"
            await turns(3)
        assert transport.get_write_buffer_size() <= 300
        assert len(await receive(receiver, count + 1 - received)) == count + 1 - received
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]


async def test_limits_are_64_and_16_kib_at_first_and_can_be_set():
    async with on_loopback() as (transport, _, _):
        assert transport.get_write_buffer_limits() == (16 << 10, 64 << 10)
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits() == (250, 1000)
        transport.set_write_buffer_limits(low=1000)
        assert transport.get_write_buffer_limits() == (1000, 4000)
        transport.set_write_buffer_limits()
        assert transport.get_write_buffer_limits() == (16 << 10, 64 << 10)
        with pytest.raises(ValueError) as caught:
            transport.set_write_buffer_limits(high=-1)
        assert str(caught.value) == "high (-1) must be >= low (-1) must be >= 0"
        assert transport.get_write_buffer_limits() == (16 << 10, 64 << 10)


async def test_a_lower_limit_pauses_at_once(tmp_path):
    async with full_receiver(tmp_path) as (transport, protocol, _, _, _):
        transport.sendto(bytes(100))
        assert protocol.calls == ["connection_made"]
        transport.set_write_buffer_limits(high=10)
        assert protocol.calls == ["connection_made", "pause_writing"]


@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
async def test_what_flow_control_raises_is_reported(method, tmp_path, reports):
    class Protocol(Listener):
        def complain(self):
            self.calls.append(method)
            raise ZeroDivisionError

    setattr(Protocol, method, Protocol.complain)
    async with full_receiver(tmp_path, Protocol) as (transport, protocol, receiver, _, _):
        transport.set_write_buffer_limits(high=50, low=50)
        transport.sendto(bytes(100))
        await receive(receiver, 1)
        if SUBTRACTS_HEADER or method == "pause_writing":
            await until(lambda: reports)
        [report] = reports
        assert report["message"] == f"protocol.{method}() failed"
        assert isinstance(report["exception"], ZeroDivisionError)
        assert (report["transport"], report["protocol"]) == (transport, protocol)
        assert not transport.is_closing()


@pytest.mark.groundup_only
async def test_a_paused_protocol_may_send_from_resume_writing(tmp_path):
    class Protocol(Listener):
        def resume_writing(self):
            super().resume_writing()
            if not self.transport.is_closing():
                self.transport.sendto(b"more")
                self.transport.close()

    async with full_receiver(tmp_path, Protocol) as (transport, protocol, receiver, _, count):
        transport.set_write_buffer_limits(high=10, low=0)
        for _ in range(count):
            transport.sendto(b"0123456789")
        assert await receive(receiver, count + 1) == [b"0123456789"] * count + [b"more"]
        assert await protocol.lost is None
        assert protocol.calls[:3] == ["connection_made", "pause_writing", "resume_writing"]
        assert protocol.calls.count("connection_lost") == 1


@pytest.mark.asyncio_since(3, 14)
async def test_thousands_are_received_if_their_sender_heeds_flow_control(tmp_path):
    class Sender(Listener):
        def connection_made(self, transport):
            super().connection_made(transport)
            self.may_write = asyncio.Event()
            self.may_write.set()

        def pause_writing(self):
            self.may_write.clear()

        def resume_writing(self):
            self.may_write.set()

    path, sent = str(tmp_path / "receiver"), 20_000
    async with (
        endpoint(local_addr=path, family=socket.AF_UNIX) as (_, receiver),
        endpoint(Sender, remote_addr=path, family=socket.AF_UNIX) as (transport, sender),
    ):
        transport.set_write_buffer_limits(high=10_000)
        for number in range(sent):
            await sender.may_write.wait()
            assert transport.get_write_buffer_size() <= 10_000
            transport.sendto(b"%d" % number)
        await until_received(receiver, sent)
        assert receiver.data == [b"%d" % number for number in range(sent)]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_thousands_of_questions_are_answered(host):
    """Over UDP nothing is lost as long as no more is on its way than a socket has room for."""

    class Echo(Listener):
        def datagram_received(self, data, addr):
            self.transport.sendto(data, addr)

    class Asker(Listener):
        numbers = itertools.count()

        def ask(self):
            self.transport.sendto(b"%d" % next(self.numbers) + bytes(100))

        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            self.ask()

    local = {"local_addr": (host, 0)}
    async with on_loopback(Echo, **local) as (_, _, address):
        async with endpoint(Asker, remote_addr=address[:2]) as (_, asker):
            for _ in range(50):
                asker.ask()
            await until_received(asker, 5000)
        assert asker.data[:5000] == [b"%d" % number + bytes(100) for number in range(5000)]
