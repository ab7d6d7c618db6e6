"""What a person sees while downloads run: nothing, plain lines, or a live screen.

It promises that news that nobody reads any more never stop a download. It must not change anything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.filesize import decimal

from groundup.command.wget.transfers import Tally, Transfer, printable


class Display:
    """Shows nothing: what `--quiet` asks for, and what the others build on. A context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def saved(self, transfer: Transfer, path: Path) -> None:
        """Tell that `transfer` has become the whole file at `path`."""

    def kept(self, path: Path) -> None:
        """Tell that the file at `path` was there before and is left alone."""


class Lines(Display):
    """One plain line per file, for logs and pipes."""

    def saved(self, transfer: Transfer, path: Path) -> None:
        """Print the file's path and size, and what was special about it."""
        resumed = ", resumed" if transfer.resumed else ""
        encoded = f", {transfer.encoding} as the server sent it" if transfer.encoding else ""
        say(f"saved {printable(str(path))} ({decimal(transfer.here)}{resumed}{encoded})")

    def kept(self, path: Path) -> None:
        """Print the path."""
        say(f"kept {printable(str(path))}")


def say(line: str) -> None:
    """Print `line` at once."""
    try:
        print(line, flush=True)
    except OSError:
        # Whoever read the news is gone. Python's own last flush must not trip over it either.
        with open(os.devnull, "w") as nobody:
            os.dup2(nobody.fileno(), sys.stdout.fileno())


def choose(tally: Tally, *, quiet: bool) -> Display:
    """The display for this process: a live screen on a terminal, plain lines elsewhere."""
    if quiet:
        return Display()
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        from groundup.command.wget.screen import Screen

        return Screen(tally)
    return Lines()
