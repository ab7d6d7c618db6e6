"""What a protocol may do inside its methods."""

from __future__ import annotations

import asyncio

from .tape import MUCH


def another_protocol(protocol):
    protocol.transport.set_protocol(Script(protocol.tape, "other "))


def pause_and_resume(protocol):
    protocol.transport.pause_reading()
    protocol.transport.resume_reading()


def write_and_close(protocol):
    protocol.transport.write(b"bye")
    protocol.transport.close()


def write_and_abort(protocol):
    protocol.transport.write(b"bye")
    protocol.transport.abort()


def close_and_write(protocol):
    protocol.transport.close()
    protocol.transport.write(b"late")


def raising(error):
    def act(protocol):
        raise error

    return act


RAISING = {
    "an exception": raising(LookupError("of the protocol")),
    "an error of the network": raising(OSError("of the protocol")),
    "cancellation": raising(asyncio.CancelledError("of the protocol")),
    "an interrupt": raising(KeyboardInterrupt("of the protocol")),
    "an exit": raising(SystemExit("of the protocol")),
    "another base exception": raising(GeneratorExit("of the protocol")),
}

ACTS = RAISING | {
    "close": lambda protocol: protocol.transport.close(),
    "abort": lambda protocol: protocol.transport.abort(),
    "pause_reading": lambda protocol: protocol.transport.pause_reading(),
    "resume_reading": lambda protocol: protocol.transport.resume_reading(),
    "pause and resume": pause_and_resume,
    "write": lambda protocol: protocol.transport.write(b"written"),
    "write much": lambda protocol: protocol.transport.write(bytes(MUCH)),
    "write_eof": lambda protocol: protocol.transport.write_eof(),
    "write and close": write_and_close,
    "write and abort": write_and_abort,
    "close and write": close_and_write,
    "another protocol": another_protocol,
    "limits": lambda protocol: protocol.transport.set_write_buffer_limits(high=0),
}


class Script(asyncio.Protocol):
    """Notes each call; in one method, the first time, does something besides."""

    keeps_open = True

    def __init__(self, tape, name="", method=None, act=None):
        self.tape, self.name, self.method, self.act = tape, name, method, act

    def tell(self, method, *args):
        self.tape.note(self.name + method, *args)
        if method == self.method:
            self.method = None
            self.act(self)

    def connection_made(self, transport):
        self.transport = transport
        self.tell("connection_made")

    def data_received(self, data):
        self.tell("data_received", data)

    def eof_received(self):
        self.tell("eof_received")
        return self.keeps_open

    def pause_writing(self):
        self.tell("pause_writing")

    def resume_writing(self):
        self.tell("resume_writing")

    def connection_lost(self, exc):
        self.tell("connection_lost", repr(exc))
