"""Bytes that have served are filled again; those that anybody still has never change."""

from __future__ import annotations

import asyncio
import os

import pytest

from .connections import connected, turns, unix_pair

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
