"""Sockets: bytes go at once where that is possible, or else as soon as the socket is ready."""

import asyncio
import random
import socket

import pytest

from comparison import failure


def test_receiving_what_is_there(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            theirs.send(b"hello")
            buffer = bytearray(2)
            return [
                await loop.sock_recv(ours, 2),
                await loop.sock_recv_into(ours, buffer),
                buffer,
                await loop.sock_recv(ours, 1000),
            ]

    assert same(body) == [b"he", 2, b"ll", b"o"]


def test_receiving_waits(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            loop.call_later(0.01, theirs.send, b"one")
            first = await loop.sock_recv(ours, 10)
            loop.call_later(0.01, theirs.send, b"two")
            buffer = bytearray(b"-----")
            second = await loop.sock_recv_into(ours, buffer)
            loop.call_later(0.01, theirs.close)
            return first, second, buffer, await loop.sock_recv(ours, 10)

    assert same(body) == (b"one", 3, b"two--", b"")


@pytest.mark.parametrize("size", [0, 1, 2**31 - 1, 2**40], ids="{}".format)
def test_every_size_can_be_asked_for(loop, socketpair, size):
    ours, theirs = socketpair
    theirs.send(b"hello")
    assert loop.run_until_complete(loop.sock_recv(ours, size)) == b"hello"[:size]


def test_a_negative_size_is_refused(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            return await failure(loop.sock_recv(ours, -1))

    assert same(body) == ("ValueError", "negative buffersize in recv")


def test_buffers_of_every_kind_can_be_received_into(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            theirs.send(b"abcdefgh")
            target = bytearray(8)
            results = [
                await loop.sock_recv_into(ours, memoryview(target)[2:4]),
                await loop.sock_recv_into(ours, bytearray()),
                await loop.sock_recv_into(ours, memoryview(target)[4:]),
                target,
            ]
            for wrong in (b"immutable", "text", 5, memoryview(bytearray(8))[::2]):
                results.append((await failure(loop.sock_recv_into(ours, wrong)))[0])
            return results

    assert same(body)[:4] == [2, 0, 4, bytearray(b"\0\0abcdef")]


@pytest.mark.parametrize(
    "data",
    [b"", b"x", bytearray(b"abc"), memoryview(b"abcdef")[2:4]],
    ids=lambda data: f"{len(data)}",
)
def test_bytes_of_every_kind_can_be_sent(same, data, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            result = await loop.sock_sendall(ours, data)
            ours.shutdown(socket.SHUT_WR)
            return result, await loop.sock_recv(theirs, 10)

    assert same(body) == (None, bytes(data))


@pytest.mark.parametrize("data", ["text", 5, None], ids=repr)
def test_what_is_not_bytes_is_not_sent(same, data, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            return (await failure(loop.sock_sendall(ours, data)))[0]

    assert same(body) == "TypeError"


def test_much_is_sent_to_a_slow_reader(same, pair):
    data = random.Random(1).randbytes(3_000_000)

    async def body(loop):
        ours, theirs = pair()
        received = bytearray()

        async def read():
            while len(received) < len(data):
                received.extend(await loop.sock_recv(theirs, 100_000))
                await asyncio.sleep(0)

        with ours, theirs:
            await asyncio.gather(loop.sock_sendall(ours, data), read())
        return received == data

    assert same(body)


def test_much_is_received_into_one_buffer(loop, socketpair):
    ours, theirs = socketpair
    data = random.Random(2).randbytes(1_000_000)
    buffer = bytearray(len(data))

    async def read():
        view = memoryview(buffer)
        while view:
            view = view[await loop.sock_recv_into(ours, view) :]

    async def main():
        await asyncio.gather(loop.sock_sendall(theirs, data), read())

    loop.run_until_complete(main())
    assert buffer == data


def test_both_directions_of_a_socket_work_at_once(same, pair):
    data = bytes(500_000)

    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:

            async def echo():
                for _ in range(3):
                    await loop.sock_sendall(theirs, await loop.sock_recv(theirs, 5))

            async def read():
                return [await loop.sock_recv(ours, 5) for _ in range(3)]

            async def write():
                for text in (b"one", b"two", b"three"):
                    await loop.sock_sendall(ours, text)
                    await asyncio.sleep(0.01)

            return (await asyncio.gather(read(), write(), echo()))[0]

    assert data
    assert same(body) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("limit", [40_000, 262_144, 1 << 20])
def test_pieces_of_all_sizes_are_received_as_they_were_sent(loop, limit):
    async def main():
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for sock in (ours, theirs):
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            kept = []
            for number in range(60):
                size = (1, 500, 33_000, 70_000, 100_000)[number % 5]
                sent = bytes([number]) * size
                await loop.sock_sendall(theirs, sent)
                while sent:
                    data = await loop.sock_recv(ours, limit)
                    assert 0 < len(data) <= limit
                    assert sent.startswith(data)
                    sent = sent[len(data) :]
                    kept.append((data, bytes([number]) * len(data)))
            assert all(data == copy for data, copy in kept)

    loop.run_until_complete(main())
