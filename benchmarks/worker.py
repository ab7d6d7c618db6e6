"""The measured process: it runs one row on one loop, and says in JSON what came of it.

`measure PEER ROW SECONDS SCALE ADDRESS` measures a row that needs nothing from outside and prints
its figures. `serve PEER ROW FOLDER SIZE` prints an address, serves on it, answers each line on its
input with what it has used, and ends when the input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from .in_process import InProcess, Run
from .peers import loop_factory
from .row import ROWS, load_rows
from .served import Served, Site
from .usage import usage


def main(act: str, peer: str, name: str, *rest: str) -> None:
    """Run one row."""
    load_rows([name.partition("/")[0]])
    row = ROWS[name]
    with asyncio.Runner(loop_factory=loop_factory(peer)) as runner:
        if act == "measure":
            assert isinstance(row, InProcess)
            seconds, scale, address = rest
            say(runner.run(row.run(peer, Run(float(seconds), float(scale), address or None))))
        else:
            assert isinstance(row, Served)
            folder, size = rest
            runner.run(serve(row, Site(Path(folder), int(size))))


async def serve(row: Served, site: Site) -> None:
    """Serve until the input ends. The loop watches it: a thread would change what is measured."""
    ended = asyncio.Event()

    def obey() -> None:
        if os.read(0, 1024):
            say(usage())
        else:
            ended.set()

    # What it returns beside the address is kept, for servers that nobody else holds.
    address, *kept = await row.serve(site)
    for task in kept:
        if isinstance(task, asyncio.Task):
            task.add_done_callback(give_up)
    say({"address": address})
    asyncio.get_running_loop().add_reader(0, obey)
    await ended.wait()


def give_up(task: asyncio.Task[Any]) -> None:
    """End this process with the reason why a server's task ended."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)
        os._exit(1)


def say(what: Any) -> None:
    """Print something in one line."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
