"""Where this loop differs from asyncio's on purpose: both are shown."""

from __future__ import annotations

import asyncio

import groundup

from .acts import Script
from .conftest import Asyncio, seen
from .tape import Tape, drain, pair


def both(scene):
    """What a scene returns on asyncio's loop and on this one."""

    def body(loop):
        tape = Tape(loop)
        with pair() as (tape.near, tape.far):
            tape.run(play(tape))
            return tape.result

    async def play(tape):
        tape.protocol = Script(tape)
        await tape.loop.create_connection(lambda: tape.protocol, sock=tape.near)
        tape.transport = tape.protocol.transport
        tape.result = await scene(tape)
        tape.transport.abort()
        await tape.turns()

    return [seen(loop, body).returned for loop in (Asyncio, groundup.new_event_loop)]


def received(far):
    try:
        return far.recv(100)
    except BlockingIOError:
        return None


def test_what_is_written_leaves_at_the_end_of_the_turn():
    async def scene(tape):
        tape.transport.write(b"data")
        before = received(tape.far)
        await asyncio.sleep(0)
        return before, received(tape.far)

    assert both(scene) == [(b"data", None), (None, b"data")]


def test_a_peer_that_is_gone_is_noticed_at_the_end_of_the_turn():
    async def scene(tape):
        tape.transport.pause_reading()
        tape.far.close()
        tape.transport.write(b"data")
        before = tape.transport.is_closing()
        await asyncio.sleep(0)
        after = tape.transport.is_closing()
        await tape.turns()
        return before, after, tape[-2:]

    lost = [("connection_lost", "BrokenPipeError(32, 'Broken pipe')"), "turn"]
    [asyncio_tells, groundup_tells] = both(scene)
    assert asyncio_tells[:2] == (True, True)
    assert groundup_tells[:2] == (False, True)
    assert groundup_tells[2] == lost


def test_asking_how_much_is_buffered_tells_at_once_that_the_peer_is_gone():
    async def scene(tape):
        tape.transport.pause_reading()
        tape.far.close()
        tape.transport.write(b"data")
        return tape.transport.get_write_buffer_size(), tape.transport.is_closing()

    assert both(scene) == [(0, True), (0, True)]


def test_writing_to_a_connection_that_was_closed_with_much_to_write_does_nothing():
    """asyncio fails by itself there."""

    async def scene(tape):
        tape.transport.write(bytes(1 << 20))
        tape.transport.close()
        while tape.transport.get_protocol() is not None:
            drain(tape.far)
            await asyncio.sleep(0)
        try:
            tape.transport.write(b"late")
        except AttributeError:
            return "failed"
        return "nothing"

    assert both(scene)[1] == "nothing"
