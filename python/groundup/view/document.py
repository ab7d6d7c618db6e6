"""A weave as a document in JSON, for programs: all that is known, in tables of objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, TextIO

from groundup.view import listing
from groundup.view.weave import Weave

#: The version of the document's form.
FORMAT = 1

#: Columns that are numbers of texts.
TEXTS = frozenset(
    {
        *("lanes.name", "lanes.coroutine", "lanes.file", "lanes.how", "lanes.exception"),
        *("waits.what", "chains.name", "sockets.kind", "sockets.peer"),
        *("jobs.function", "marks.text", "stacks.text"),
    }
)
#: Columns whose numbers stand for words.
WORDS = {
    "lanes.kind": ("task", "callback", "descriptor"),
    "steps.causeKind": ("unknown", "step", "timer", "thread", "signal", "poll"),
}
#: Columns that say yes or no.
FLAGS = frozenset({"waits.over", "transfers.came"})


def write(weave: Weave, file: TextIO) -> None:
    """Write an object with what is known of the recording, and a list of objects for each table.

    Times are nanoseconds since the recording began, or null. What refers to a row of another table
    has its number, from 0; -1 is none. In `chains`, `rest` is the number of the chain that is
    awaited, 0 at the end.
    """
    head = {
        "format": FORMAT,
        "process": weave.process,
        "wall": weave.wall,
        "ended": weave.ended,
        "lost": weave.lost,
        "facts": weave.facts,
    }
    file.write(json.dumps(head)[:-1])
    tables: dict[str, list[str]] = {}
    for name in weave.columns:
        table, field = name.split(".")
        tables.setdefault(table, []).append(field)
    for table, fields in tables.items():
        file.write(f',\n"{table}":')
        listing.write(_rows(weave, table, fields), file)
    file.write("}\n")


def _rows(weave: Weave, table: str, fields: list[str]) -> Iterator[dict[str, Any]]:
    columns = (_values(weave, f"{table}.{field}") for field in fields)
    return (dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True))


def _values(weave: Weave, name: str) -> Iterator[Any]:
    if name in TEXTS:
        return weave.texts(name)
    numbers = weave.columns[name]
    if name in WORDS:
        return (WORDS[name][int(number)] for number in numbers)
    if name in FLAGS:
        return map(bool, numbers)
    return (_whole(number) for number in numbers)


def _whole(number: float) -> int | None:
    """Return a number without a fraction, as all are, or None for what is none."""
    return None if math.isnan(number) else int(number)
