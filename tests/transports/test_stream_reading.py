"""Receiving: data in order, the end of file, half-closed connections."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from .connections import (
    Recorder,
    StaysOpen,
    connected,
    receive,
    tcp_pair,
    turns,
    unix_pair,
    until,
)


@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
async def test_data_arrives_whole_and_in_order(pair):
    data = os.urandom(3 << 20)
    async with connected(pair=pair) as (_, protocol, far):
        await asyncio.get_running_loop().sock_sendall(far, data)
        await until(lambda: len(protocol.received) == len(data))
        assert protocol.received == data


async def test_data_is_bytes():
    kinds = []

    class Protocol(Recorder):
        def data_received(self, data):
            kinds.append(type(data))

    async with connected(Protocol) as (_, _, far):
        far.send(b"x")
        await until(lambda: kinds)
        assert kinds == [bytes]


async def test_received_data_is_the_protocols_to_keep():
    pieces = []

    class Protocol(Recorder):
        def data_received(self, data):
            pieces.append(data)

    async with connected(Protocol) as (_, _, far):
        for number in range(5):
            far.send(b"%d" % number * 1000)
            await until(lambda number=number: len(pieces) == number + 1)
        assert pieces == [b"%d" % number * 1000 for number in range(5)]


async def test_one_call_gets_all_that_is_there_up_to_256_kib():
    sizes = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

        def data_received(self, data):
            sizes.append(len(data))

    async with connected(Protocol, unix_pair) as (transport, _, far):
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sent = far.send(bytes(100_000))
        transport.resume_reading()
        await until(lambda: sizes)
        assert sizes == [sent]


async def test_data_comes_in_the_turn_after_the_poll_and_callbacks_keep_their_order():
    order = []

    class Protocol(Recorder):
        def data_received(self, data):
            order.append("data_received")
            asyncio.get_running_loop().call_soon(order.append, "soon after")

    loop = asyncio.get_running_loop()
    async with connected(Protocol) as (_, _, far):
        await turns(3)
        far.send(b"x")
        loop.call_soon(order.append, "before")
        loop.call_later(0, order.append, "timer")
        loop.call_soon(lambda: loop.call_soon(order.append, "next turn"))
        await until(lambda: len(order) == 5)
        assert order == ["before", "data_received", "timer", "next turn", "soon after"]


async def test_the_end_of_file_closes_the_connection():
    async with connected() as (transport, protocol, far):
        far.send(b"last")
        far.close()
        assert await protocol.lost is None
        assert protocol.calls == [
            "connection_made",
            "data_received",
            "eof_received",
            "connection_lost",
        ]
        assert transport.is_closing()


async def test_connection_lost_comes_in_a_later_turn_than_eof_received():
    order = []

    class Protocol(Recorder):
        def eof_received(self):
            order.append("eof_received")
            asyncio.get_running_loop().call_soon(order.append, "soon after")

        def connection_lost(self, exc):
            super().connection_lost(exc)
            order.append("connection_lost")

    async with connected(Protocol) as (_, protocol, far):
        far.close()
        await protocol.lost
        assert order == ["eof_received", "soon after", "connection_lost"]


async def test_a_protocol_may_go_on_writing_after_the_end_of_file():
    async with connected(StaysOpen) as (transport, protocol, far):
        far.shutdown(socket.SHUT_WR)
        await until(lambda: "eof_received" in protocol.calls)
        await turns(5)
        assert not transport.is_closing()
        transport.write(b"answer")
        assert await receive(far, 6) == b"answer"
        transport.close()
        assert await protocol.lost is None
        assert protocol.calls.count("eof_received") == 1


async def test_what_is_written_in_eof_received_is_sent():
    class Protocol(Recorder):
        def eof_received(self):
            self.transport.write(b"bye")

    async with connected(Protocol) as (_, protocol, far):
        far.shutdown(socket.SHUT_WR)
        assert await receive(far, 10) == b"bye"
        await protocol.lost


async def test_pending_writes_are_sent_after_the_end_of_file():
    size = 10 << 20
    async with connected() as (transport, protocol, far):
        transport.write(bytes(size))
        far.shutdown(socket.SHUT_WR)
        await until(lambda: "eof_received" in protocol.calls)
        assert transport.is_closing()
        assert not protocol.lost.done()
        assert len(await receive(far, size + 1)) == size
        assert await protocol.lost is None


async def test_a_protocol_may_be_replaced_between_pieces():
    class Upgraded(Recorder):
        pass

    class Protocol(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.transport.set_protocol(upgraded)

    upgraded = Upgraded()
    async with connected(Protocol) as (transport, protocol, far):
        far.send(b"old")
        await until(lambda: protocol.received)
        assert transport.get_protocol() is upgraded
        far.send(b"new")
        await until(lambda: upgraded.received)
        far.close()
        await upgraded.lost
    assert protocol.calls == ["connection_made", "data_received"]
    assert protocol.received == b"old"
    assert upgraded.calls == ["data_received", "eof_received", "connection_lost"]
    assert upgraded.received == b"new"
