"""Rows with a server: the loop serves on one core, a load talks to it from another.

The processor time is what the kernel has put down to the server between two points at which no
request is underway, so that it belongs to exactly the requests that were counted.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .loads import Load
from .peers import BY_HAND
from .program import Failed, started
from .row import Measured, Row
from .usage import per_operation

if TYPE_CHECKING:
    from .setting import Setting

LIMIT = 90.0
FIGURES = ("cpu", "user", "system", "rate", "p50", "p99")


@dataclass(frozen=True)
class Site:
    """What a server may need to know."""

    folder: Path
    """For a socket; it holds the certificates."""
    size: int
    """The length of a request, in bytes."""

    @property
    def socket(self) -> str:
        """A path to listen at."""
        return str(self.folder / "server.sock")


# Starts a server, and returns its address as the load needs it, with all that has to be kept.
Serve: TypeAlias = Callable[[Site], Awaitable[tuple[Any, ...]]]


class Served(Row):
    """A row of a server under a load."""

    def __init__(
        self,
        name: str,
        serve: Serve,
        load: Load,
        per: str = "request",
        figures: tuple[str, ...] = FIGURES,
        by_hand: tuple[str, ...] | None = None,
        what: str | None = None,
    ) -> None:
        super().__init__(name, per, figures, what or serve.__doc__)
        self.serve = serve
        self.load = load
        self.by_hand = by_hand
        self.has_by_hand = by_hand is not None

    def measure(self, peer: str, setting: Setting) -> Measured:
        """Start the server, then the load."""
        (setting.folder / "server.sock").unlink(missing_ok=True)
        with started(self._server(peer, setting), LIMIT, setting.core) as server:
            address = server.hear()["address"]
            empty = server.ask("usage")
            try:
                with self.load.against(address, setting) as talk:
                    before = server.ask("usage")
                    said = talk()
                    after = server.ask("usage")
            except Failed:
                # Of a server that ended, its own reason tells more than the load's.
                server.check()
                raise
        held = (before["memory"] - empty["memory"]) / self.load.held(setting)
        used = per_operation(before, after, said["requests"])
        rate = said["requests"] / said["seconds"]
        found = {**used, "rate": rate, "memory": held, "p50": said["p50"], "p99": said["p99"]}
        return {name: found[name] for name in self.figures} | {"busy": said["busy"]}

    def _server(self, peer: str, setting: Setting) -> list[Any]:
        if peer == BY_HAND:
            folder = {"SOCKET": str(setting.folder / "server.sock")}
            return [setting.load, "serve", *(folder.get(word, word) for word in self.by_hand or ())]
        line = [sys.executable, "-m", "benchmarks.worker", "serve", peer, self.name]
        return [*line, setting.folder, self.load.size]
