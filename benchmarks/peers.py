"""Who takes part: the event loops that are installed, and the same work by hand."""

from __future__ import annotations

import asyncio
import importlib
import platform
from collections.abc import Callable
from importlib import util

LOOPS = ("asyncio", "uvloop", "rloop", "zuvloop", "groundup")
OURS = "groundup"
# Not a loop: what a row can be compared with that has none, a limit.
BY_HAND = "by hand"


def installed() -> dict[str, str]:
    """The loops that can be imported here, each with its version."""
    return {name: version(name) for name in LOOPS if util.find_spec(name)}


def version(name: str) -> str:
    """Return a loop's version; asyncio's is Python's."""
    # Not for the measured processes, which do not have to bear it.
    from importlib import metadata

    return platform.python_version() if name == "asyncio" else metadata.version(name)


def loop_factory(peer: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes a loop of this peer; what runs by hand needs none, and gets asyncio's."""
    return importlib.import_module("asyncio" if peer == BY_HAND else peer).new_event_loop
