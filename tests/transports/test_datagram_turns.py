"""The turns that datagrams have among everything else that runs on the loop."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from .connections import turns, until
from .datagrams import Listener, on_loopback, udp_socket, until_received


async def test_what_a_datagram_leads_to_runs_before_the_next():
    """Whatever a call of the protocol makes ready has its turn before the protocol's next call."""
    events = []

    class Protocol(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            events.append(f"received {data.decode()}")
            asyncio.get_running_loop().call_soon(events.append, f"called {data.decode()}")

    async with on_loopback(Protocol) as (transport, protocol, address):
        for number in range(3):
            transport.sendto(b"%d" % number, address)
        await until_received(protocol, 3)
        await turns(1)
    assert events == [f"{what} {n}" for n in range(3) for what in ("received", "called")]


async def test_a_task_may_wait_for_one_datagram_after_the_other():
    class Protocol(Listener):
        waiter = None

        def datagram_received(self, data, addr):
            self.waiter.set_result(data)
            self.waiter = None

    async with on_loopback(Protocol) as (transport, protocol, address):
        for number in range(10):
            transport.sendto(b"%d" % number, address)
        for number in range(10):
            protocol.waiter = asyncio.get_running_loop().create_future()
            assert await protocol.waiter == b"%d" % number


def test_nothing_is_received_after_the_turn_that_stops_the_loop(new_loop):
    class Protocol(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            asyncio.get_running_loop().stop()

    loop = new_loop()
    create = loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
    transport, protocol = loop.run_until_complete(create)
    with udp_socket() as sock:
        for number in range(5):
            sock.sendto(b"%d" % number, transport.get_extra_info("sockname"))
    for count in range(1, 6):
        loop.run_forever()
        assert len(protocol.received) == count
    transport.close()
    loop.run_until_complete(protocol.lost)
    loop.close()


async def test_endpoints_have_turns():
    """One endpoint under load does not keep another from its turn."""
    order = []

    class Protocol(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            order.append(self)

    async with on_loopback(Protocol) as (one, _, _), on_loopback(Protocol) as (other, _, _):
        one.pause_reading()
        other.pause_reading()
        with udp_socket() as sock:
            for transport in [one] * 50 + [other]:
                sock.sendto(b"x", transport.get_extra_info("sockname"))
        one.resume_reading()
        other.resume_reading()
        await until(lambda: len(order) == 51)
        assert order.index(other.get_protocol()) <= 1


@pytest.mark.parametrize("exit_with", [SystemExit, KeyboardInterrupt])
def test_an_exit_ends_the_run(new_loop, exit_with):
    class Protocol(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            raise exit_with

    loop = new_loop()
    create = loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
    transport, protocol = loop.run_until_complete(create)
    transport.sendto(b"x", transport.get_extra_info("sockname"))
    with pytest.raises(exit_with):
        loop.run_forever()
    assert protocol.data == [b"x"]
    transport.close()
    loop.run_until_complete(protocol.lost)
    loop.close()


async def test_what_is_set_before_is_seen_in_each_call():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Protocol(Listener):
        def connection_made(self, transport):
            super().connection_made(transport)
            seen.append(variable.get())

        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            seen.append(variable.get())

        def connection_lost(self, exc):
            super().connection_lost(exc)
            seen.append(variable.get())

    variable.set("set")
    async with on_loopback(Protocol) as (transport, protocol, address):
        transport.sendto(b"x", address)
        await until_received(protocol, 1)
    assert seen == ["set"] * 3
