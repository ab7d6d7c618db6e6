"""One way, as much as goes: the server takes 16 MiB and answers a byte, or the reverse."""

from __future__ import annotations

import asyncio

from ..loads import Talk
from ..served import Served, Site
from .echo import PIECE, serve_factory, serve_handler

AMOUNT = 16 << 20
ASKED = 64
PIECES = AMOUNT // PIECE


class Sink(asyncio.Protocol):
    """Take what comes."""

    def connection_made(self, transport):
        self.transport = transport
        self.left = AMOUNT

    def data_received(self, data):
        self.count(len(data))

    def count(self, length):
        self.left -= length
        if self.left == 0:
            self.left = AMOUNT
            self.transport.write(b"!")


class BufferedSink(Sink, asyncio.BufferedProtocol):
    """Take what comes, into a buffer of 256 KiB."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.buffer = bytearray(4 * PIECE)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.count(count)


class Source(asyncio.Protocol):
    """Write pieces of 64 KiB, as long as the transport does not ask to pause."""

    def connection_made(self, transport):
        self.transport = transport
        self.left = 0
        self.paused = False
        self.piece = bytes(PIECE)

    def data_received(self, data):
        self.left += PIECES
        self.go_on()

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.go_on()

    def go_on(self):
        while self.left and not self.paused:
            self.left -= 1
            self.transport.write(self.piece)


async def take(reader, writer):
    """Read pieces of 64 KiB at most."""
    left = AMOUNT
    while data := await reader.read(PIECE):
        left -= len(data)
        if left == 0:
            left = AMOUNT
            writer.write(b"!")
    writer.close()


async def give(reader, writer):
    """Write pieces of 64 KiB, and drain after each."""
    piece = bytes(PIECE)
    while await reader.read(PIECE):
        for _ in range(PIECES):
            writer.write(piece)
            await writer.drain()
    writer.close()


def row(direction, style, serve_style, what, transport="tcp"):
    """Make one row."""
    sizes = (AMOUNT, 1) if direction == "receive" else (ASKED, AMOUNT)

    async def serve(site: Site):
        return await serve_style(site, what, transport)

    Served(
        f"bulk/{direction}/{transport}/{style}",
        serve,
        Talk(size=sizes[0], reply=sizes[1], connections=1, transport=transport),
        per="16 MiB",
        what=what.__doc__,
    )


for transport in ("tcp", "tls"):
    row("receive", "protocol", serve_factory, Sink, transport)
    row("send", "protocol", serve_factory, Source, transport)
row("receive", "buffered", serve_factory, BufferedSink)
row("receive", "streams", serve_handler, take)
row("send", "streams", serve_handler, give)
