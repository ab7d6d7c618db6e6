"""The writing end of a pipe: what arrives, flow control, and how it ends."""

from __future__ import annotations

import logging
import os
import socket

import pytest

from .connections import Recorder, turns, until
from .pipes import MUCH, fill, pipe, read_all, terminal, writing


async def test_what_is_written_arrives_in_order():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"bytes ")
            transport.write(bytearray(b"bytearray "))
            transport.write(memoryview(b"-memoryview-")[1:-1])
            transport.write(b"")
            transport.writelines([b" one", bytearray(b" two"), b"", memoryview(b" three")])
            transport.close()
            assert await protocol.lost is None
        assert theirs.read() == b"bytes bytearray memoryview one two three"
    assert protocol.calls == ["connection_made", "connection_lost"]
    assert ours.closed


async def test_a_write_reaches_the_pipe_at_once():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, _):
            transport.write(b"now")
            os.set_blocking(theirs.fileno(), False)
            assert theirs.read() == b"now"


@pytest.mark.parametrize("end", ["close", "write_eof"])
async def test_closing_waits_until_all_is_written(end):
    data = os.urandom(MUCH)
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            assert transport.can_write_eof()
            transport.write(data)
            getattr(transport, end)()
            getattr(transport, end)()
            assert transport.is_closing()
            assert await read_all(theirs) == data
            assert await protocol.lost is None
    assert protocol.calls == [
        "connection_made",
        "pause_writing",
        "resume_writing",
        "connection_lost",
    ]


async def test_what_changes_after_the_write_is_written_as_it_was():
    data = bytearray(b"x" * MUCH)
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(data)
            data[:] = b"y" * MUCH
            transport.close()
            assert await read_all(theirs) == b"x" * MUCH
            await protocol.lost


async def test_many_small_writes_to_a_full_pipe_keep_their_order():
    pieces = [b"%d," % number for number in range(1000)]
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            filled = fill(ours)
            for piece in pieces:
                transport.write(piece)
            assert transport.get_write_buffer_size() == len(b"".join(pieces))
            transport.close()
            received = await read_all(theirs)
            await protocol.lost
    assert received[filled:] == b"".join(pieces)


@pytest.mark.groundup_only
@pytest.mark.parametrize("data", ["text", 5, None, [b"list"]])
async def test_what_is_not_bytes_is_refused(data):
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            with pytest.raises(TypeError, match="bytes-like object"):
                transport.write(data)
            transport.close()
            await protocol.lost
        assert theirs.read() == b""


async def test_the_protocol_hears_that_the_reader_has_closed():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"unread")
            await turns(3)
            theirs.close()
            assert await protocol.lost is None
            assert transport.is_closing()


async def test_the_protocol_hears_that_the_reader_has_closed_before_all_was_read():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"x" * MUCH)
            theirs.close()
            assert isinstance(await protocol.lost, BrokenPipeError)
            assert transport.get_write_buffer_size() == 0


async def test_a_write_to_a_pipe_without_reader_ends_the_connection():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            theirs.close()
            transport.write(b"nobody")
            assert transport.is_closing()
            assert isinstance(await protocol.lost, BrokenPipeError)
    assert protocol.calls == ["connection_made", "connection_lost"]


async def test_a_reader_that_closes_while_the_writer_closes_breaks_the_pipe():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"x" * MUCH)
            transport.close()
            await turns(3)
            theirs.close()
            assert isinstance(await protocol.lost, BrokenPipeError)


async def test_a_socket_can_be_written_and_tells_of_its_peer():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with writing(ours) as (transport, protocol):
            transport.write(b"socket")
            assert theirs.recv(10) == b"socket"
            theirs.close()
            assert await protocol.lost is None


async def test_a_terminal_can_be_written():
    with terminal() as (theirs, ours):
        async with writing(ours) as (transport, _):
            transport.write(b"shown")
            assert theirs.read(5) == b"shown"


async def test_a_device_that_cannot_be_polled_can_be_written():
    with open("/dev/null", "wb", 0) as ours:
        async with writing(ours) as (transport, protocol):
            transport.write(b"x" * MUCH)
            assert transport.get_write_buffer_size() == 0
            transport.close()
            assert await protocol.lost is None


async def test_aborting_drops_what_is_buffered():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"x" * MUCH)
            transport.abort()
            assert transport.is_closing()
            assert transport.get_write_buffer_size() == 0
            assert await protocol.lost is None
        assert 0 < len(theirs.read()) < MUCH


@pytest.mark.groundup_only
async def test_aborting_twice_is_aborting_once():
    with pipe() as (_, ours):
        async with writing(ours) as (transport, protocol):
            transport.write(b"x" * MUCH)
            transport.close()
            transport.abort()
            transport.abort()
            await protocol.lost
            transport.abort()
            await turns(3)
    assert protocol.calls == ["connection_made", "pause_writing", "connection_lost"]


async def test_writing_after_closing_is_ignored_and_repeating_it_logged(caplog):
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            transport.close()
            with caplog.at_level(logging.WARNING, logger="asyncio"):
                for _ in range(5):
                    transport.write(b"late")
                assert caplog.messages == []
                transport.write(b"late")
            await protocol.lost
            transport.writelines([b"later"])
        assert theirs.read() == b""
    message = "pipe closed by peer or os.write(pipe, data) raised exception."
    assert caplog.messages == [message] * 2


async def test_an_exception_in_connection_lost_is_reported_and_the_pipe_closed(reports):
    class Stumbles(Recorder):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            raise ZeroDivisionError

    with pipe() as (_, ours):
        async with writing(ours, Stumbles) as (transport, _):
            transport.close()
            await until(lambda: ours.closed)
    [report] = reports
    assert isinstance(report["exception"], ZeroDivisionError)
