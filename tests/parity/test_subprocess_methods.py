"""What the protocol of a child process does inside one of its methods, and what comes of it.

Which of a child's pipes ends first, and whether that is before its exit, is up to the system: so
what a test compares is all that happened, sorted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys

import pytest

from .acts import RAISING
from .tape import Tape

ACTS = RAISING | {
    "close": lambda protocol: protocol.transport.close(),
    "kill": lambda protocol: protocol.transport.kill(),
    "close a pipe": lambda protocol: protocol.transport.get_pipe_transport(0).close(),
    "write": lambda protocol: protocol.transport.get_pipe_transport(0).write(b"more\n"),
    "pause": lambda protocol: protocol.transport.get_pipe_transport(1).pause_reading(),
}
METHODS = [
    "connection_made",
    "pipe_data_received",
    "pipe_connection_lost",
    "process_exited",
    "connection_lost",
]


class Script(asyncio.SubprocessProtocol):
    def __init__(self, tape, method, act):
        self.tape, self.method, self.act = tape, method, act
        self.heard, self.lost = tape.loop.create_future(), tape.loop.create_future()

    def tell(self, method, *args):
        self.tape.note(method, *args)
        if method == self.method:
            self.method = None
            self.act(self)

    def connection_made(self, transport):
        self.transport = transport
        self.tell("connection_made")

    def pipe_data_received(self, fd, data):
        self.heard.set_result(None)
        self.tell("pipe_data_received", fd, data)

    def pipe_connection_lost(self, fd, exc):
        if fd == 1:
            self.tell("pipe_connection_lost", fd, repr(exc))
        else:
            self.tape.note("pipe_connection_lost", fd)

    def process_exited(self):
        self.tell("process_exited")

    def connection_lost(self, exc):
        with contextlib.suppress(asyncio.InvalidStateError):
            self.lost.set_result(None)
        self.tell("connection_lost", repr(exc))


async def life(tape, protocol, limit):
    """Have a child echo a line, wait for another, and end with its input."""
    code = "read line; echo $line; read line"
    with contextlib.suppress(LookupError):
        await tape.loop.subprocess_shell(lambda: protocol, code, stderr=None)
    transport = protocol.transport
    pipe = transport.get_pipe_transport(0)
    if pipe is not None:
        tape.attempt("write", pipe.write, b"line\n")
    # One that is not listened to is not heard.
    first = [protocol.heard, protocol.lost]
    await asyncio.wait(first, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)
    if pipe is not None:
        pipe.close()
    done, _ = await asyncio.wait([protocol.lost], timeout=limit)
    if not done:
        tape.note("still there")
        tape.attempt("close", transport.close)
        await protocol.lost
    await asyncio.sleep(0)
    # asyncio may lose the status, and then says 255.
    tape.note("exited", transport.get_returncode() is not None)
    tape.note("protocol", transport.get_protocol())
    transport.close()


LOST = ("Unknown child process pid", "child process pid %d exit status already read")


@pytest.fixture
def lost_statuses():
    """Overlook what asyncio says of a child whose status it loses, before Python 3.14.

    Its `kill` asks subprocess.Popen, which takes the status if the child has just ended.
    """

    def is_other(record):
        return record.module != "unix_events" or not record.msg.startswith(LOST)

    logger = logging.getLogger("asyncio")
    if sys.version_info < (3, 14):
        logger.addFilter(is_other)
    yield
    logger.removeFilter(is_other)


@pytest.mark.usefixtures("lost_statuses")
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", METHODS)
def test_what_a_protocol_does_in_a_method(same, method, act):
    def body(loop):
        tape = Tape(loop)
        # Nobody hears of the end of an output that is not read.
        limit = 0.3 if act == "pause" else 10
        tape.run(life(tape, Script(tape, method, ACTS[act]), limit))
        return sorted(map(str, tape))

    same(body)
