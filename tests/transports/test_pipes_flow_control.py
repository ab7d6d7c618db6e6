"""Flow control of the writing end of a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

import pytest

from .connections import Recorder, turns, until
from .pipes import MUCH, fill, pipe, read_all, writing


async def test_the_protocol_is_paused_above_the_high_limit_and_resumed_below_the_low_one():
    with pipe() as (theirs, ours):
        async with writing(ours) as (transport, protocol):
            assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
            transport.set_write_buffer_limits(high=10)
            assert transport.get_write_buffer_limits() == (2, 10)
            fill(ours)
            transport.write(b"0123456789")
            assert protocol.calls == ["connection_made"]
            transport.write(b"0")
            assert protocol.calls == ["connection_made", "pause_writing"]
            assert transport.get_write_buffer_size() == 11
            transport.write(b"1")
            assert protocol.calls == ["connection_made", "pause_writing"]
            theirs.read(MUCH)
            await until(lambda: "resume_writing" in protocol.calls)
            assert transport.get_write_buffer_size() == 0
    assert protocol.calls == [
        "connection_made",
        "pause_writing",
        "resume_writing",
        "connection_lost",
    ]


async def test_lower_limits_pause_at_once():
    with pipe() as (_, ours):
        async with writing(ours) as (transport, protocol):
            fill(ours)
            transport.write(b"0123456789")
            transport.set_write_buffer_limits(high=5)
            assert protocol.calls == ["connection_made", "pause_writing"]


@pytest.mark.parametrize("limits", [{"high": 1, "low": 2}, {"low": -1}])
async def test_limits_that_make_no_sense_are_refused(limits):
    with pipe() as (_, ours):
        async with writing(ours) as (transport, _):
            with pytest.raises(ValueError, match=r"high .* must be >= low .* must be >= 0"):
                transport.set_write_buffer_limits(**limits)


async def test_a_full_pipe_that_nobody_reads_costs_no_time():
    with pipe() as (_, ours):
        async with writing(ours) as (transport, _):
            transport.write(b"x" * MUCH)
            spent = time.process_time()
            await asyncio.sleep(0.2)
            assert time.process_time() - spent < 0.1


@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
async def test_an_exception_in_flow_control_is_reported_and_writing_goes_on(method, reports):
    def stumble(self):
        getattr(Recorder, method)(self)
        raise ZeroDivisionError

    stumbles = type("Stumbles", (Recorder,), {method: stumble})
    with pipe() as (theirs, ours):
        async with writing(ours, stumbles) as (transport, protocol):
            transport.write(b"x" * MUCH)
            transport.close()
            assert len(await read_all(theirs)) == MUCH
            await protocol.lost
    [report] = reports
    assert report["message"] == f"protocol.{method}() failed"
    assert isinstance(report["exception"], ZeroDivisionError)
    assert report["transport"] is transport
    assert report["protocol"] is protocol


async def test_closing_in_pause_writing_still_writes_all():
    class Closes(Recorder):
        def pause_writing(self):
            super().pause_writing()
            self.transport.close()

    with pipe() as (theirs, ours):
        async with writing(ours, Closes) as (transport, protocol):
            transport.write(b"x" * MUCH)
            assert len(await read_all(theirs)) == MUCH
            assert await protocol.lost is None


@pytest.mark.groundup_only
@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("is_closing", [False, True])
async def test_ending_in_resume_writing_ends_once(end, is_closing):
    class Ends(Recorder):
        def resume_writing(self):
            super().resume_writing()
            getattr(self.transport, end)()

    with pipe() as (theirs, ours):
        async with writing(ours, Ends) as (transport, protocol):
            transport.set_write_buffer_limits(high=0)
            transport.write(b"x" * MUCH)
            if is_closing:
                transport.close()
            assert len(await read_all(theirs)) == MUCH
            assert await protocol.lost is None
            await turns(3)
    assert protocol.calls.count("connection_lost") == 1


async def test_a_stream_writer_drains_as_the_pipe_is_read():
    loop = asyncio.get_running_loop()
    with pipe() as (theirs, ours):
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, ours)
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        read = asyncio.create_task(read_all(theirs))
        for _ in range(16):
            writer.write(b"x" * (MUCH // 16))
            await writer.drain()
        writer.close()
        assert len(await read) == MUCH
        await until(lambda: ours.closed)


async def test_a_reader_that_takes_a_byte_at_a_time_gets_all():
    data = os.urandom(3000)
    with pipe() as (theirs, ours):
        filled = fill_up(ours)
        async with writing(ours) as (transport, protocol):
            transport.write(data)
            transport.close()
            received = bytearray()
            os.set_blocking(theirs.fileno(), False)
            while not (protocol.lost.done() and len(received) == filled + len(data)):
                with contextlib.suppress(BlockingIOError):
                    received += os.read(theirs.fileno(), 1 if len(received) > filled else 4096)
                await asyncio.sleep(0)
    assert received[filled:] == data


def fill_up(file) -> int:
    os.set_blocking(file.fileno(), False)
    return fill(file)
