"""asyncio's streams on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import warnings

import pytest


async def echo(reader, writer):
    """Answer everything with itself, until the end of file."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def connection(serve=echo, **options):
    """Give the client's reader and writer of a connection to a server."""
    others = asyncio.all_tasks()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(*address, **options)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        server.close()
        await server.wait_closed()
        # From Python 3.12 on the server itself waits for who serves.
        if serving := asyncio.all_tasks() - others:
            await asyncio.wait(serving)


def test_every_way_of_reading(run):
    async def serve(reader, writer):
        writer.write(b"one line\nsix by")
        await writer.drain()
        writer.writelines([b"tes", b";until", b"--mark;", b"a\nb\nc\n", b"rest"])
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    async def main():
        async with connection(serve) as (reader, writer):
            assert await reader.readline() == b"one line\n"
            assert await reader.readexactly(6) == b"six by"
            assert await reader.readuntil(b";") == b"tes;"
            assert await reader.readuntil(b"--mark;") == b"until--mark;"
            assert await reader.read(2) == b"a\n"
            assert [line async for line in reader] == [b"b\n", b"c\n", b"rest"]
            assert reader.at_eof()
            assert await reader.read() == b""
            with pytest.raises(asyncio.IncompleteReadError):
                await reader.readexactly(1)
            writer.write_eof()

    run(main())


def test_what_is_too_long_or_too_short_is_told(run):
    async def serve(reader, writer):
        writer.write(b"x" * 1000 + b"\nshort")
        writer.close()
        await writer.wait_closed()

    async def main():
        async with connection(serve, limit=100) as (reader, _):
            with pytest.raises(asyncio.LimitOverrunError):
                await reader.readuntil(b"\n")
            assert await reader.readexactly(1001) == b"x" * 1000 + b"\n"
            with pytest.raises(asyncio.IncompleteReadError) as caught:
                await reader.readexactly(10)
            assert caught.value.partial == b"short"

    run(main())


def test_a_hundred_clients_at_once(run):
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        async def call(number):
            reader, writer = await asyncio.open_connection(*address)
            for step in range(10):
                line = b"%d:%d\n" % (number, step)
                writer.write(line)
                await writer.drain()
                assert await reader.readline() == line
            writer.close()
            await writer.wait_closed()
            return number

        assert await asyncio.gather(*map(call, range(100))) == list(range(100))
        server.close()
        await server.wait_closed()

    run(main())


def test_large_data_goes_both_ways_at_once(run):
    data = bytes(range(256)) * (1 << 14)

    async def main():
        async with connection() as (reader, writer):

            async def send():
                for start in range(0, len(data), 100_000):
                    writer.write(data[start : start + 100_000])
                    await writer.drain()
                writer.write_eof()

            _, received = await asyncio.gather(send(), reader.read())
            assert received == data

    run(main())


def test_a_reader_that_does_not_read_holds_its_peer_back(run):
    """So that neither side's memory fills."""

    async def main():
        sent = 0
        went_on = asyncio.Event()

        async def serve(reader, writer):
            nonlocal sent
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(bytes(1 << 16))
                    await writer.drain()
                    sent += 1 << 16
            went_on.set()
            writer.close()

        async with connection(serve, limit=1 << 16) as (reader, writer):
            await asyncio.sleep(0.1)
            held = sent
            await asyncio.sleep(0.1)
            assert sent == held
            assert len(reader._buffer) <= 512 << 10
            await reader.readexactly(held)
            writer.transport.abort()
            await went_on.wait()

    run(main())


def test_a_reset_is_raised_where_it_is_met(run):
    async def main():
        listener = socket.create_server(("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        listener.close()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await writer.drain()
        writer.close()
        with pytest.raises(ConnectionResetError):
            await writer.wait_closed()

    run(main())


def test_writing_after_close_is_an_error_in_drain(run):
    async def main():
        async with connection() as (_, writer):
            writer.close()
            await writer.wait_closed()
            writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await writer.drain()

    run(main())


def test_a_read_can_be_cancelled_and_done_again(run):
    async def main():
        async with connection() as (reader, writer):
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.readline(), 0.01)
            writer.write(b"line\n")
            assert await asyncio.wait_for(reader.readline(), 10) == b"line\n"

    run(main())


def test_the_writer_tells_of_its_transport(run):
    async def main():
        async with connection() as (_, writer):
            assert isinstance(writer.transport, asyncio.Transport)
            assert writer.can_write_eof()
            assert not writer.is_closing()
            peername = writer.get_extra_info("peername")
            assert writer.get_extra_info("socket").getpeername() == peername
            writer.close()
            assert writer.is_closing()

    run(main())


def test_a_plain_function_may_serve(run):
    async def main():
        served = asyncio.get_running_loop().create_future()

        def serve(reader, writer):
            writer.write(b"plain")
            writer.close()
            served.set_result(None)

        async with connection(serve) as (reader, _):
            assert await reader.read() == b"plain"
            await served

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio reports it since 3.12")
def test_what_a_server_raises_is_reported_and_closes_its_connection(run, reports):
    async def serve(reader, writer):
        raise LookupError("served badly")

    async def main():
        async with connection(serve) as (reader, _):
            assert await reader.read() == b""

    run(main())
    assert [str(report["exception"]) for report in reports] == ["served badly"]
    reports.clear()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="asyncio warns since 3.13")
def test_a_writer_that_is_forgotten_warns_and_is_closed(run):
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del writer
            await asyncio.sleep(0.01)
        assert [str(warning.message)[:22] for warning in caught] == ["unclosed <StreamWriter"]
        server.close()
        await server.wait_closed()

    run(main())
