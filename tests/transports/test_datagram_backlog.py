"""What becomes of datagrams that cannot be sent at once: they wait, and are sent in order."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from .connections import turns
from .datagrams import Listener, full_receiver, receive, receive_all

# What a datagram counts beside its data. Early releases of 3.13 add it and do not subtract it.
HEADER = 8 if sys.version_info >= (3, 13) else 0
SUBTRACTS_HEADER = sys.version_info < (3, 13) or sys.version_info >= (3, 14)

CONNECTED = [pytest.param(True, id="connected"), pytest.param(False, id="unconnected")]


@pytest.mark.parametrize("is_connected", CONNECTED)
async def test_what_has_no_room_waits_and_is_sent_in_order(is_connected, tmp_path):
    receiver = full_receiver(tmp_path, is_connected=is_connected)
    async with receiver as (transport, protocol, receiver, path, _):
        sent = [b"%d" % number for number in range(100)]
        for data in sent:
            transport.sendto(data, path)
        await turns(5)
        size = sum(map(len, sent)) + HEADER * len(sent)
        assert transport.get_write_buffer_size() == size
        assert await receive(receiver, 100) == sent
        if SUBTRACTS_HEADER:
            assert transport.get_write_buffer_size() == 0
        assert protocol.calls == ["connection_made"]


async def test_what_waits_may_be_changed_by_its_owner(tmp_path):
    async with full_receiver(tmp_path) as (transport, _, receiver, _, _):
        data = bytearray(b"before it waits")
        transport.sendto(data)
        data[:] = b"after it waited"
        assert await receive(receiver, 1) == [b"before it waits"]


@pytest.mark.parametrize("is_connected", CONNECTED)
async def test_close_sends_what_waits_first(is_connected, tmp_path):
    receiver = full_receiver(tmp_path, is_connected=is_connected)
    async with receiver as (transport, protocol, receiver, path, _):
        sent = [b"%d" % number for number in range(50)]
        for data in sent[:-1]:
            transport.sendto(data, path)
        transport.close()
        transport.close()
        assert transport.is_closing()
        transport.sendto(sent[-1], path)
        await turns(5)
        assert protocol.calls == ["connection_made"]
        assert await receive(receiver, 50) == sent
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_abort_drops_what_waits(tmp_path):
    async with full_receiver(tmp_path) as (transport, protocol, receiver, _, _):
        transport.sendto(b"dropped")
        transport.close()
        transport.abort()
        transport.abort()
        assert await protocol.lost is None
        await turns(3)
        assert protocol.calls == ["connection_made", "connection_lost"]
        assert receive_all(receiver) == []


async def test_an_error_costs_one_datagram_and_no_other(tmp_path):
    receiver = full_receiver(tmp_path, is_connected=False)
    async with receiver as (transport, protocol, receiver, path, _):
        for data in (b"one", bytes(1 << 22), b"two"):
            transport.sendto(data, path)
        transport.sendto(b"x", str(tmp_path / "nobody"))
        transport.sendto(b"three", path)
        assert protocol.errors == []
        assert await receive(receiver, 3) == [b"one", b"two", b"three"]
        kinds = [type(error) for error in protocol.errors]
        assert kinds == [OSError, FileNotFoundError]
        transport.close()
        await protocol.lost


async def test_a_receiver_that_goes_away_refuses_what_waits(tmp_path):
    receiver = full_receiver(tmp_path, is_connected=False)
    async with receiver as (transport, protocol, receiver, path, _):
        for _ in range(3):
            transport.sendto(b"x", path)
        transport.close()
        receiver.close()
        assert await protocol.lost is None
        assert [type(error) for error in protocol.errors] == [ConnectionRefusedError] * 3


async def test_what_error_received_raises_for_what_waited_is_reported(tmp_path, reports):
    class Protocol(Listener):
        def error_received(self, exc):
            super().error_received(exc)
            raise ZeroDivisionError

    receiver = full_receiver(tmp_path, Protocol, is_connected=False)
    async with receiver as (transport, protocol, receiver, path, _):
        transport.sendto(b"one", path)
        transport.sendto(b"two", path)
        transport.close()
        receiver.close()
        await protocol.lost
        kinds = [type(report["exception"]) for report in reports]
        assert kinds == [ZeroDivisionError] * 2


async def test_an_address_that_is_none_ends_the_transport_when_its_turn_comes(tmp_path, reports):
    receiver = full_receiver(tmp_path, is_connected=False)
    async with receiver as (transport, protocol, receiver, path, _):
        transport.sendto(b"one", path)
        transport.sendto(b"x", 42)
        transport.sendto(b"dropped", path)
        await turns(3)
        assert not transport.is_closing()
        assert await receive(receiver, 1) == [b"one"]
        assert isinstance(await protocol.lost, TypeError)
        assert [report["message"] for report in reports] == [
            "Fatal write error on datagram transport"
        ]
        assert receive_all(receiver) == []


@pytest.mark.parametrize("is_connected", CONNECTED)
@pytest.mark.groundup_only
async def test_waiting_for_a_receiver_costs_no_time(is_connected, tmp_path):
    """asyncio spins while the receiver of an unconnected sender has no room."""
    receiver = full_receiver(tmp_path, is_connected=is_connected)
    async with receiver as (transport, _, receiver, path, _):
        for _ in range(10):
            transport.sendto(b"x", path)
        before = time.process_time()
        await asyncio.sleep(0.5)
        assert time.process_time() - before < 0.1
        assert await receive(receiver, 10) == [b"x"] * 10
