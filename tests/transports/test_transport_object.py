"""The transport as an object: its class, what it tells of itself, and how long it lives."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
import subprocess
import sys
import time
import warnings
import weakref

import pytest

from .connections import Recorder, connected, serving, tcp_pair, turns, unix_pair, until


async def test_it_is_an_asyncio_transport():
    async with connected() as (transport, _, _):
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport, asyncio.BaseTransport)
        assert not isinstance(transport, asyncio.DatagramTransport)


async def test_an_accepted_transport_is_an_asyncio_transport():
    async with serving() as (_, address):
        transport, _ = await asyncio.get_running_loop().create_connection(Recorder, *address)
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
async def test_it_knows_its_ends_and_its_socket(pair):
    async with connected(pair=pair) as (transport, _, far):
        assert transport.get_extra_info("sockname") == far.getpeername()
        assert transport.get_extra_info("peername") == far.getsockname()
        sock = transport.get_extra_info("socket")
        assert transport.get_extra_info("socket") is sock
        assert type(sock) is asyncio.trsock.TransportSocket
        assert (sock.family, sock.type) == (far.family, far.type)
        assert sock.getsockname() == far.getpeername()
        assert sock.gettimeout() == 0


async def test_ipv6_names_have_four_parts():
    async with connected(pair=lambda: tcp_pair("::1")) as (transport, _, far):
        assert transport.get_extra_info("peername") == far.getsockname()
        assert transport.get_extra_info("sockname") == far.getpeername()
        assert len(transport.get_extra_info("peername")) == 4


async def test_what_it_does_not_know_is_the_default():
    async with connected() as (transport, _, _):
        assert transport.get_extra_info("nonsense") is None
        assert transport.get_extra_info("nonsense", 5) == 5
        assert transport.get_extra_info("ssl_object", default=5) == 5
        assert transport.get_extra_info("sslcontext") is None
        assert transport.get_extra_info(7) is None


@pytest.mark.parametrize("asked_before", [True, False])
async def test_its_ends_are_known_when_it_is_closed(asked_before):
    async with connected() as (transport, protocol, _):
        near, peer = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if asked_before:
            transport.get_extra_info("socket")
        transport.close()
        await protocol.lost
        await turns(1)
        assert transport.get_extra_info("sockname") == near
        assert transport.get_extra_info("peername") == peer
        assert transport.get_extra_info("socket").fileno() == -1


async def test_the_socket_can_first_be_asked_for_when_an_accepted_connection_is_lost():
    protocols = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            protocols.append(self)

    async with serving(Protocol) as (_, address):
        socket.create_connection(address).close()
        await until(lambda: protocols)
        await protocols[0].lost
        await turns(1)
        transport = protocols[0].transport
        sock = transport.get_extra_info("socket")
        assert sock.fileno() == -1
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        assert transport.get_extra_info("sockname") == address


async def test_socket_options_can_be_set():
    async with connected() as (transport, _, _):
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_its_protocol_can_be_replaced():
    async with connected() as (transport, protocol, _):
        assert transport.get_protocol() is protocol
        other = Recorder()
        transport.set_protocol(other)
        assert transport.get_protocol() is other
        transport.close()
        await other.lost
        await turns(1)
        assert transport.get_protocol() is None
        assert protocol.calls == ["connection_made"]


async def test_its_states_can_be_asked_for():
    async with connected() as (transport, protocol, _):
        assert not transport.is_closing()
        assert transport.is_reading()
        assert transport.can_write_eof()
        transport.pause_reading()
        assert not transport.is_reading()
        transport.resume_reading()
        transport.close()
        assert transport.is_closing()
        assert not transport.is_reading()
        await protocol.lost
        assert transport.is_closing()


async def test_its_repr_tells_its_state():
    async with connected() as (transport, protocol, _):
        descriptor = transport.get_extra_info("socket").fileno()
        name = re.match(r"<(\w+)", repr(transport))[1]
        await turns(2)
        assert repr(transport) == f"<{name} fd={descriptor} read=polling write=<idle, bufsize=0>>"
        transport.pause_reading()
        assert repr(transport) == f"<{name} fd={descriptor} read=idle write=<idle, bufsize=0>>"
        transport.write(bytes(10 << 20))
        size = transport.get_write_buffer_size()
        assert repr(transport) == (
            f"<{name} fd={descriptor} read=idle write=<polling, bufsize={size}>>"
        )
        transport.close()
        assert repr(transport).startswith(f"<{name} closing fd={descriptor} ")
        transport.abort()
        await protocol.lost
        await turns(1)
        assert repr(transport).startswith(f"<{name} closed fd={descriptor}")


async def test_it_can_be_referred_to_weakly_and_goes_when_it_is_closed():
    near, far = tcp_pair()
    transport, protocol = await asyncio.get_running_loop().create_connection(Recorder, sock=near)
    gone = weakref.ref(transport)
    transport.close()
    await protocol.lost
    await turns(2)
    del protocol.transport, transport
    gc.collect()
    assert gone() is None
    far.close()


async def test_it_can_be_a_key():
    async with connected() as (transport, _, _), connected() as (other, _, _):
        assert {transport: 1, other: 2}[transport] == 1
        assert transport == transport
        assert transport != other


async def test_the_loop_keeps_it_while_it_reads():
    received = []

    class Protocol(asyncio.Protocol):
        def data_received(self, data):
            received.append(data)

    near, far = tcp_pair()
    transport, _ = await asyncio.get_running_loop().create_connection(Protocol, sock=near)
    alive = weakref.ref(transport)
    del transport
    gc.collect()
    far.send(b"x")
    await until(lambda: received)
    alive().abort()
    await turns(2)
    far.close()


def open_and_leave(new_loop, near):
    """Close a loop with an open transport; return weak references to it and its protocol."""

    async def main():
        transport, protocol = await loop.create_connection(Recorder, sock=near)
        # All of them refer to each other.
        protocol.loop = loop
        return weakref.ref(transport), weakref.ref(protocol)

    loop = new_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.groundup_only
def test_an_open_transport_goes_with_its_loop_and_warns(new_loop):
    near, far = tcp_pair()
    descriptor = near.fileno()
    with far, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        references = open_and_leave(new_loop, near)
        gc.collect()
    assert [reference() for reference in references] == [None, None]
    assert near.fileno() == -1
    [warning] = caught
    assert warning.category is ResourceWarning
    assert re.match(rf"unclosed transport <\w+ .*fd={descriptor}\b", str(warning.message))


AT_EXIT = """
import asyncio, socket, sys
import groundup

near, far = socket.socketpair()
near.setblocking(False)
loop = groundup.new_event_loop()

class Protocol(asyncio.Protocol):
    pass

async def main():
    return await loop.create_connection(Protocol, sock=near)

transport, protocol = loop.run_until_complete(main())
protocol.loop = loop
transport.write(b"x")
print("left open")
"""


def test_an_open_transport_does_not_disturb_the_end_of_the_interpreter():
    outcome = subprocess.run(
        [sys.executable, "-X", "dev", "-c", AT_EXIT],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (0, "left open\n"), outcome.stderr
    assert "Error" not in outcome.stderr
    assert "panicked" not in outcome.stderr


@pytest.mark.parametrize("method", ["connection_made", "data_received", "connection_lost"])
async def test_debug_mode_logs_a_method_that_takes_too_long(caplog, method):
    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            self.dawdle("connection_made")

        def data_received(self, data):
            super().data_received(data)
            self.dawdle("data_received")

        def connection_lost(self, exc):
            self.dawdle("connection_lost")
            super().connection_lost(exc)

        def dawdle(self, name):
            if name == method:
                time.sleep(0.06)

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.05
    async with connected(Protocol) as (transport, protocol, far):
        far.send(b"x")
        await until(lambda: protocol.received)
        transport.close()
        await protocol.lost
        await turns(1)
    assert any(
        re.fullmatch(r"Executing .* took \d\.\d{3} seconds", text) for text in caplog.messages
    )
