"""Pausing and resuming the receiving of data."""

from __future__ import annotations

import asyncio

from .connections import (
    Recorder,
    connected,
    tcp_pair,
    turns,
    until,
)


async def test_a_paused_transport_receives_nothing_until_it_is_resumed():
    async with connected() as (transport, protocol, far):
        assert transport.is_reading()
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        far.send(b"data")
        await asyncio.sleep(0.02)
        assert protocol.received == b""
        transport.resume_reading()
        transport.resume_reading()
        assert transport.is_reading()
        await until(lambda: protocol.received)
        assert protocol.received == b"data"


async def test_pausing_takes_effect_at_once():
    """Even when data has been noticed already."""
    order = []

    class Protocol(Recorder):
        def data_received(self, data):
            order.append(bytes(data))
            other = protocols[1 - protocols.index(self)]
            other.transport.pause_reading()

    async with connected(Protocol) as (_, one, far), connected(Protocol) as (_, two, other_far):
        protocols = [one, two]
        await turns(3)
        far.send(b"x")
        other_far.send(b"x")
        await until(lambda: order)
        await turns(5)
        assert order == [b"x"]


async def test_a_protocol_may_pause_in_data_received():
    class Protocol(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.transport.pause_reading()

    async with connected(Protocol) as (transport, protocol, far):
        for number in range(1, 4):
            far.send(b"%d" % number)
            await asyncio.sleep(0.01)
            assert protocol.received == b"123"[:number]
            far.send(b"-")
            await asyncio.sleep(0.01)
            assert protocol.received == b"123"[:number]
            transport.resume_reading()
            await until(lambda: protocol.received.endswith(b"-"))
            protocol.received.pop()
            transport.resume_reading()


async def test_a_protocol_may_pause_in_connection_made():
    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()
            assert not transport.is_reading()

    async with connected(Protocol) as (transport, protocol, far):
        far.send(b"data")
        await asyncio.sleep(0.02)
        assert protocol.received == b""
        transport.resume_reading()
        await until(lambda: protocol.received == b"data")


async def test_a_protocol_may_pause_and_resume_in_connection_made():
    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()
            transport.resume_reading()

    near, far = tcp_pair()
    far.send(b"early")
    transport, protocol = await asyncio.get_running_loop().create_connection(Protocol, sock=near)
    await until(lambda: protocol.received == b"early")
    assert protocol.calls == ["connection_made", "data_received"]
    transport.abort()
    await protocol.lost
    far.close()


async def test_the_end_of_file_waits_while_reading_is_paused():
    async with connected() as (transport, protocol, far):
        transport.pause_reading()
        far.close()
        await asyncio.sleep(0.02)
        assert protocol.calls == ["connection_made"]
        transport.resume_reading()
        assert await protocol.lost is None


async def test_reading_cannot_be_resumed_once_it_is_closing():
    async with connected() as (transport, protocol, far):
        transport.pause_reading()
        transport.close()
        transport.resume_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        far.send(b"x")
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_nothing_is_received_after_close():
    async with connected() as (transport, protocol, far):
        far.send(b"x" * 1000)
        transport.close()
        await protocol.lost
        assert protocol.received == b""
