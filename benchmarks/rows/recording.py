"""What it costs to record a loop, beside the same work without; only groundup's can be recorded."""

from __future__ import annotations

import asyncio
import tempfile

from ..in_process import counted
from ..loads import Talk
from ..row import ROWS
from ..served import Served, Site
from .echo import serve_protocol


def recording(path):
    """Record to a file; other loops are measured in processes that do not import groundup."""
    import groundup

    return groundup.record(path)


@counted("recording/sleep0-off", per="turn")
async def sleep0_off(count):
    """One task that gives way, not recorded."""
    for _ in range(count):
        await asyncio.sleep(0)


@counted("recording/sleep0-on", per="turn")
async def sleep0_on(count):
    """The same, recorded: a wake-up, the beginning and the end of a step for each turn."""
    with tempfile.TemporaryDirectory() as folder, recording(f"{folder}/run.weave"):
        yield
        await sleep0_off(count)
        yield


async def serve_off(site: Site):
    """asyncio.Protocol, not recorded."""
    return await serve_protocol(site)


async def serve_on(site: Site):
    """asyncio.Protocol, recorded: polls, dispatches, what is read and written."""
    kept = recording(site.folder / "run.weave")
    kept.start()
    return *await serve_protocol(site), kept


Served("recording/echo-off", serve_off, Talk())
Served("recording/echo-on", serve_on, Talk())

for row in ROWS.values():
    if row.family == "recording":
        row.runs_on_loops = False
