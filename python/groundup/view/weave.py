"""The weave of a recording, as the views read it: columns of numbers, and the texts they refer to.

It promises that columns are whole, and of one length where they belong together. It must not know
how anything is shown.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from groundup import _groundup

#: What kinds of numbers are to `array`.
FORMATS = {"u8": "B", "u32": "I", "i32": "i", "f64": "d"}

#: What lanes stand for: the numbers in `lanes.kind`.
TASK, CALLBACK, DESCRIPTOR = range(3)
#: What made a step ready: the numbers in `steps.causeKind`.
UNKNOWN, STEP, TIMER, THREAD, SIGNAL, POLL = range(6)


@dataclass(frozen=True)
class Weave:
    """What happened in a loop.

    Attributes:
        process: The number of the process.
        wall: When it began, in seconds since 1970.
        ended: The time of the last record, in nanoseconds since it began.
        lost: How many records are missing.
        facts: What is known of the program.
        strings: The texts that columns refer to; the first is empty.
        packed: The columns by name, as in `steps.began`: a kind of number (`u8`, `u32`, `i32` or
            `f64`), and little-endian bytes.
        columns: The same as numbers. Times are nanoseconds since it began, not a number where there
            is none.
    """

    process: int
    wall: float
    ended: int
    lost: int
    facts: dict[str, str]
    strings: list[str]
    packed: dict[str, tuple[str, bytes]]
    columns: dict[str, Sequence[float]]

    def number(self, name: str, row: int) -> int:
        """Return the whole number in a row of a column."""
        return int(self.columns[name][row])

    def text(self, name: str, row: int) -> str:
        """Return the text that a row of a column refers to."""
        return self.strings[int(self.columns[name][row])]

    def texts(self, name: str) -> Iterator[str]:
        """Yield the texts that a column refers to, row by row."""
        return (self.strings[int(number)] for number in self.columns[name])

    def rows(self, table: str, *fields: str) -> Iterator[tuple[float, ...]]:
        """Yield the rows of a table, as of `steps`, each with the numbers in these fields."""
        return zip(*(self.columns[f"{table}.{field}"] for field in fields), strict=True)

    def length(self, table: str) -> int:
        """Return how many rows a table has."""
        return next(len(it) for name, it in self.columns.items() if name.startswith(f"{table}."))

    def chain(self, number: int) -> list[str]:
        """Return who awaits whom, outermost first; `number` is one of `waits.chain`."""
        links: list[str] = []
        while number:
            links.append(self.text("chains.name", number))
            number = self.number("chains.rest", number)
        return links


def load(path: Path) -> Weave:
    """Read the recording in a file.

    Raises OSError when the file cannot be read, and ValueError when it is no recording, is damaged,
    or was made by a newer version.
    """
    return from_bytes(path.read_bytes())


def from_bytes(data: bytes) -> Weave:
    """Put together what the bytes of a recording tell; raises ValueError as `load` does."""
    read = _groundup.read_recording(data)
    packed = read["columns"]
    return Weave(
        process=read["process"],
        wall=read["wall"],
        ended=read["ended"],
        lost=read["lost"],
        facts=read["facts"],
        strings=read["strings"],
        packed=packed,
        columns={name: _numbers(kind, data) for name, (kind, data) in packed.items()},
    )


def _numbers(kind: str, data: bytes) -> Sequence[float]:
    numbers: array[float] = array(FORMATS[kind])
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
