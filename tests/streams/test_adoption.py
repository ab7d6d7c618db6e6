"""Which streams are quick, which stay asyncio's, and which become asyncio's again."""

from __future__ import annotations

import asyncio
import inspect
import socket
from contextlib import asynccontextmanager
from unittest import mock

import pytest

import groundup

from .readers import adopted, connection


def is_quick(stream):
    classes = (asyncio.StreamReader, asyncio.StreamReaderProtocol, asyncio.StreamWriter)
    assert isinstance(stream, classes)
    return type(stream) not in classes


@asynccontextmanager
async def streams(**keywords):
    """The reader and the writer of both ends of a connection."""
    accepted = asyncio.get_running_loop().create_future()
    async with await asyncio.start_server(
        lambda *streams: accepted.set_result(streams), "127.0.0.1", 0, **keywords
    ) as server:
        near = await asyncio.open_connection(*server.sockets[0].getsockname())
        far = await accepted
        try:
            yield near, far
        finally:
            for writer in (near[1], far[1]):
                writer.close()
                await writer.wait_closed()


def test_both_ends_of_a_connection_get_quick_streams():
    async def main():
        async with streams() as ((reader, writer), (far_reader, far_writer)):
            quick = [reader, far_reader, far_writer, writer._protocol, far_writer._protocol]
            assert all(map(is_quick, quick))
            assert repr(type(reader)) == repr(asyncio.StreamReader)
            far_writer.write(b"one\ntwo")
            await far_writer.drain()
            assert await reader.readline() == b"one\n"
            far_writer.write_eof()
            assert await reader.read() == b"two"
            assert is_quick(reader)

    groundup.run(main())


def test_what_the_callback_was_is_what_it_is_for_the_callback():
    async def main():
        async def served(reader, writer):
            seen.append(writer._protocol._client_connected_cb)
            writer.close()

        seen = []
        async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
        assert seen == [served]

    groundup.run(main())


def test_methods_are_coroutine_functions_with_the_signatures_of_asyncio():
    async def main():
        async with streams() as ((reader, _), (_, writer)):
            for method, function in [
                (reader.read, asyncio.StreamReader.read),
                (reader.readuntil, asyncio.StreamReader.readuntil),
                (writer.drain, asyncio.StreamWriter.drain),
            ]:
                assert inspect.iscoroutinefunction(method)
                assert method.__name__ == function.__name__
                assert method.__doc__ == function.__doc__
                bound = inspect.signature(function.__get__(object()))
                assert inspect.signature(method) == bound

    groundup.run(main())


class Reader(asyncio.StreamReader):
    pass


class Protocol(asyncio.StreamReaderProtocol):
    pass


@pytest.mark.parametrize(
    ("reader_class", "protocol_class"),
    [(Reader, asyncio.StreamReaderProtocol), (asyncio.StreamReader, Protocol)],
)
def test_subclasses_stay_what_they_are(reader_class, protocol_class):
    async def main():
        near, far = socket.socketpair()
        loop = asyncio.get_running_loop()
        reader = reader_class(loop=loop)
        protocol = protocol_class(reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=near)
        far.sendall(b"data")
        assert await reader.readexactly(4) == b"data"
        assert type(reader) is reader_class
        transport.close()
        far.close()

    groundup.run(main())


def run_with_reader(body):
    loop = groundup.new_event_loop()

    async def main(transport):
        await body(adopted(transport))

    try:
        with connection(loop) as transport:
            loop.run_until_complete(main(transport))
    finally:
        loop.close()


def test_a_reader_whose_method_is_replaced_is_not_taken_over():
    async def main():
        near, far = socket.socketpair()
        loop = asyncio.get_running_loop()
        reader, fed = asyncio.StreamReader(loop=loop), []
        reader.feed_data = fed.append
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=near)
        far.sendall(b"data")
        while not fed:
            await asyncio.sleep(0)
        assert fed == [b"data"]
        transport.close()
        far.close()

    groundup.run(main())


def test_a_method_that_is_replaced_later_is_called():
    async def main():
        async with streams() as ((reader, _), (_, writer)):
            fed = []
            reader.feed_data = fed.append
            assert not is_quick(reader)
            writer.write(b"data")
            while not fed:
                await asyncio.sleep(0)
            assert fed == [b"data"]

    groundup.run(main())


def test_a_protocol_whose_method_is_replaced_later_is_called():
    async def main():
        async with streams() as ((_, writer), (_, far_writer)):
            heard = []
            writer._protocol.data_received = heard.append
            far_writer.write(b"data")
            while not heard:
                await asyncio.sleep(0)
            assert heard == [b"data"]

    groundup.run(main())


def test_classes_whose_methods_are_replaced_are_left_alone():
    async def main():
        async with streams() as ((reader, _), (far_reader, far_writer)):
            assert list(map(is_quick, [reader, far_reader, far_writer])) == [False] * 3

    with mock.patch.object(asyncio.StreamReader, "feed_data", autospec=True):
        groundup.run(main())


def test_who_looks_into_the_buffer_finds_what_was_received_and_goes_on_with_it():
    async def body(reader):
        reading = asyncio.create_task(reader.readexactly(6))
        await asyncio.sleep(0)
        reader.feed_data(b"abc")
        waiter = reader._waiter
        assert reader._buffer == b"abc"
        assert not is_quick(reader)
        assert reader._waiter is waiter
        reader._buffer.extend(b"def")
        reader.feed_data(b"g")
        assert await reading == b"abcdef"
        assert await reader.read(10) == b"g"

    run_with_reader(body)


def test_a_limit_can_be_raised():
    async def body(reader):
        reader._limit = 100
        assert is_quick(reader)
        reader.feed_data(b"x" * 50 + b"\n")
        assert await reader.readline() == b"x" * 50 + b"\n"

    run_with_reader(body)


def test_a_class_can_be_set():
    async def body(reader):
        reader.feed_data(b"abc")
        reader.__class__ = Reader
        assert await reader.read(3) == b"abc"

    run_with_reader(body)


def test_a_class_of_this_loop_makes_readers_of_asyncio():
    async def body(reader):
        other = type(reader)(limit=3)
        assert type(other) is asyncio.StreamReader
        other.feed_data(b"abc")
        assert await other.read(3) == b"abc"

    run_with_reader(body)


def test_data_for_a_reader_that_nobody_has_is_dropped():
    async def main():
        near, far = socket.socketpair()
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, sock=near)
        far.setblocking(False)
        sent = 0
        while sent < 1 << 20:
            try:
                sent += far.send(bytes(1 << 16))
            except BlockingIOError:
                await asyncio.sleep(0)
        assert transport.is_reading()
        transport.close()
        far.close()

    groundup.run(main())
