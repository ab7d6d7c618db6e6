"""A row of the table: a name, what is done, per what it is counted, and what is measured of it."""

from __future__ import annotations

import fnmatch
import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from .peers import BY_HAND, OURS

if TYPE_CHECKING:
    from .setting import Setting

# The files in rows/, in the order of the table.
FAMILIES = (
    "scheduling",
    "tasks",
    "synchronisation",
    "threads",
    "ladder",
    "echo",
    "connections",
    "bulk",
    "processes",
    "servers",
    "clients",
    "scale",
    "recording",
)


class Figure(NamedTuple):
    """What a number means."""

    unit: str
    meaning: str
    more_is_better: bool = False


FIGURES = {
    "time": Figure("ns", "time that passed, per operation"),
    "cpu": Figure("µs", "processor time of the measured process, user and system, per operation"),
    "user": Figure("µs", "of that, in the program"),
    "system": Figure("µs", "of that, in the kernel"),
    "rate": Figure("1/s", "operations in a second", more_is_better=True),
    "p50": Figure("µs", "latency: half of the replies came within this"),
    "p99": Figure("µs", "latency: 99 of 100 replies came within this"),
    "memory": Figure("B", "resident memory of the measured process, per thing held"),
    "turn": Figure("ns", "a turn of the loop, all that waits being there"),
}

# What a peer measured: a value for each figure of the row, and under "busy" how much of its core
# the load needed, from 0 to 1.
Measured = dict[str, float]


class Row(ABC):
    """What every row has; its docstring or that of its function says what is done.

    The first of its figures is the one that it is judged by.
    """

    def __init__(self, name: str, per: str, figures: tuple[str, ...], what: str | None) -> None:
        assert name not in ROWS, f"two rows are named {name}"
        assert set(figures) <= FIGURES.keys()
        self.name = name
        self.per = per
        self.figures = figures
        self.what = (what or "").partition("\n")[0]
        ROWS[name] = self

    @property
    def family(self) -> str:
        """The first part of the name."""
        return self.name.partition("/")[0]

    def peers(self, loops: Iterable[str]) -> list[str]:
        """Which of these loops run the row, with `BY_HAND` where that exists."""
        chosen = [loop for loop in loops if self.runs_on_loops or loop == OURS]
        return [BY_HAND, *chosen] if self.has_by_hand else chosen

    runs_on_loops = True
    has_by_hand = False

    @abstractmethod
    def measure(self, peer: str, setting: Setting) -> Measured:
        """Measure once; raises Failed with the reason where that is not possible."""


ROWS: dict[str, Row] = {}


def load_rows(families: Iterable[str] = FAMILIES) -> None:
    """Import families, which puts their rows into ROWS."""
    for family in families:
        importlib.import_module(f"{__package__}.rows.{family}")


def select(patterns: Iterable[str]) -> list[Row]:
    """The rows whose name, or its part after the family, matches one of the patterns.

    Raises ValueError for a pattern that none matches.
    """
    chosen = []
    for pattern in patterns:
        found = [row for row in ROWS.values() if _matches(row.name, pattern)]
        if not found:
            raise ValueError(f"no row matches {pattern!r}; --list shows them")
        chosen += found
    return [row for row in ROWS.values() if row in chosen]


def _matches(name: str, pattern: str) -> bool:
    short = name.partition("/")[2]
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(short, pattern)
