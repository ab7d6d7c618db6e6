"""The reading end of a pipe: what the protocol hears, in which order, and of which files."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import time

import pytest

from .connections import Recorder, reset, tcp_pair, turns, until
from .pipes import MUCH, pipe, reading


async def test_bytes_arrive_and_then_the_end_of_the_file():
    with pipe() as (ours, theirs):
        async with reading(ours) as (transport, protocol):
            theirs.write(b"one")
            await until(lambda: protocol.received == b"one")
            theirs.write(b"two")
            theirs.close()
            assert await protocol.lost is None
    assert protocol.received == b"onetwo"
    assert protocol.calls == [
        "connection_made",
        "data_received",
        "data_received",
        "eof_received",
        "connection_lost",
    ]
    assert transport.is_closing()
    assert ours.closed


async def test_what_was_written_before_connecting_arrives():
    with pipe() as (ours, theirs):
        theirs.write(b"early")
        theirs.close()
        async with reading(ours) as (_, protocol):
            await protocol.lost
    assert protocol.received == b"early"


async def test_a_megabyte_arrives_whole():
    data = os.urandom(MUCH)
    with pipe() as (ours, theirs):
        async with reading(ours) as (_, protocol):
            await asyncio.to_thread(theirs.write, data)
            theirs.close()
            await protocol.lost
    assert protocol.received == data


async def test_the_end_of_the_file_closes_even_if_the_protocol_would_go_on():
    class StaysOpen(Recorder):
        def eof_received(self):
            super().eof_received()
            return True

    with pipe() as (ours, theirs):
        async with reading(ours, StaysOpen) as (_, protocol):
            theirs.close()
            assert await protocol.lost is None


async def test_an_error_of_reading_is_reported_and_ends_the_connection(reports):
    near, far = tcp_pair()
    with near:
        async with reading(near) as (transport, protocol):
            reset(far)
            lost = await protocol.lost
    assert isinstance(lost, ConnectionResetError)
    [report] = reports
    assert report["message"] == "Fatal read error on pipe transport"
    assert report["exception"] is lost
    assert report["transport"] is transport
    assert report["protocol"] is protocol


async def test_nothing_is_received_while_paused():
    with pipe() as (ours, theirs):
        async with reading(ours) as (transport, protocol):
            assert transport.is_reading()
            transport.pause_reading()
            transport.pause_reading()
            assert not transport.is_reading()
            theirs.write(b"later")
            await turns(5)
            assert protocol.received == b""
            transport.resume_reading()
            transport.resume_reading()
            assert transport.is_reading()
            await until(lambda: protocol.received == b"later")


@pytest.mark.parametrize("is_paused", [False, True])
async def test_a_pipe_on_which_nothing_happens_costs_no_time(is_paused):
    with pipe() as (ours, theirs):
        async with reading(ours) as (transport, _):
            if is_paused:
                transport.pause_reading()
                theirs.write(b"unread")
                theirs.close()
            spent = time.process_time()
            await asyncio.sleep(0.2)
            assert time.process_time() - spent < 0.1


async def test_pausing_in_connection_made_holds_from_the_start():
    class Pauses(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

    with pipe() as (ours, theirs):
        theirs.write(b"early")
        async with reading(ours, Pauses) as (transport, protocol):
            await turns(5)
            assert protocol.received == b""
            transport.resume_reading()
            await until(lambda: protocol.received == b"early")


async def test_closing_in_data_received_is_the_end():
    class Closes(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.transport.close()

    with pipe() as (ours, theirs):
        async with reading(ours, Closes) as (transport, protocol):
            theirs.write(b"one")
            assert await protocol.lost is None
            assert transport.get_protocol() is None
            transport.resume_reading()
            transport.pause_reading()
            transport.close()
    assert protocol.calls == ["connection_made", "data_received", "connection_lost"]
    assert ours.closed


async def test_closing_twice_is_closing_once():
    with pipe() as (ours, _):
        async with reading(ours) as (transport, protocol):
            transport.close()
            assert transport.is_closing()
            assert not transport.is_reading()
            transport.close()
            await protocol.lost
            await turns(3)
    assert protocol.calls == ["connection_made", "connection_lost"]


async def test_an_exception_in_data_received_is_reported_and_reading_goes_on(reports):
    class Stumbles(Recorder):
        def data_received(self, data):
            super().data_received(data)
            if len(self.received) == 3:
                raise ZeroDivisionError

    with pipe() as (ours, theirs):
        async with reading(ours, Stumbles) as (_, protocol):
            theirs.write(b"one")
            await until(lambda: reports)
            theirs.write(b"two")
            await until(lambda: protocol.received == b"onetwo")
    [report] = reports
    assert isinstance(report["exception"], ZeroDivisionError)
    assert report["message"].startswith("Exception in callback ")
    assert isinstance(report["handle"], asyncio.Handle)


@pytest.mark.parametrize("method", ["connection_made", "eof_received", "connection_lost"])
async def test_an_exception_in_another_method_is_reported_and_the_pipe_closed(method, reports):
    def stumble(self, *args):
        getattr(Recorder, method)(self, *args)
        raise ZeroDivisionError

    stumbles = type("Stumbles", (Recorder,), {method: stumble})
    with pipe() as (ours, theirs):
        async with reading(ours, stumbles) as (_, protocol):
            theirs.write(b"data")
            theirs.close()
            await until(lambda: ours.closed)
    assert protocol.received == b"data"
    [report] = reports
    assert isinstance(report["exception"], ZeroDivisionError)


@pytest.mark.groundup_only
async def test_a_protocol_without_eof_received_still_loses_the_connection(reports):
    lost = asyncio.get_running_loop().create_future()

    class Lacks:
        def connection_made(self, transport):
            pass

        def connection_lost(self, exc):
            lost.set_result(exc)

    with pipe() as (ours, theirs):
        async with reading(ours, Lacks):
            theirs.close()
            assert await lost is None
    assert [type(report["exception"]) for report in reports] == [AttributeError]


def test_keyboard_interrupt_in_data_received_ends_the_run(new_loop):
    class Interrupts(Recorder):
        def data_received(self, data):
            raise KeyboardInterrupt

    async def main():
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(Interrupts, ours)
        theirs.write(b"data")
        await asyncio.sleep(10)

    with pipe() as (ours, theirs), contextlib.closing(new_loop()) as loop:
        main_task = loop.create_task(main())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main_task)
        main_task.cancel()
        theirs.close()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(main_task)
        for _ in range(5):
            loop.run_until_complete(asyncio.sleep(0))
        assert ours.closed


async def test_another_protocol_hears_of_what_follows():
    with pipe() as (ours, theirs):
        async with reading(ours) as (transport, first):
            second = Recorder()
            transport.set_protocol(second)
            assert transport.get_protocol() is second
            theirs.write(b"data")
            theirs.close()
            await second.lost
    assert first.calls == ["connection_made"]
    assert second.calls == ["data_received", "eof_received", "connection_lost"]


async def test_each_call_runs_in_the_context_of_who_connected():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Looks(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            seen.append(variable.get())

        def data_received(self, data):
            super().data_received(data)
            seen.append(variable.get())

        def connection_lost(self, exc):
            super().connection_lost(exc)
            seen.append(variable.get())

    with pipe() as (ours, theirs):
        variable.set("connecting")
        async with reading(ours, Looks) as (_, protocol):
            variable.set("later")
            theirs.write(b"data")
            theirs.close()
            await protocol.lost
    assert seen == ["connecting"] * 3


async def test_a_stream_reader_reads_lines_from_a_pipe():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=8)
    with pipe() as (ours, theirs):
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), ours
        )
        theirs.write(b"one\ntwo\n" * 100)
        theirs.close()
        assert [line async for line in reader] == [b"one\n", b"two\n"] * 100
        transport.close()
        await until(lambda: ours.closed)
