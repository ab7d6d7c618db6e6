"""The reader and the writer of an accepted connection are as asyncio's, whoever changes them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import weakref
from unittest import mock

import pytest

import groundup


async def accept(body, **keywords):
    """What a body notes of the reader and the writer of an accepted connection, and of the peer."""
    done = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        try:
            done.set_result(await body(reader, writer, peer))
        except BaseException as error:
            done.set_exception(error)
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, **keywords) as server:
        with socket.create_connection(server.sockets[0].getsockname()) as peer:
            return await asyncio.wait_for(done, 10)


def both(body, **keywords):
    """What a body notes, the same on both loops."""

    def run(new_loop):
        with contextlib.closing(new_loop()) as loop:
            return loop.run_until_complete(accept(body, **keywords))

    found = run(groundup.new_event_loop)
    assert found == run(asyncio.SelectorEventLoop)
    return found


async def received(reader, count):
    """Wait until so much has arrived, without reading it."""
    while f"{count} bytes" not in repr(reader):
        await asyncio.sleep(0)


def test_they_have_the_attributes_that_asyncios_have():
    async def body(reader, writer, peer):
        loop = asyncio.get_running_loop()
        future = writer._complete_fut
        return [
            [reader._limit, reader._eof, reader._paused, reader._waiter, reader._exception],
            [reader._loop is loop, writer._loop is loop, writer._reader is reader],
            [reader._transport is writer.transport, writer._transport is writer.transport],
            [writer._protocol._stream_reader is reader, isinstance(writer, asyncio.StreamWriter)],
            [future.done(), future.result(), writer._complete_fut is future],
            [reader._source_traceback, type(reader).__name__, type(writer).__name__],
            [bytes(reader._buffer), "_buffer" in vars(reader)],
        ]

    found = both(body, limit=100)
    assert found[:2] == [[100, False, False, None, None], [True] * 3]


def test_who_looks_into_the_buffer_may_change_it():
    async def body(reader, writer, peer):
        peer.sendall(b"abc")
        await received(reader, 3)
        waiting = asyncio.create_task(reader.readexactly(7))
        await asyncio.sleep(0)
        reader._buffer.extend(b"de")
        peer.sendall(b"fgh")
        notes = [await waiting, reader._eof, reader._limit]
        reader._eof = True
        return [*notes, await reader.read(), reader.at_eof(), repr(reader)[:20]]

    assert both(body)[0] == b"abcdefg"


@pytest.mark.parametrize("name", ["_limit", "_eof", "_waiter", "_loop", "_paused"])
def test_attributes_can_be_deleted(name):
    async def body(reader, writer, peer):
        delattr(reader, name)
        notes = [hasattr(reader, name)]
        with pytest.raises(AttributeError):
            delattr(reader, name)
        setattr(reader, name, None)
        return [*notes, getattr(reader, name)]

    assert both(body) == [False, None]


def test_methods_can_be_replaced():
    async def body(reader, writer, peer):
        fed, written = [], []
        reader.feed_data = fed.append
        writer.write = written.append
        peer.sendall(b"data")
        while not fed:
            await asyncio.sleep(0)
        writer.write(b"more")
        await writer.drain()
        del writer.write
        writer.write(b"last")
        await writer.drain()
        return fed, written, await asyncio.get_running_loop().run_in_executor(None, peer.recv, 9)

    assert both(body) == ([b"data"], [b"more"], b"last")


def test_another_transport_can_be_set():
    async def body(reader, writer, peer):
        class Other:
            def write(self, data):
                written.append(data)

            def is_closing(self):
                return False

        written, first = [], writer.transport
        writer._transport = Other()
        writer.write(b"data")
        await writer.drain()
        notes = [written, writer.transport is first, writer._reader is reader]
        writer._transport = first
        return notes

    assert both(body) == [[b"data"], False, True]


def test_they_take_attributes_and_weak_references():
    async def body(reader, writer, peer):
        reader.name = "reader"
        writer.name = "writer"
        peer.sendall(b"line\n")
        return [
            [reader.name, writer.name, vars(writer)["name"]],
            [weakref.ref(reader)() is reader, weakref.ref(writer)() is writer],
            [await reader.readline()],
        ]

    both(body)


class Reader(asyncio.StreamReader):
    def read(self, n=-1):
        return super().read(min(n, 2))


class Writer(asyncio.StreamWriter):
    def write(self, data):
        super().write(data.upper())


def test_their_classes_can_be_set():
    async def body(reader, writer, peer):
        peer.sendall(b"abc")
        await received(reader, 3)
        reader.__class__, writer.__class__ = Reader, Writer
        notes = [isinstance(reader, Reader), isinstance(writer, Writer), await reader.read(3)]
        writer.write(b"data")
        await writer.drain()
        reader.__class__ = asyncio.StreamReader
        notes.append(await reader.read(3))
        return [*notes, await asyncio.get_running_loop().run_in_executor(None, peer.recv, 9)]

    assert both(body) == [True, True, b"ab", b"c", b"DATA"]


def test_a_class_of_theirs_makes_objects_of_asyncios():
    async def body(reader, writer, peer):
        other = type(reader)(limit=3)
        other.feed_data(b"abc")
        notes = [other._limit, await other.read(3)]
        second = type(writer)(writer.transport, writer._protocol, reader, writer._loop)
        second.write(b"data")
        await second.drain()
        second.close()
        return [*notes, second._reader is reader, second._complete_fut.done()]

    assert both(body) == [3, b"abc", True, True]


@pytest.mark.parametrize("keep", [lambda reader: lambda: reader, weakref.ref])
def test_a_reader_that_somebody_else_knows_stays_the_one(keep):
    async def main():
        def factory():
            reader = asyncio.StreamReader(loop=loop)
            known.append(keep(reader))
            return asyncio.StreamReaderProtocol(reader, served, loop=loop)

        async def served(reader, writer):
            seen.set_result(reader is known[0]())
            writer.close()

        loop = asyncio.get_running_loop()
        known, seen = [], loop.create_future()
        async with await loop.create_server(factory, "127.0.0.1", 0) as server:
            with socket.create_connection(server.sockets[0].getsockname()):
                assert await seen

    groundup.run(main())


def test_a_writer_that_is_dropped_says_so_and_closes():
    async def body(reader, writer, peer):
        writer.get_extra_info("peername")
        transport = writer.transport
        other = type(writer)(transport, writer._protocol, reader, writer._loop)
        notes = [transport.is_closing()]
        if hasattr(other, "__del__"):
            with pytest.warns(ResourceWarning, match="unclosed"):
                del other
        return [*notes, transport.is_closing()]

    assert both(body)[0] is False


def test_they_go_when_nobody_has_them_any_more():
    async def main():
        async def served(reader, writer):
            references.extend([weakref.ref(reader), weakref.ref(writer)])
            reader.itself = reader
            writer.itself = writer
            await reader.read()
            writer.close()
            await writer.wait_closed()

        references = []
        async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
            socket.create_connection(server.sockets[0].getsockname()).close()
            while not references:
                await asyncio.sleep(0)
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
        assert [reference() for reference in references] == [None, None]

    groundup.run(main())


def test_a_writer_whose_making_was_replaced_stays_the_one():
    async def main():
        async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
            with socket.create_connection(server.sockets[0].getsockname()):
                while not seen:
                    await asyncio.sleep(0)
        assert seen == [True]

    async def served(reader, writer):
        seen.append(writer in made)
        writer.close()

    def make(writer, *args):
        made.append(writer)
        original(writer, *args)

    made, seen, original = [], [], asyncio.StreamWriter.__init__
    with mock.patch.object(asyncio.StreamWriter, "__init__", make):
        groundup.run(main())
