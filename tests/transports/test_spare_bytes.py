"""Bytes that have served are filled again; those that anybody still has never change."""

from __future__ import annotations

import asyncio
import os
from resource import RUSAGE_SELF, getrusage

import pytest

from .certificates import secured
from .connections import Recorder, connected, turns, unix_pair, until

SIZES = (
    1000,
    700,
    1000,
    5000,
    1023,
    1024,
    40_000,
    40_000,
    60_000,
    33_000,
    9000,
    513,
    512,
    511,
    1,
    1000,
)


class Keeper(asyncio.Protocol):
    """Keeps all, or lets go of it."""

    def __init__(self, keep):
        self.keep = keep
        self.sizes = []
        self.kept = []

    def data_received(self, data):
        self.sizes.append((len(data), hash(data)))
        if keep := self.keep(data):
            self.kept.append(keep)


async def receive_pieces(transport, far, keep):
    protocol = Keeper(keep)
    transport.set_protocol(protocol)
    sent = [os.urandom(size) for size in SIZES * 3]
    for count, data in enumerate(sent, 1):
        await asyncio.get_running_loop().sock_sendall(far, data)
        while len(protocol.sizes) < count:
            await turns(1)
    assert protocol.sizes == [(len(data), hash(data)) for data in sent]
    return protocol.kept, sent


@pytest.mark.parametrize(
    "keep", [bytes, memoryview, lambda data: [data]], ids=["data", "view", "list"]
)
async def test_what_a_protocol_keeps_stays_as_it_was(keep):
    async with connected(pair=unix_pair) as (transport, _, far):
        kept, sent = await receive_pieces(transport, far, keep)
        assert [b"".join(each) if isinstance(each, list) else bytes(each) for each in kept] == sent


async def test_what_a_protocol_lets_go_of_comes_whole_each_time():
    async with connected(pair=unix_pair) as (transport, _, far):
        kept, _ = await receive_pieces(transport, far, lambda _: None)
        assert kept == []


async def test_a_hash_is_that_of_the_content():
    async with connected(pair=unix_pair) as (transport, _, far):
        kept, sent = await receive_pieces(
            transport, far, lambda data: [hash(data), hash(bytes(data))]
        )
        assert kept == [[hash(data)] * 2 for data in sent]


async def test_what_was_written_and_kept_stays_as_it_was():
    async with connected(pair=unix_pair) as (transport, _, far):
        written = [os.urandom(size) for size in SIZES]
        copies = [bytearray(data) for data in written]
        for data in written:
            transport.write(data)
        await receive_pieces(transport, far, lambda _: None)
        assert written == copies


async def test_many_large_pieces_are_not_mixed_up():
    async with connected(pair=unix_pair) as (transport, _, far):
        pieces = [bytes([number]) * 300_000 for number in range(8)]
        transport.writelines(pieces)
        transport.close()
        received = b""
        while data := await asyncio.get_running_loop().sock_recv(far, 1 << 20):
            received += data
        assert received == b"".join(pieces)


@pytest.mark.parametrize("kept", [0, 1, 2, 100])
async def test_what_was_read_from_a_stream_and_kept_stays_as_it_was(kept):
    near, far = unix_pair()
    with far:
        reader, writer = await asyncio.open_connection(sock=near)
        last, sent = [], []
        for size in SIZES * 6:
            data = os.urandom(size)
            await asyncio.get_running_loop().sock_sendall(far, data)
            last.append(await reader.readexactly(size))
            sent.append(data)
            del last[: max(0, len(last) - kept)]
            assert last == sent[len(sent) - len(last) :]
            assert list(map(hash, last)) == list(map(hash, sent[len(sent) - len(last) :]))
        writer.close()


@pytest.mark.parametrize("kept", [0, 1, 100])
async def test_parts_of_what_a_stream_received_stay_as_they_were(kept):
    near, far = unix_pair()
    with far:
        reader, writer = await asyncio.open_connection(sock=near)
        sent = os.urandom(1_000_000)
        sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(far, sent))
        last, count = [], 0
        for number in range(30):
            data = await reader.read(1 + number % 5 * 15_000)
            assert data == sent[count : count + len(data)]
            count += len(data)
            last.append((count, data))
            del last[: max(0, len(last) - kept)]
            assert all(data == sent[end - len(data) : end] for end, data in last)
        assert await reader.readexactly(len(sent) - count) == sent[count:]
        await sending
        writer.close()


@pytest.mark.parametrize("kept", [0, 1, 100])
async def test_what_sock_recv_gave_and_was_kept_stays_as_it_was(kept):
    loop = asyncio.get_running_loop()
    near, far = unix_pair()
    with near, far:
        last, sent = [], []
        for size in SIZES * 6:
            sent.append(os.urandom(size))
            await loop.sock_sendall(far, sent[-1])
            last.append(await loop.sock_recv(near, 100_000))
            del last[: max(0, len(last) - kept)]
            assert last == sent[len(sent) - len(last) :]


async def test_more_than_was_expected_comes_whole():
    near, far = unix_pair()
    with far:
        reader, writer = await asyncio.open_connection(sock=near)
        for size in [40_000, 120_000, 33_000, 32_768, 32_767, 1, 150_000, 700, 90_000]:
            data = os.urandom(size)
            sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(far, data))
            assert await reader.readexactly(size) == data
            await sending
        writer.close()


async def test_what_was_read_from_streams_and_is_let_go_of_late_is_never_mixed_up():
    pairs = [unix_pair() for _ in range(5)]
    streams = [await asyncio.open_connection(sock=near) for near, _ in pairs]
    held = [b""] * len(pairs)
    expected = list(held)
    loop = asyncio.get_running_loop()
    for number in range(60):
        which = number * 3 % len(pairs)
        data = os.urandom(1000 + number % 7)
        await loop.sock_sendall(pairs[which][1], data)
        held[which] = await streams[which][0].read(5000)
        expected[which] = data
        assert held == expected
    for (_, writer), (_, far) in zip(streams, pairs, strict=True):
        writer.close()
        far.close()


class Bouncing(Recorder):
    """Sends back what has come."""

    def data_received(self, data):
        self.transport.write(data)


class Talking(Recorder):
    """Sends a message again as soon as it is back."""

    message = bytes(100 * 1024)
    count = 0

    def data_received(self, data):
        self.count += len(data)
        if self.count % len(self.message) == 0:
            self.transport.write(self.message)


@pytest.mark.groundup_only
async def test_large_messages_over_tls_are_received_to_memory_that_has_served(authority):
    async with secured(authority, Talking, Bouncing) as (transport, talking, _):
        transport.write(talking.message)
        await until(lambda: talking.count >= 10_000_000)
        start, before = talking.count, getrusage(RUSAGE_SELF).ru_minflt
        await until(lambda: talking.count >= start + 20_000_000)
        megabytes = (talking.count - start) / 1_000_000
        assert getrusage(RUSAGE_SELF).ru_minflt - before < 50 * megabytes
