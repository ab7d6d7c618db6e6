"""Pipes to test: protocols that note all they hear, and the files at both ends."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import pty
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from .connections import Recorder, until

# In bytes; more than a pipe holds.
MUCH = 1 << 20


@contextlib.contextmanager
def pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """Give the reading and the writing end of a pipe, closed in the end."""
    reader, writer = os.pipe()
    with io.FileIO(reader, "r") as reading, io.FileIO(writer, "w") as writing:
        yield reading, writing


@contextlib.contextmanager
def terminal() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """Give both sides of a terminal that passes bytes on as they are, closed in the end."""
    master, slave = pty.openpty()
    with io.FileIO(master, "r+") as ours, io.FileIO(slave, "r+") as theirs:
        tty.setraw(slave)
        yield ours, theirs


@contextlib.asynccontextmanager
async def reading(
    file: Any, factory: Callable[[], Any] = Recorder
) -> AsyncIterator[tuple[Any, Any]]:
    """Give the transport that reads from a file and its protocol; close it in the end."""
    connect = asyncio.get_running_loop().connect_read_pipe
    transport, protocol = await connect(factory, file)
    try:
        yield transport, protocol
    finally:
        transport.close()
        await until(lambda: transport.get_protocol() is None)


@contextlib.asynccontextmanager
async def writing(
    file: Any, factory: Callable[[], Any] = Recorder
) -> AsyncIterator[tuple[Any, Any]]:
    """Give the transport that writes to a file and its protocol; close it in the end."""
    connect = asyncio.get_running_loop().connect_write_pipe
    transport, protocol = await connect(factory, file)
    try:
        yield transport, protocol
    finally:
        if not transport.is_closing():
            transport.abort()
        await until(lambda: transport.get_protocol() is None)


async def read_all(file: io.FileIO) -> bytes:
    """Read from a file until its end, while the loop goes on."""
    return await asyncio.to_thread(file.read)


def fill(file: io.FileIO) -> int:
    """Write to a file that does not block until it is full; return how many bytes it took."""
    filled = 0
    while written := file.write(b"-" * MUCH):
        filled += written
    return filled
