"""A server and its connections: closing either, at every stage of the other."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import sys
import tempfile

import pytest

import groundup
from comparison import outcome

from .acts import ACTS, Script
from .conftest import seen
from .tape import Tape, drain, neutral


@contextlib.contextmanager
def listening():
    """A Unix socket that is bound, and the means to call it, which is heard at once."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as callers:
        listener = callers.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(os.path.join(folder, "s"))

        def call():
            caller = callers.enter_context(socket.socket(socket.AF_UNIX))
            caller.setblocking(False)
            caller.connect(listener.getsockname())
            return caller

        yield listener, call


class Scene:
    """A server, and what may be done to it, in any order."""

    def __init__(self, tape, server, call):
        self.tape, self.server, self.call = tape, server, call
        self.callers, self.waiting = [], []

    def call_(self):
        self.callers.append(self.call())

    def send(self):
        for caller in self.callers:
            self.tape.attempt("send", caller.send, b"data")

    def hang_up(self):
        for caller in self.callers:
            self.tape.note("received", drain(caller))
            caller.close()
        self.callers.clear()

    def close(self):
        self.tape.attempt("close", self.server.close)

    def close_clients(self):
        if sys.version_info >= (3, 13):
            self.tape.attempt("close_clients", self.server.close_clients)

    def abort_clients(self):
        if sys.version_info >= (3, 13):
            self.tape.attempt("abort_clients", self.server.abort_clients)

    def wait_closed(self):
        self.wait("wait_closed")

    def serve_forever(self):
        self.wait("serve_forever")

    def start_serving(self):
        self.wait("start_serving")

    def wait(self, name):
        task = self.tape.loop.create_task(getattr(self.server, name)())
        task.add_done_callback(
            lambda done: self.tape.note(name, done.cancelled() or neutral(done.exception()))
        )
        self.waiting.append(task)

    def cancel(self):
        for task in self.waiting:
            task.cancel()

    def tell(self):
        self.tape.note("is_serving", self.server.is_serving(), len(self.server.sockets))


async def play(tape, acts, listener, call):
    made = itertools.count()
    server = await tape.loop.create_unix_server(
        lambda: Ends(tape, f"{next(made)} "), sock=listener, start_serving=False
    )
    await server.start_serving()
    scene = Scene(tape, server, call)
    for act in acts:
        getattr(scene, act)()
        # asyncio needs some turns more to accept.
        await tape.turns(7)
        scene.tell()
    scene.hang_up()
    await tape.turns(7)
    scene.close()
    await tape.turns(7)
    scene.cancel()
    await tape.turns(7)


class Ends(Script):
    keeps_open = False


# Each after a connection that was made, which is or is not served yet.
ENDS = ["close", "close_clients", "abort_clients", "wait_closed", "serve_forever", "hang_up"]


def is_same(first, second):
    """Whether asyncio does in this version what this loop does in all."""
    if first == "close" and second in ("call_", "start_serving"):
        return False  # nobody listens, and asyncio fails by itself when it is to listen again
    # Newer versions close the clients, too, when serve_forever ends.
    return {first, second} not in ({"serve_forever", "close"}, {"serve_forever", "cancel"})


PAIRS = [
    (first, second)
    for first in ENDS
    for second in (*ENDS, "start_serving", "cancel", "call_")
    if is_same(first, second)
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_server_and_its_connections_end_in_any_order(same, first, second):
    def body(loop):
        tape = Tape(loop)
        with listening() as (listener, call):
            return tape.run(play(tape, ["call_", "send", first, second], listener, call))

    same(body)


@pytest.mark.parametrize("act", ["close", "close_clients", "abort_clients"])
@pytest.mark.parametrize("turns", range(6))
def test_a_server_ends_while_it_accepts(act, turns):
    """asyncio fails by itself when that happens between the turns that it takes to accept."""

    async def scene(tape, listener, call):
        server = await tape.loop.create_unix_server(lambda: Ends(tape), sock=listener)
        with call():
            await tape.turns(turns)
            if hasattr(server, act):
                getattr(server, act)()
            server.close()
        await server.wait_closed()
        await tape.turns(7)

    def body(loop):
        tape = Tape(loop)
        with listening() as (listener, call):
            return tape.run(scene(tape, listener, call))

    notes = [note for note in seen(groundup.new_event_loop, body).returned if note != "turn"]
    ends = [note for note in notes if note not in ("connection_made", "eof_received")]
    assert notes.count("connection_made") == len(ends)
    assert all(end[0] == "connection_lost" for end in ends)


@pytest.mark.parametrize("act", ["close", "abort", "write much", "an exception"])
@pytest.mark.parametrize("method", ["connection_made", "data_received", "connection_lost"])
def test_an_accepted_protocol_acts(same, method, act):
    async def scene(tape, listener, call):
        server = await tape.loop.create_unix_server(
            lambda: Ends(tape, "", method, ACTS[act]), sock=listener
        )
        caller = call()
        await tape.turns(7)
        tape.attempt("send", caller.send, b"data")
        await tape.turns(7)
        while drain(caller) not in (0, "0 and the end", "ConnectionResetError"):
            await tape.turns(2)
        caller.close()
        await tape.turns(7)
        server.close()
        await tape.turns(7)

    def body(loop):
        tape = Tape(loop)
        with listening() as (listener, call):
            return tape.run(scene(tape, listener, call))

    same(body)


def test_a_server_is_told_apart_when_it_is_gone(same):
    def body(loop):
        tape = Tape(loop)

        async def scene():
            server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
            tape.note(neutral(server), server.get_loop() is loop, len(server.sockets))
            async with server as same_server:
                tape.note(same_server is server)
            tape.note(server.sockets, server.is_serving())
            server.close()
            try:
                await server.serve_forever()
            except RuntimeError as error:
                tape.note(type(error).__name__)

        tape.attempt("no loop", outcome, asyncio.get_running_loop)
        return tape.run(scene())

    same(body)
