"""What arrives over TLS in many records at once: all of it, in order, and never changed later."""

from __future__ import annotations

import random
import ssl

import pytest

from .certificates import secured, server_context
from .connections import Recorder, until
from .test_tls import Buffered


class Keeper(Recorder):
    """Keeps some of what comes, and drops the rest, whose memory may serve again."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[bytes, bytes]] = []

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if len(self.kept) < 50:
            self.kept.append((data, bytes(bytearray(data))))


class OwnObject(ssl.SSLObject):
    """Has a say in how records are read."""

    reads = 0

    def read(self, len=1024, buffer=None):
        type(self).reads += 1
        return super().read(len, buffer)


def pieces(count: int) -> list[bytes]:
    """Return pieces of many sizes, of which each becomes a record or several."""
    chance = random.Random(count)
    sizes = [chance.choice([1, 20, 1000, 16_383, 16_384, 16_385, 70_000]) for _ in range(count)]
    return [chance.randbytes(size) for size in sizes]


@pytest.mark.parametrize("factory", [Keeper, Buffered])
@pytest.mark.parametrize("own", [False, True])
async def test_many_records_arrive_in_order(authority, factory, own):
    server = server_context(authority)
    OwnObject.reads = 0
    if own:
        server.sslobject_class = OwnObject
    written = pieces(200)
    async with secured(authority, peer_factory=factory, server=server) as (transport, _, peer):
        for piece in written:
            transport.write(piece)
        whole = b"".join(written)
        await until(lambda: len(peer.received) == len(whole))
        assert peer.received == whole
        assert (OwnObject.reads > 0) is own
        for data, copy in getattr(peer, "kept", []):
            assert data == copy


async def test_one_turn_may_bring_many_records_in_one_piece(authority):
    async with secured(authority, peer_factory=Keeper) as (transport, _, peer):
        # Read at once, they do not fit into one record.
        peer.transport.pause_reading()
        for _ in range(100):
            transport.write(b"x" * 1000)
        await until(lambda: peer.transport.get_read_buffer_size() > 100_000)
        peer.transport.resume_reading()
        await until(lambda: len(peer.received) == 100_000)
        assert [len(data) for data, _ in peer.kept] == [100_000]
        assert set(peer.received) == {ord("x")}


async def test_many_tiny_records_become_one_piece(authority):
    async with secured(authority, peer_factory=Keeper) as (transport, _, peer):
        peer.transport.pause_reading()
        for _ in range(2000):
            transport.write(b"x")
        await until(lambda: peer.transport.get_read_buffer_size() > 2000 * 20)
        peer.transport.resume_reading()
        await until(lambda: len(peer.received) == 2000)
        assert [data for data, _ in peer.kept] == [b"x" * 2000]
