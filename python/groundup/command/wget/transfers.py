"""What is going on and what has happened: plain numbers that downloads write and displays read.

It promises that reading costs the downloads nothing. It must not know how anything is shown.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from groundup.command.wget.failures import Failure

_LOGIN = re.compile(r"//[^/@]*@")


@dataclass(slots=True, eq=False)
class Transfer:
    """One download under way: its file's `name`, bytes `here` of `total` (None: unknown).

    The `resumed` ones of them were there when the present attempt began, at the monotonic time
    `began`. `waiting` says why the next attempt has not begun yet, and is empty while bytes come.
    """

    tally: Tally
    name: str
    here: int = 0
    total: int | None = None
    resumed: int = 0
    encoding: str | None = None
    waiting: str = ""
    began: float = field(default_factory=time.monotonic)

    def start(self, here: int, total: int | None, encoding: str | None) -> None:
        """Note that an answer has come, and the rest of `total` bytes after `here` is to follow."""
        self.here = self.resumed = here
        self.total, self.encoding = total, encoding
        self.began = time.monotonic()

    @property
    def speed(self) -> float:
        """Bytes per second since the present attempt began."""
        return (self.here - self.resumed) / max(time.monotonic() - self.began, 0.001)

    def grow(self, size: int) -> None:
        """Note that `size` more bytes are here."""
        self.here += size
        self.tally.received += size


@dataclass(slots=True)
class Tally:
    """All downloads of one command: how many files are `wanted`, and what has become of them.

    `received` counts the bytes of all bodies, also of attempts that failed.
    """

    wanted: int = 0
    repeated: int = 0
    saved: int = 0
    kept: int = 0
    resumed: int = 0
    encoded: int = 0
    received: int = 0
    failures: list[tuple[str, Failure]] = field(default_factory=list)
    active: dict[Transfer, None] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """The number of files that need nothing more: saved, kept or failed."""
        return self.saved + self.kept + len(self.failures)

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self.began

    @property
    def speed(self) -> float:
        """Bytes per second since the command began."""
        return self.received / max(self.seconds, 0.001)

    def begin(self, path: Path) -> Transfer:
        """Note that the download to `path` is under way."""
        transfer = Transfer(self, printable(path.name))
        self.active[transfer] = None
        return transfer

    def end(self, transfer: Transfer) -> None:
        """Note that `transfer` is over, however it ended."""
        del self.active[transfer]

    def count_saved(self, transfer: Transfer) -> None:
        """Note that the file of `transfer` is whole."""
        self.saved += 1
        self.resumed += transfer.resumed > 0
        self.encoded += transfer.encoding is not None

    def fail(self, url: str, failure: Failure) -> None:
        """Note that `url` failed for good."""
        self.failures.append((printable(url), failure))


def printable(text: str) -> str:
    """`text` for a terminal or a log: no control characters, and no name and password of a URL."""
    text = _LOGIN.sub("//", text)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
