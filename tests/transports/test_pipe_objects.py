"""Pipe transports as objects: what they are, what they say of themselves, and that they go."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import re
import weakref

import pytest

import groundup

from .connections import open_descriptors, turns, until
from .pipes import MUCH, pipe, reading, writing


async def test_they_are_transports_of_asyncio():
    with pipe() as (reader, writer):
        async with reading(reader) as (read, _), writing(writer) as (write, _):
            assert isinstance(read, asyncio.ReadTransport)
            assert not isinstance(read, asyncio.WriteTransport)
            assert isinstance(write, asyncio.WriteTransport)
            assert isinstance(write, asyncio.Transport)


async def test_they_tell_of_their_file():
    with pipe() as (reader, writer):
        async with reading(reader) as (read, _), writing(writer) as (write, _):
            pass
        for transport, file in [(read, reader), (write, writer)]:
            assert transport.get_extra_info("pipe") is file
            assert transport.get_extra_info("peername") is None
            assert transport.get_extra_info("peername", "nobody") == "nobody"


async def test_the_writing_end_does_not_read():
    with pipe() as (_, writer):
        async with writing(writer) as (transport, _):
            for method in [transport.is_reading, transport.pause_reading, transport.resume_reading]:
                with pytest.raises(NotImplementedError):
                    method()


async def test_they_can_be_referred_to_weakly_and_take_attributes():
    with pipe() as (reader, writer):
        async with reading(reader) as (read, _), writing(writer) as (write, _):
            for transport in [read, write]:
                assert weakref.ref(transport)() is transport
                transport.note = "kept"
                assert transport.note == "kept"


@pytest.mark.groundup_only
async def test_they_say_what_they_are_doing():
    with pipe() as (reader, writer):
        async with reading(reader) as (read, _), writing(writer) as (write, _):
            assert repr(read) == f"<ReadPipeTransport fd={reader.fileno()} polling>"
            read.pause_reading()
            assert repr(read) == f"<ReadPipeTransport fd={reader.fileno()} idle>"
            described = f"<WritePipeTransport fd={writer.fileno()} idle bufsize=0>"
            assert repr(write) == described
            write.write(b"x" * MUCH)
            assert re.fullmatch(
                rf"<WritePipeTransport fd={writer.fileno()} polling bufsize=\d{{6}}>", repr(write)
            )
            write.close()
            assert "WritePipeTransport closing fd=" in repr(write)
            write.abort()
    assert re.fullmatch(r"<ReadPipeTransport closed fd=\d+>", repr(read))
    assert re.fullmatch(r"<WritePipeTransport closed fd=\d+ bufsize=0>", repr(write))


def test_on_a_closed_loop_they_say_that_they_are_open_and_warn_when_dropped(new_loop):
    with pipe() as (reader, writer):
        loop = new_loop()
        read, _ = loop.run_until_complete(loop.connect_read_pipe(asyncio.Protocol, reader))
        write, _ = loop.run_until_complete(loop.connect_write_pipe(asyncio.Protocol, writer))
        loop.close()
        assert "open" in repr(read)
        assert "open" in repr(write)
        transports = [read, write]
        del read, write
        with pytest.warns(ResourceWarning, match="unclosed transport <.*ReadPipeTransport"):
            del transports[0]
        with pytest.warns(ResourceWarning, match="unclosed transport <.*WritePipeTransport"):
            del transports[0]
        assert reader.closed
        assert writer.closed


async def test_a_transport_that_nobody_keeps_is_kept_by_its_loop():
    received = []

    class Keeps(asyncio.Protocol):
        def data_received(self, data):
            received.append(data)

    with pipe() as (reader, writer):
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(Keeps, reader)
        gc.collect()
        writer.write(b"data")
        await until(lambda: received)
        writer.close()
        await until(lambda: reader.closed)


async def test_a_paused_transport_that_nobody_keeps_warns_and_closes_its_file():
    class Cycle(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

    with pipe() as (reader, _):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(Cycle, reader)
        transport.pause_reading()
        del transport, _
        await turns(3)
        with pytest.warns(ResourceWarning, match="unclosed transport"):
            gc.collect()
        assert reader.closed


async def test_closed_transports_and_their_protocols_are_freed():
    with pipe() as (reader, writer):
        async with reading(reader) as (read, first), writing(writer) as (write, second):
            freed = [weakref.ref(thing) for thing in (read, first, write, second)]
    del read, first, write, second
    await turns(3)
    gc.collect()
    assert [reference() for reference in freed] == [None] * 4


@pytest.mark.groundup_only
async def test_a_thousand_pipes_leave_nothing_behind():
    async def once():
        with pipe() as (reader, writer):
            async with reading(reader) as (_, protocol), writing(writer) as (transport, _):
                transport.write(b"x" * 1000)
                transport.close()
                await protocol.lost

    async def storm(count):
        for _ in range(count):
            await once()
        gc.collect()

    await storm(20)
    descriptors, objects = open_descriptors(), len(gc.get_objects())
    await storm(1000)
    assert open_descriptors() == descriptors
    assert abs(len(gc.get_objects()) - objects) < 100


def test_debug_mode_logs_the_life_of_a_pipe(new_loop, caplog):
    async def main():
        with pipe() as (reader, writer):
            async with reading(reader) as (read, protocol), writing(writer) as (write, _):
                read.pause_reading()
                read.resume_reading()
                write.close()
                await protocol.lost

    with contextlib.closing(new_loop()) as loop, caplog.at_level(logging.DEBUG, logger="asyncio"):
        loop.set_debug(True)
        loop.run_until_complete(main())
    logged = [
        re.sub(r"<_?(Unix)?(\w+) .*>", r"<\2>", re.sub(r"\d+", "N", message))
        for message in caplog.messages
        if "pipe" in message.lower()
    ]
    assert [message.split(" (")[0] for message in logged] == [
        "Read pipe N connected:",
        "Write pipe N connected:",
        "<ReadPipeTransport> pauses reading",
        "<ReadPipeTransport> resumes reading",
        "<ReadPipeTransport> was closed by peer",
    ]


@pytest.mark.groundup_only
async def test_debug_mode_refuses_to_close_from_another_thread():
    with pipe() as (reader, _):
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(asyncio.Protocol, reader)
        loop.set_debug(True)
        with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
            await asyncio.to_thread(transport.close)
        loop.set_debug(False)
        transport._pipe = None


def test_a_closed_loop_refuses_pipes():
    loop = groundup.new_event_loop()
    loop.close()
    with pipe() as (reader, _):
        connecting = loop.connect_read_pipe(asyncio.Protocol, reader)
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            connecting.send(None)
        assert not reader.closed
        assert os.get_blocking(reader.fileno())
