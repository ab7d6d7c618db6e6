"""What a stream's protocol does inside one of its methods, and what comes of it, turn by turn."""

from __future__ import annotations

import asyncio
import socket

import pytest

import groundup

from .acts import ACTS, Script
from .conftest import seen
from .tape import MUCH, Tape, drain, pair

METHODS = [
    "connection_made",
    "data_received",
    "eof_received",
    "pause_writing",
    "resume_writing",
    "connection_lost",
]


class Buffered(Script, asyncio.BufferedProtocol):
    """The same, but it is received into its buffer."""

    def get_buffer(self, sizehint):
        self.buffer = bytearray(100)
        self.tell("get_buffer")
        return self.buffer

    def buffer_updated(self, count):
        self.tell("data_received", bytes(self.buffer[:count]))


async def life(tape, protocol, near, far):
    """Lead a connection through all the states that it can have."""
    await tape.loop.create_connection(lambda: protocol, sock=near)
    transport = protocol.transport
    tape.state(transport)
    for data in (b"one", b"two"):
        far.send(data)
        await tape.turns()
    tape.state(transport)
    tape.attempt("write", transport.write, bytes(MUCH))
    tape.state(transport)
    await tape.turns()
    while (count := drain(far)) not in (0, "0 and the end"):
        tape.note("far received", count)
        await tape.turns(2)
    tape.note("far received", count)
    far.shutdown(socket.SHUT_WR)
    await tape.turns()
    tape.state(transport)
    tape.attempt("resume_reading", transport.resume_reading)
    await tape.turns()
    if transport.get_protocol() is not None:  # asyncio fails where it was closed with much to write
        tape.attempt("write", transport.write, b"last")
    tape.attempt("close", transport.close)
    tape.state(transport)
    await tape.turns()
    tape.note("far received", drain(far))
    tape.note("protocol", transport.get_protocol() is protocol)


# Where asyncio fails by itself: it ends a connection twice, or writes nothing at all.
ASYNCIO_FAILS = {
    ("resume_writing", act)
    for act in (
        *("close", "abort", "write and close", "write and abort", "close and write"),
        *("an interrupt", "an exit"),
    )
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [Script, Buffered])
def test_what_a_protocol_does_in_a_method(same, kind, method, act):
    def body(loop):
        tape = Tape(loop)
        with pair() as (near, far):
            return tape.run(life(tape, kind(tape, "", method, ACTS[act]), near, far))

    if (method, act) in ASYNCIO_FAILS:
        tape = seen(groundup.new_event_loop, body).returned
        assert not any("report" in note for note in tape)
        assert sum("connection_lost" in note for note in tape) == 1
    else:
        tape = same(body)
    assert any(method in note for note in tape)


@pytest.mark.parametrize("act", ACTS)
def test_what_a_protocol_does_in_get_buffer(same, act):
    def body(loop):
        tape = Tape(loop)
        with pair() as (near, far):
            return tape.run(life(tape, Buffered(tape, "", "get_buffer", ACTS[act]), near, far))

    assert "get_buffer" in same(body)
