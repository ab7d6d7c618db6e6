"""Receiving when it fails: the network's errors, and what a protocol raises."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket

import pytest

from .connections import (
    Recorder,
    connected,
    reset,
    tcp_pair,
    until,
)


async def test_the_peers_reset_is_told_as_the_reason():
    async with connected() as (_transport, protocol, far):
        reset(far)
        reason = await protocol.lost
        assert isinstance(reason, ConnectionResetError)
        assert reason.errno == errno.ECONNRESET
        assert str(reason) == f"[Errno {errno.ECONNRESET}] Connection reset by peer"
        assert protocol.calls == ["connection_made", "connection_lost"]


@pytest.mark.parametrize(
    ("method", "act"),
    [
        ("data_received", lambda far: far.send(b"x")),
        ("eof_received", lambda far: far.shutdown(socket.SHUT_WR)),
    ],
    ids=["data_received", "eof_received"],
)
async def test_what_a_protocol_raises_is_reported_and_ends_its_connection(reports, method, act):
    error = LookupError(method)

    def fail(*args):
        raise error

    async with connected() as (_, other, other_far), connected() as (transport, protocol, far):
        setattr(protocol, method, fail)
        act(far)
        assert await protocol.lost is error
        [report] = reports
        assert report == {
            "message": f"Fatal error: protocol.{method}() call failed.",
            "exception": error,
            "transport": transport,
            "protocol": protocol,
        }
        other_far.send(b"still here")
        await until(lambda: other.received == b"still here")


async def test_an_oserror_of_a_protocol_ends_its_connection_quietly(reports):
    error = FileNotFoundError("nowhere")

    class Protocol(Recorder):
        def data_received(self, data):
            raise error

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x")
        assert await protocol.lost is error
        assert reports == []


async def test_a_cancelled_error_of_a_protocol_ends_its_connection(reports):
    class Protocol(Recorder):
        def data_received(self, data):
            raise asyncio.CancelledError

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x")
        assert isinstance(await protocol.lost, asyncio.CancelledError)
        assert len(reports) == 1


async def test_pausing_the_end_of_file_and_errors_are_logged_in_debug_mode(caplog):
    caplog.set_level(logging.DEBUG, logger="asyncio")
    asyncio.get_running_loop().set_debug(True)

    class Protocol(Recorder):
        def data_received(self, data):
            raise FileNotFoundError("nowhere")

    async with connected(Protocol) as (transport, protocol, far):
        transport.pause_reading()
        transport.resume_reading()
        far.send(b"x")
        await protocol.lost
    async with connected() as (_, protocol, far):
        far.close()
        await protocol.lost
    texts = [record.getMessage() for record in caplog.records]
    for ending in (
        " pauses reading",
        " resumes reading",
        ": Fatal error: protocol.data_received() call failed.",
        " received EOF",
    ):
        assert any(text.startswith("<") and text.endswith(ending) for text in texts), ending


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("method", ["connection_made", "data_received", "eof_received"])
def test_the_run_can_be_ended_and_taken_up_again(new_loop, method, kind):
    ended = []

    def end_run(name):
        if name == method and not ended:
            ended.append(name)
            raise kind

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            end_run("connection_made")

        def data_received(self, data):
            super().data_received(data)
            end_run("data_received")

        def eof_received(self):
            super().eof_received()
            end_run("eof_received")

    async def main():
        transport, protocol = await loop.create_connection(Protocol, sock=near)
        far.send(b"one")
        await until(lambda: protocol.received == b"one")
        far.shutdown(socket.SHUT_WR)
        await until(lambda: "eof_received" in protocol.calls)
        transport.close()
        await protocol.lost
        return protocol

    loop = new_loop()
    near, far = tcp_pair()
    task = loop.create_task(main())
    with far:
        with pytest.raises(kind):
            loop.run_until_complete(task)
        protocol = loop.run_until_complete(task)
    assert ended == [method]
    loop.close()
    # An end of file that ended the run is told once more.
    heard = list(dict.fromkeys(protocol.calls))
    assert heard == ["connection_made", "data_received", "eof_received", "connection_lost"]
