"""The end of a datagram transport."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

from .connections import turns, until
from .datagrams import Listener, endpoint, on_loopback, until_received


@pytest.mark.parametrize("method", ["close", "abort"])
async def test_the_protocol_hears_of_the_end_once_and_later(method):
    async with on_loopback() as (transport, protocol, _):
        assert not transport.is_closing()
        for _ in range(2):
            getattr(transport, method)()
            assert transport.is_closing()
            assert not transport.is_reading()
        assert protocol.calls == ["connection_made"]
        assert await protocol.lost is None
        getattr(transport, method)()
        await turns(3)
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_closing_is_the_last_thing_in_its_turn():
    events = []

    class Protocol(Listener):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            events.append("lost")

    async with on_loopback(Protocol) as (transport, protocol, _):
        loop = asyncio.get_running_loop()
        loop.call_soon(events.append, "before")
        transport.close()
        loop.call_soon(events.append, "after")
        await protocol.lost
    assert events == ["before", "lost", "after"]


@pytest.mark.parametrize("method", ["close", "abort"])
async def test_a_protocol_may_close_while_it_is_told_of_the_transport(method):
    class Protocol(Listener):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.sendto(b"x", transport.get_extra_info("sockname"))
            getattr(transport, method)()

    async with on_loopback(Protocol) as (transport, protocol, _):
        assert transport.is_closing()
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_a_closing_transport_ignores_reading():
    async with on_loopback() as (transport, protocol, address):
        transport.close()
        transport.pause_reading()
        transport.resume_reading()
        assert not transport.is_reading()
        transport.sendto(b"x", address)
        await protocol.lost
        assert protocol.received == []


async def test_the_socket_is_closed_after_the_protocol_heard():
    class Protocol(Listener):
        def connection_lost(self, exc):
            self.calls.append(self.transport.get_extra_info("socket").fileno() >= 0)
            super().connection_lost(exc)

    async with on_loopback(Protocol) as (transport, protocol, _):
        transport.close()
        await protocol.lost
        assert protocol.calls == ["connection_made", True, "connection_lost"]
        assert transport.get_extra_info("socket").fileno() == -1


@pytest.mark.parametrize("method", ["connection_made", "connection_lost"])
async def test_what_is_raised_at_either_end_is_reported(method, reports):
    class Protocol(Listener):
        pass

    original = getattr(Listener, method)

    def complain(self, argument):
        original(self, argument)
        raise ZeroDivisionError(method)

    setattr(Protocol, method, complain)
    async with on_loopback(Protocol) as (transport, protocol, address):
        transport.sendto(b"x", address)
        await until_received(protocol, 1)
        transport.close()
        await protocol.lost
        await turns(1)
        assert transport.get_extra_info("socket").fileno() == -1
    [report] = reports
    assert report["message"].startswith("Exception in callback ")
    assert (type(report["exception"]), str(report["exception"])) == (ZeroDivisionError, method)


async def test_an_address_can_be_bound_again_at_once():
    for _ in range(3):
        async with on_loopback() as (_, _, address):
            pass
        async with on_loopback(local_addr=address):
            pass


def test_closing_needs_an_open_loop(new_loop):
    loop = new_loop()
    create = loop.create_datagram_endpoint(Listener, local_addr=("127.0.0.1", 0))
    transport, protocol = loop.run_until_complete(create)
    sock = transport.get_extra_info("socket")
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        transport.close()
    assert transport.is_closing()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del transport, protocol
        gc.collect()
    assert sock.fileno() == -1


def test_a_transport_that_nobody_closes_warns(new_loop):
    loop = new_loop()
    create = loop.create_datagram_endpoint(Listener, local_addr=("127.0.0.1", 0))
    transport, protocol = loop.run_until_complete(create)
    descriptor = transport.get_extra_info("socket").fileno()
    loop.close()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del transport, protocol
        gc.collect()
    told = [warning for warning in caught if "unclosed transport" in str(warning.message)]
    assert [warning.category for warning in told] == [ResourceWarning]
    assert f"fd={descriptor}" in str(told[0].message)


async def test_a_socket_that_is_closed_behind_a_transport_costs_that_transport_only():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    async with endpoint(sock=sock) as (transport, protocol):
        await turns(2)
        sock.close()
        transport.close()
        assert await protocol.lost is None
    async with on_loopback() as (transport, protocol, address):
        transport.sendto(b"x", address)
        await until(lambda: protocol.received)
