"""Subprocesses."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE

from ..in_process import counted


@counted("processes/spawn", per="process", figures=("time", "cpu"))
async def spawn(count):
    """A process that ends at once, started and waited for."""
    for _ in range(count):
        process = await asyncio.create_subprocess_exec("/bin/true")
        assert await process.wait() == 0


@counted("processes/communicate", per="process", figures=("time", "cpu"))
async def communicate(count):
    """64 KiB sent through cat, and read back."""
    message = bytes(65536)
    for _ in range(count):
        process = await asyncio.create_subprocess_exec("/bin/cat", stdin=PIPE, stdout=PIPE)
        output, _ = await process.communicate(message)
        assert output == message
