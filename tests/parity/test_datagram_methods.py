"""What a datagram protocol does inside one of its methods, and what comes of it, turn by turn."""

from __future__ import annotations

import asyncio

import pytest

import groundup

from .acts import RAISING
from .conftest import seen
from .tape import Tape, datagram_pair

METHODS = ["connection_made", "datagram_received", "error_received", "connection_lost"]
FLOW = ["pause_writing", "resume_writing"]

ACTS = RAISING | {
    "close": lambda protocol: protocol.transport.close(),
    "abort": lambda protocol: protocol.transport.abort(),
    "send": lambda protocol: protocol.transport.sendto(b"sent"),
    "send and close": lambda protocol: (
        protocol.transport.sendto(b"bye"),
        protocol.transport.close(),
    ),
    "close and send": lambda protocol: (
        protocol.transport.close(),
        protocol.transport.sendto(b"late"),
    ),
    "send what is none": lambda protocol: protocol.transport.sendto("text"),
}


class Script(asyncio.DatagramProtocol):
    """Notes each call; in one method, the first time, does something besides."""

    def __init__(self, tape, method, act):
        self.tape, self.method, self.act = tape, method, act

    def tell(self, method, *args):
        self.tape.note(method, *args)
        if method == self.method:
            self.method = None
            self.act(self)

    def connection_made(self, transport):
        self.transport = transport
        self.tell("connection_made")

    def datagram_received(self, data, address):
        self.tell("datagram_received", data)

    def error_received(self, exc):
        self.tell("error_received", repr(exc))

    def pause_writing(self):
        self.tell("pause_writing")

    def resume_writing(self):
        self.tell("resume_writing")

    def connection_lost(self, exc):
        self.tell("connection_lost", repr(exc))


def receive(far):
    datagrams = []
    while True:
        try:
            datagrams.append(len(far.recv(1 << 16)))
        except BlockingIOError:
            return datagrams


async def life(tape, protocol, near, far):
    """Lead an endpoint through receiving, a full socket, and a peer that goes away."""
    await tape.loop.create_datagram_endpoint(lambda: protocol, sock=near)
    transport = protocol.transport
    tape.note("is_closing", transport.is_closing())
    for data in (b"one", b"two"):
        far.send(data)
        await tape.turns()
    for _ in range(100):
        transport.sendto(bytes(2000))
        if transport.is_closing():
            break
    if not transport.is_closing():
        tape.note("filled", transport.get_write_buffer_size() > 0)
    await tape.turns()
    while (received := receive(far)) and transport.get_write_buffer_size():
        await tape.turns(1)
    if not transport.is_closing():
        tape.note("the last", received[-1:])
    await tape.turns()
    far.close()
    await tape.turns()
    if not transport.is_closing():
        tape.attempt("sendto", transport.sendto, b"to nobody")
    await tape.turns()
    tape.note("is_closing", transport.is_closing())
    tape.attempt("close", transport.close)
    await tape.turns()


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", METHODS + FLOW)
def test_what_a_protocol_does_in_a_method(same, method, act):
    def body(loop):
        tape = Tape(loop)
        with datagram_pair() as (near, far):
            return tape.run(life(tape, Script(tape, method, ACTS[act]), near, far))

    if (method, act) == ("resume_writing", "abort"):
        # asyncio ends it twice, and reports the second time.
        tape = seen(groundup.new_event_loop, body).returned
        assert not any("report" in note for note in tape)
        assert sum("connection_lost" in note for note in tape) == 1
    else:
        same(body)
