"""What is done to a stream in an order made up at random, by its owner and by its peer."""

from __future__ import annotations

import random
import socket

import pytest

from .acts import Script
from .tape import MUCH, Tape, amount, drain, pair

SEEDS = range(150)
LENGTH = 12


class Ends(Script):
    """A protocol that closes at the end of file."""

    keeps_open = False


class Scene:
    """A connection, and what may be done to it."""

    def __init__(self, tape, protocol, far):
        self.tape, self.far = tape, far
        self.transport = protocol.transport

    def write(self):
        self.tape.attempt("write", self.transport.write, b"some")

    def write_much(self):
        self.tape.attempt("write much", self.transport.write, bytes(MUCH))

    def writelines(self):
        # asyncio raises a TypeError of its own after close.
        if not self.transport.is_closing():
            pieces = [b"one", b"", b"two"]
            self.tape.attempt("writelines", self.transport.writelines, pieces)

    def write_nothing(self):
        self.tape.attempt("write nothing", self.transport.write, b"")

    def write_text(self):
        self.tape.attempt("write text", self.transport.write, "text")

    def write_eof(self):
        self.tape.attempt("write_eof", self.transport.write_eof)

    def pause_reading(self):
        self.tape.attempt("pause_reading", self.transport.pause_reading)

    def resume_reading(self):
        self.tape.attempt("resume_reading", self.transport.resume_reading)

    def another_protocol(self):
        protocol = Script(self.tape, "other ")
        protocol.transport = self.transport
        self.tape.attempt("set_protocol", self.transport.set_protocol, protocol)

    def low_limits(self):
        self.tape.attempt("limits", self.transport.set_write_buffer_limits, 100, 10)

    def close(self):
        self.tape.attempt("close", self.transport.close)

    def abort(self):
        self.tape.attempt("abort", self.transport.abort)

    def tell(self):
        self.tape.state(self.transport)
        self.tape.attempt("peername", self.transport.get_extra_info, "peername")
        self.tape.attempt("nothing", self.transport.get_extra_info, "nothing", 5)
        self.tape.attempt("writes eof", self.transport.can_write_eof)

    def peer_sends(self):
        if not self.is_gone():
            self.tape.attempt("peer sends", self.far.send, b"from the peer")

    def peer_receives(self):
        if not self.is_gone():
            self.tape.note("peer receives", amount(drain(self.far)))

    def peer_ends(self):
        if not self.is_gone():
            self.tape.attempt("peer ends", self.far.shutdown, socket.SHUT_WR)

    def peer_goes(self):
        self.tape.attempt("peer goes", self.far.close)

    def is_gone(self):
        return self.far.fileno() < 0


ACTS = [name for name in vars(Scene) if not name.startswith(("_", "is_"))]


async def play(tape, kind, rng, near, far):
    await tape.loop.create_connection(lambda: protocol_of(tape, kind), sock=near)
    scene = Scene(tape, tape.protocol, far)
    for _ in range(LENGTH):
        act = rng.choice(ACTS)
        if act.startswith("peer"):
            # What is written leaves at the end of the turn, where asyncio sends it at once.
            await tape.turns(1)
        getattr(scene, act)()
        if rng.random() < 0.6 or scene.is_gone():
            # A write that fails is known at the end of the turn, too.
            await tape.turns(3 if scene.is_gone() else rng.randrange(1, 3))
        if scene.transport.get_protocol() is None:
            break
    await tape.turns()
    scene.tell()
    scene.peer_receives()
    scene.transport.abort()
    await tape.turns()


def protocol_of(tape, kind):
    tape.protocol = kind(tape)
    return tape.protocol


@pytest.mark.parametrize("kind", [Script, Ends])
def test_a_connection_made_up_at_random(same, kind):
    for seed in SEEDS:

        def body(loop, seed=seed):
            tape = Tape(loop)
            with pair() as (near, far):
                return tape.run(play(tape, kind, random.Random(seed), near, far))

        same(body)
