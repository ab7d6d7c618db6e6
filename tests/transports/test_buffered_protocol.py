"""BufferedProtocol: receiving into buffers of the protocol's own."""

from __future__ import annotations

import asyncio
import os

import pytest

from .connections import Recorder, connected, reset, until


class Filling(asyncio.BufferedProtocol):
    """Receives into a small buffer."""

    def __init__(self, size: int = 1000) -> None:
        self.calls: list[str] = []
        self.received = bytearray()
        self.buffer = bytearray(size)
        self.hints: set[int] = set()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.calls.append("connection_made")

    def get_buffer(self, sizehint):
        self.hints.add(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes):
        self.calls.append("buffer_updated")
        self.received += self.buffer[:nbytes]

    def eof_received(self):
        self.calls.append("eof_received")

    def connection_lost(self, exc):
        self.calls.append("connection_lost")
        self.lost.set_result(exc)


async def test_data_arrives_whole_and_in_order():
    data = os.urandom(1 << 20)
    async with connected(lambda: Filling(50_000)) as (_, protocol, far):
        await asyncio.get_running_loop().sock_sendall(far, data)
        await until(lambda: len(protocol.received) == len(data))
        assert protocol.received == data
        assert protocol.hints == {-1}


async def test_a_large_buffer_gets_all_that_comes():
    data = os.urandom(1 << 20)
    async with connected(lambda: Filling(1 << 20)) as (_, protocol, far):
        await asyncio.get_running_loop().sock_sendall(far, data)
        await until(lambda: len(protocol.received) == len(data))
        assert protocol.received == data


async def test_one_turn_fills_one_buffer():
    async with connected(lambda: Filling(10)) as (_, protocol, far):
        far.send(bytes(25))
        await until(lambda: len(protocol.received) == 25)
        assert protocol.calls == ["connection_made", *["buffer_updated"] * 3]


async def test_the_end_of_file_closes_the_connection():
    async with connected(Filling) as (_, protocol, far):
        far.send(b"last")
        far.close()
        assert await protocol.lost is None
        assert protocol.calls == [
            "connection_made",
            "buffer_updated",
            "eof_received",
            "connection_lost",
        ]


async def test_the_peers_reset_is_told_as_the_reason():
    async with connected(Filling) as (_, protocol, far):
        reset(far)
        assert isinstance(await protocol.lost, ConnectionResetError)


@pytest.mark.parametrize(
    "wrap",
    [lambda room: room, memoryview, lambda room: memoryview(room)[100:]],
    ids=["bytearray", "memoryview", "slice"],
)
async def test_any_writable_buffer_will_do(wrap):
    class Protocol(Filling):
        def get_buffer(self, sizehint):
            return wrap(self.buffer)

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x" * 50)
        await until(lambda: "buffer_updated" in protocol.calls)
        assert protocol.buffer.count(b"x") == 50


async def test_the_buffer_may_be_resized_when_it_was_filled():
    class Protocol(Filling):
        def buffer_updated(self, nbytes):
            super().buffer_updated(nbytes)
            self.buffer.extend(bytes(10))

    async with connected(Protocol) as (_, protocol, far):
        for number in range(1, 4):
            far.send(b"x")
            await until(lambda number=number: len(protocol.received) == number)
        assert len(protocol.buffer) == 1030


async def test_pausing_works():
    async with connected(Filling) as (transport, protocol, far):
        transport.pause_reading()
        far.send(b"x")
        await asyncio.sleep(0.01)
        assert protocol.received == b""
        transport.resume_reading()
        await until(lambda: protocol.received == b"x")


def raise_lookup_error():
    raise LookupError("no buffer")


@pytest.mark.parametrize(
    ("get_buffer", "kind", "message"),
    [
        (bytearray, RuntimeError, "Fatal error: protocol.get_buffer() call failed."),
        (raise_lookup_error, LookupError, "Fatal error: protocol.get_buffer() call failed."),
        (lambda: None, TypeError, "Fatal error: protocol.get_buffer() call failed."),
        (lambda: 5, TypeError, "Fatal error: protocol.get_buffer() call failed."),
        (lambda: bytes(10), TypeError, "Fatal read error on socket transport"),
        (lambda: memoryview(bytes(10)), TypeError, "Fatal read error on socket transport"),
    ],
    ids=["empty", "raises", "None", "int", "bytes", "readonly"],
)
async def test_a_wrong_buffer_is_reported_and_ends_the_connection(
    reports, get_buffer, kind, message
):
    class Protocol(Filling):
        def get_buffer(self, sizehint):
            return get_buffer()

    async with connected(Protocol) as (transport, protocol, far):
        far.send(b"x")
        reason = await protocol.lost
        [report] = reports
        assert isinstance(reason, kind)
        assert report == {
            "message": message,
            "exception": reason,
            "transport": transport,
            "protocol": protocol,
        }


async def test_an_empty_buffer_is_named(reports):
    async with connected(lambda: Filling(0)) as (_, protocol, far):
        far.send(b"x")
        reason = await protocol.lost
        assert str(reason) == "get_buffer() returned an empty buffer"


@pytest.mark.groundup_only
async def test_a_buffer_in_pieces_is_refused(reports):
    class Protocol(Filling):
        def get_buffer(self, sizehint):
            return memoryview(self.buffer)[::2]

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x")
        assert isinstance(await protocol.lost, BufferError)
        assert len(reports) == 1


async def test_what_buffer_updated_raises_is_reported_and_ends_the_connection(reports):
    error = LookupError("full")

    class Protocol(Filling):
        def buffer_updated(self, nbytes):
            raise error

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x")
        assert await protocol.lost is error
        [report] = reports
        assert report["message"] == "Fatal error: protocol.buffer_updated() call failed."


async def test_protocols_of_both_kinds_may_replace_each_other():
    async with connected(Recorder) as (transport, plain, far):
        far.send(b"one")
        await until(lambda: plain.received == b"one")
        buffered = Filling()
        transport.set_protocol(buffered)
        far.send(b"two")
        await until(lambda: buffered.received == b"two")
        transport.set_protocol(plain)
        far.send(b"three")
        await until(lambda: plain.received == b"onethree")
        assert buffered.calls == ["buffer_updated"]


async def test_buffers_are_let_go_of():
    async with connected(Filling) as (_, protocol, far):
        far.send(b"x")
        await until(lambda: protocol.received == b"x")
        # An export would forbid it.
        protocol.buffer.extend(bytes(100_000))
