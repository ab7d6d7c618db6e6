"""Child processes to test: programs to run, and a protocol that notes all it hears."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from .connections import until

PIPE = asyncio.subprocess.PIPE
DEVNULL = asyncio.subprocess.DEVNULL
STDOUT = asyncio.subprocess.STDOUT

# In bytes; more than all pipes of a child hold together.
MUCH = 4 << 20

# Writes all that it reads.
CAT = ("cat",)

# Says that it is there, then ignores that it is asked to end.
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")

# Lives until it is ended.
SLEEP = ("sleep", "60")


def python(code: str) -> tuple[str, ...]:
    """Return a command that runs Python code."""
    return sys.executable, "-I", "-S", "-c", code


class ProcessRecorder(asyncio.SubprocessProtocol):
    """Notes each call, the bytes of each descriptor, and the end."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.received = {1: bytearray(), 2: bytearray()}
        self.exited = asyncio.get_running_loop().create_future()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.calls.append("connection_made")

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.calls.append(("pipe_data_received", fd))
        self.received[fd] += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.calls.append(("pipe_connection_lost", fd))

    def process_exited(self) -> None:
        self.calls.append("process_exited")
        self.exited.set_result(self.transport.get_returncode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        self.lost.set_result(exc)


@contextlib.asynccontextmanager
async def child(
    *command: str, factory: Callable[[], Any] = ProcessRecorder, **options: Any
) -> AsyncIterator[tuple[Any, Any]]:
    """Give the transport of a child and its protocol; end it in the end."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(factory, *command, **options)
    try:
        yield transport, protocol
    finally:
        transport.close()
        await until(lambda: transport.get_protocol() is None)


async def run(*command: str, input: bytes | None = None, **options: Any) -> tuple[bytes, bytes]:
    """Run a program to its end; return what it has written."""
    process = await asyncio.create_subprocess_exec(*command, **options)
    return await process.communicate(input)


def children() -> set[int]:
    """Return the numbers of this process's children, dead or alive."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{task}/children") as file:
            found |= {int(number) for number in file.read().split()}
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process is there, other than as a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
