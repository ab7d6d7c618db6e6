"""What is warned of and logged: for what nobody closed, and in debug mode."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from .acts import Script
from .tape import Tape, pair


async def stream(tape):
    await tape.loop.create_connection(lambda: Script(tape), sock=tape.near)


async def datagrams(tape):
    near, tape.other = socket.socketpair(type=socket.SOCK_DGRAM)
    near.setblocking(False)
    await tape.loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=near)


async def reading_pipe(tape):
    reading, tape.writing = os.pipe()
    file = os.fdopen(reading, "rb", 0)
    await tape.loop.connect_read_pipe(lambda: Script(tape), file)


async def writing_pipe(tape):
    tape.writing, writing = os.pipe()
    file = os.fdopen(writing, "wb", 0)
    await tape.loop.connect_write_pipe(lambda: Script(tape), file)


async def task(tape):
    tape.loop.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)


async def failed_task(tape):
    async def fail():
        raise LookupError("nobody asks")

    tape.loop.create_task(fail())
    await asyncio.sleep(0)


async def failed_future(tape):
    tape.loop.create_future().set_exception(LookupError("nobody asks"))


async def coroutine(tape):
    fail = asyncio.sleep
    fail(60)


async def generator(tape):
    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            tape.note("finalised")

    async for _ in numbers():
        break
    await asyncio.sleep(0)


THINGS = [
    *(stream, datagrams, reading_pipe, writing_pipe),
    *(task, failed_task, failed_future, coroutine, generator),
]


def left_over(loop, thing):
    tape = Tape(loop)
    tape.writing, tape.other = None, None
    with pair() as (tape.near, tape.far):
        tape.run(thing(tape))
        loop.close()
        if tape.other is not None:
            tape.other.close()
        if tape.writing is not None:
            os.close(tape.writing)
        return list(tape)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.__name__)
def test_what_nobody_closed_is_warned_of(same, thing):
    same(lambda loop: left_over(loop, thing))


def test_the_life_of_connections_is_logged_in_debug_mode(same):
    async def scene(tape):
        loop = tape.loop
        transport, protocol = await loop.create_connection(lambda: Script(tape), sock=tape.near)
        transport.pause_reading()
        transport.resume_reading()
        tape.far.send(b"x")
        await tape.turns()
        protocol.method, protocol.act = "data_received", lambda protocol: 1 // 0
        tape.far.send(b"x")
        await tape.turns()
        await tape.turns()

    def body(loop):
        tape = Tape(loop)
        loop.set_debug(True)
        loop.slow_callback_duration = 10
        with pair() as (tape.near, tape.far):
            return tape.run(scene(tape))

    same(body)


def test_an_error_of_the_network_is_logged_in_debug_mode_only(same):
    async def scene(tape):
        loop = tape.loop
        await loop.create_connection(lambda: Script(tape), sock=tape.near)
        tape.near.send(b"never read")
        tape.far.close()
        await tape.turns(5)

    for debug in (False, True):

        def body(loop, debug=debug):
            tape = Tape(loop)
            loop.set_debug(debug)
            loop.slow_callback_duration = 10
            with pair() as (tape.near, tape.far):
                return tape.run(scene(tape))

        notes = same(body)
        assert any("ConnectionResetError" in str(note) for note in notes)
