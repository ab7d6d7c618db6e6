"""A datagram transport as an object: its class, its methods, and what it says of itself."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import weakref

import pytest

from .connections import turns
from .datagrams import Listener, endpoint, on_loopback, udp_socket, until_received


@pytest.mark.asyncio_since(3, 12)
async def test_it_is_a_datagram_transport():
    async with on_loopback() as (transport, _, _):
        assert isinstance(transport, asyncio.DatagramTransport)
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport, asyncio.BaseTransport)
        assert not isinstance(transport, asyncio.SubprocessTransport)


async def test_it_has_the_methods_of_asyncios():
    names = {name for name in dir(asyncio.DatagramTransport) if not name.startswith("_")}
    more = {
        "is_reading",
        "pause_reading",
        "resume_reading",
        "get_write_buffer_size",
        "get_write_buffer_limits",
        "set_write_buffer_limits",
    }
    async with on_loopback() as (transport, _, _):
        assert names | more <= set(dir(transport))


async def test_it_tells_of_its_socket():
    with udp_socket() as peer:
        async with endpoint(remote_addr=peer.getsockname()) as (transport, _):
            sock = transport.get_extra_info("socket")
            assert type(sock).__name__ == "TransportSocket"
            assert transport.get_extra_info("sockname") == sock.getsockname()
            assert transport.get_extra_info("peername") == peer.getsockname()
            assert transport.get_extra_info("cipher") is None
            assert transport.get_extra_info("cipher", 42) == 42


async def test_what_is_known_is_none_whatever_the_default():
    async with on_loopback() as (transport, _, _):
        assert transport.get_extra_info("peername", 42) is None
        with pytest.raises(TypeError):
            transport.get_extra_info([])


async def test_its_socket_can_be_asked_after_it_is_closed():
    async with on_loopback() as (transport, protocol, address):
        transport.close()
        await protocol.lost
        await turns(1)
        assert transport.get_extra_info("sockname") == address
        assert transport.get_extra_info("socket").fileno() == -1


async def test_the_protocol_can_be_exchanged():
    async with on_loopback() as (transport, first, address):
        second = Listener()
        assert transport.get_protocol() is first
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        transport.sendto(b"x", address)
        await until_received(second, 1)
        transport.close()
        await second.lost
        assert first.calls == ["connection_made"]
        assert second.calls == ["datagram_received", "connection_lost"]
        await turns(1)
        assert transport.get_protocol() is None


@pytest.mark.groundup_only
async def test_repr_tells_what_it_waits_for():
    async with on_loopback() as (transport, protocol, _):
        name = f"DatagramTransport fd={transport.get_extra_info('socket').fileno()}"
        assert repr(transport) == f"<{name} read=polling write=<idle, bufsize=0>>"
        transport.pause_reading()
        assert repr(transport) == f"<{name} read=idle write=<idle, bufsize=0>>"
        transport.close()
        closing = name.replace(" fd", " closing fd")
        assert repr(transport) == f"<{closing} read=idle write=<idle, bufsize=0>>"
        await protocol.lost
        await turns(1)
        assert repr(transport) == f"<{name.replace(' fd', ' closed fd')}>"


async def test_it_can_be_referred_to_weakly_and_hashed():
    async with on_loopback() as (transport, _, _):
        assert weakref.ref(transport)() is transport
        assert {transport: 1}[transport] == 1


async def test_debug_mode_tells_of_it(caplog):
    caplog.set_level(logging.DEBUG, "asyncio")
    asyncio.get_running_loop().set_debug(True)
    local = ("127.0.0.1", 0)
    with udp_socket() as peer:
        remote = peer.getsockname()
        for options in [{"local_addr": local}, {"remote_addr": remote}, {"sock": udp_socket()}]:
            async with endpoint(**options) as (transport, _):
                transport.pause_reading()
                transport.resume_reading()
    texts = [
        f"{record.levelname}: {re.sub('<.*?>+', '<…>', record.getMessage())}"
        for record in caplog.records
        if not record.getMessage().startswith("Using selector")
    ]
    paused = ["DEBUG: <…> pauses reading", "DEBUG: <…> resumes reading"]
    assert texts == [
        f"INFO: Datagram endpoint local_addr={local} remote_addr=None created: (<…>, <…>)",
        *paused,
        f"DEBUG: Datagram endpoint remote_addr={remote} created: (<…>, <…>)",
        *paused,
        "DEBUG: Datagram endpoint remote_addr=None created: (<…>, <…>)",
        *paused,
    ]


@pytest.mark.groundup_only
async def test_debug_mode_tells_of_slow_protocols(caplog):
    class Slow(Listener):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    async with on_loopback(Slow) as (transport, protocol, address):
        loop.slow_callback_duration = 0
        transport.sendto(b"x", address)
        await until_received(protocol, 1)
        loop.slow_callback_duration = 10
    told = [text for text in caplog.messages if "datagram_received() of <Datagram" in text]
    assert len(told) == 1
    assert re.match(r"Executing .* took \d\.\d{3} seconds$", told[0])


def test_its_class_says_where_it_is_from():
    groundup = sys.modules["groundup"]
    assert groundup._groundup.DatagramTransport.__module__ == "groundup._groundup"
    with pytest.raises(TypeError):
        groundup._groundup.DatagramTransport()
