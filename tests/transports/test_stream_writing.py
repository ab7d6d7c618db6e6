"""Sending: what can be written, and that all of it arrives."""

from __future__ import annotations

import array
import asyncio
import inspect
import os

import pytest

from .connections import connected, receive, tcp_pair, turns, unix_pair

WARNING = "socket.send() raised exception."


@pytest.mark.parametrize("size", [0, 1, 1000, 64 << 10, 10 << 20])
@pytest.mark.parametrize("pair", [tcp_pair, unix_pair])
async def test_any_size_arrives_whole(size, pair):
    data = os.urandom(size)
    async with connected(pair=pair) as (transport, protocol, far):
        transport.write(data)
        transport.close()
        assert await receive(far, size + 1) == data
        assert await protocol.lost is None


async def test_a_slow_reader_gets_everything():
    data = os.urandom(1 << 20)
    async with connected(pair=unix_pair) as (transport, _, far):
        transport.write(data)
        received = b""
        while len(received) < len(data):
            received += await asyncio.get_running_loop().sock_recv(far, 20_000)
            await turns(1)
        assert received == data
        assert transport.get_write_buffer_size() == 0


class Text(bytes):
    pass


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (b"bytes", b"bytes"),
        (bytearray(b"bytearray"), b"bytearray"),
        (memoryview(b"memoryview"), b"memoryview"),
        (memoryview(bytearray(b"-view-"))[1:5], b"view"),
        (memoryview(array.array("d", [0.5])).cast("B"), array.array("d", [0.5]).tobytes()),
        (Text(b"subclass"), b"subclass"),
    ],
    ids=["bytes", "bytearray", "memoryview", "slice", "cast", "subclass"],
)
async def test_whatever_is_bytes_like_is_written(data, sent):
    async with connected() as (transport, _, far):
        transport.write(data)
        transport.writelines([data, data])
        assert await receive(far, len(sent) * 3) == sent * 3


@pytest.mark.groundup_only
async def test_a_view_in_steps_is_written():
    """asyncio refuses it: the connection is lost by a BufferError."""
    grid = memoryview(bytes(range(12))).cast("B", shape=[3, 4])
    async with connected() as (transport, _, far):
        transport.write(memoryview(b"a-b-c-")[::2])
        transport.write(memoryview(b"cba")[::-1])
        transport.write(grid)
        assert await receive(far, 18) == b"abcabc" + bytes(range(12))


@pytest.mark.groundup_only
async def test_items_of_several_bytes_are_written():
    """asyncio counts items where it ought to count bytes."""
    numbers = array.array("H", [1, 2, 3])
    async with connected() as (transport, _, far):
        transport.write(memoryview(numbers))
        transport.writelines([numbers, b"end"])
        assert await receive(far, 15) == numbers.tobytes() * 2 + b"end"


@pytest.mark.parametrize("size", [10, 10 << 20])
async def test_what_was_written_can_be_changed_afterwards(size):
    async with connected() as (transport, _, far):
        data = bytearray(b"a" * size)
        transport.write(data)
        if size > 10 and isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop):
            # asyncio keeps a view of it until it is sent.
            transport.abort()
            return
        data[:] = b"b" * size
        data.clear()
        transport.write(b"end")
        assert await receive(far, size + 3) == b"a" * size + b"end"


@pytest.mark.parametrize("data", ["text", None, 1, ["list"], array.array("B", [1])])
async def test_what_is_not_bytes_like_is_refused(data):
    async with connected() as (transport, _, far):
        with pytest.raises(TypeError) as caught:
            transport.write(data)
        assert str(caught.value).startswith("data argument must be a bytes")
        assert str(caught.value).endswith(f"not {type(data).__name__!r}")
        transport.write(b"fine")
        assert await receive(far, 4) == b"fine"


@pytest.mark.groundup_only
async def test_writelines_writes_all_or_nothing():
    async with connected() as (transport, _, far):
        with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
            transport.writelines([b"one", "two"])
        with pytest.raises(TypeError):
            transport.writelines(3)
        await turns(2)
        transport.write(b"three")
        assert await receive(far, 5) == b"three"


async def test_writelines_sends_all_pieces_in_order():
    pieces = [b"%d," % number for number in range(1000)]
    async with connected() as (transport, _, far):
        transport.write(b"first,")
        transport.writelines(pieces)
        transport.writelines(iter(pieces[:10]))
        transport.writelines([])
        transport.write(b"last")
        expected = b"first," + b"".join(pieces) + b"".join(pieces[:10]) + b"last"
        assert await receive(far, len(expected)) == expected


@pytest.mark.groundup_only
async def test_empty_pieces_are_skipped():
    """Some versions of asyncio never finish with an empty one."""
    async with connected() as (transport, _, far):
        transport.writelines([b"", b"a", b"", bytearray(), b"b", memoryview(b"")])
        transport.write(b"")
        assert await receive(far, 2) == b"ab"
        assert transport.get_write_buffer_size() == 0
        transport.writelines([b""])
        transport.close()


async def test_pieces_larger_than_the_sockets_buffer_keep_their_order():
    pieces = [bytes([number]) * 300_000 for number in range(20)]
    async with connected() as (transport, _, far):
        for piece in pieces:
            transport.write(piece)
        assert await receive(far, 20 * 300_000) == b"".join(pieces)


async def test_data_can_be_given_by_name():
    async with connected() as (transport, _, far):
        transport.write(data=b"named")
        type(transport).write(transport, b" ")
        transport.write.__call__(b"bound")
        assert await receive(far, 11) == b"named bound"


@pytest.mark.parametrize(
    "call", ["write()", "write(b'', b'')", "write(other=b'')", "write(b'', data=b'')"]
)
async def test_other_arguments_are_refused(call):
    async with connected() as (transport, _, _):
        with pytest.raises(TypeError, match="write"):
            eval(f"transport.{call}", {"transport": transport})


async def test_write_tells_what_it_is():
    async with connected() as (transport, _, _):
        assert transport.write.__name__ == "write"
        assert str(inspect.signature(transport.write)) == "(data)"
