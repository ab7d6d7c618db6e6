"""What a pipe's protocol does inside one of its methods, and what comes of it, turn by turn."""

from __future__ import annotations

import os

import pytest

import groundup

from .acts import RAISING, Script, close_and_write, pause_and_resume, write_and_close
from .conftest import Asyncio, seen
from .tape import MUCH, Tape

READING = RAISING | {
    "close": lambda protocol: protocol.transport.close(),
    "pause_reading": lambda protocol: protocol.transport.pause_reading(),
    "resume_reading": lambda protocol: protocol.transport.resume_reading(),
    "pause and resume": pause_and_resume,
    "another protocol": lambda protocol: protocol.transport.set_protocol(
        Script(protocol.tape, "other ")
    ),
}

WRITING = RAISING | {
    "close": lambda protocol: protocol.transport.close(),
    "abort": lambda protocol: protocol.transport.abort(),
    "write": lambda protocol: protocol.transport.write(b"written"),
    "write_eof": lambda protocol: protocol.transport.write_eof(),
    "write and close": write_and_close,
    "close and write": close_and_write,
    "limits": lambda protocol: protocol.transport.set_write_buffer_limits(high=0),
}


async def read_on(tape, protocol, ours, theirs):
    await tape.loop.connect_read_pipe(lambda: protocol, ours)
    transport = protocol.transport
    for data in (b"one", b"two"):
        os.write(theirs, data)
        await tape.turns()
    tape.state(transport)
    tape.attempt("resume_reading", transport.resume_reading)
    os.close(theirs)
    await tape.turns()
    tape.state(transport)
    tape.attempt("close", transport.close)
    tape.attempt("resume_reading", transport.resume_reading)
    await tape.turns()
    tape.note("protocol", transport.get_protocol() is protocol)


@pytest.mark.parametrize("act", READING)
@pytest.mark.parametrize(
    "method", ["connection_made", "data_received", "eof_received", "connection_lost"]
)
def test_what_a_reader_does_in_a_method(same, method, act):
    def body(loop):
        tape = Tape(loop)
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", 0) as file:
            protocol = Script(tape, "", method, READING[act])
            return tape.run(read_on(tape, protocol, file, writing))

    same(body)


def take(theirs):
    """Take what is in the pipe; tell if there was much, something or nothing."""
    try:
        count = len(os.read(theirs, MUCH))
    except BlockingIOError:
        return 0
    return "much" if count > 1000 else count


async def write_on(tape, protocol, ours, theirs):
    await tape.loop.connect_write_pipe(lambda: protocol, ours)
    transport = protocol.transport
    tape.attempt("write", transport.write, b"some")
    await tape.turns()
    tape.note("received", take(theirs))
    tape.attempt("write", transport.write, bytes(1 << 18))
    await tape.turns()
    while take(theirs):
        await tape.turns(2)
    tape.state(transport)
    tape.attempt("write", transport.write, b"more")
    await tape.turns()
    os.close(theirs)
    await tape.turns()
    tape.attempt("write", transport.write, b"to nobody")
    await tape.turns()
    tape.state(transport)
    tape.attempt("close", transport.close)
    await tape.turns()
    tape.note("protocol", transport.get_protocol() is protocol)


# Where asyncio ends a connection twice, and reports the second time.
ASYNCIO_FAILS = {
    ("connection_lost", "abort"),
    *(
        ("resume_writing", act)
        for act in ("close", "abort", "write_eof", "write and close", "close and write")
    ),
}
# Three bytes are left for a second write: asyncio's protocol is resumed when they are written, this
# loop's before.
RESUMED_EARLIER = ("pause_writing", "write and close")


@pytest.mark.parametrize("act", WRITING)
@pytest.mark.parametrize(
    "method", ["connection_made", "pause_writing", "resume_writing", "connection_lost"]
)
def test_what_a_writer_does_in_a_method(same, method, act):
    def body(loop):
        tape = Tape(loop)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with os.fdopen(writing, "wb", 0) as file:
            protocol = Script(tape, "", method, WRITING[act])
            return tape.run(write_on(tape, protocol, file, reading))

    if (method, act) in ASYNCIO_FAILS:
        tape = seen(groundup.new_event_loop, body).returned
        assert not any("report" in note for note in tape)
        assert sum("connection_lost" in note for note in tape) == 1
    elif (method, act) == RESUMED_EARLIER:
        tapes = [seen(loop, body).returned for loop in (Asyncio, groundup.new_event_loop)]
        untimed = [[note for note in tape if note != "turn"] for tape in tapes]
        assert tapes[0] != tapes[1]
        assert untimed[0] == untimed[1]
    else:
        same(body)
