"""A weave in a terminal: what it is, the drawing, the tables.

It promises that names in a recording cannot do anything to the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from groundup.view import columns, drawing, figures, names
from groundup.view.tables import tables
from groundup.view.weave import TASK, Weave


def write(weave: Weave, file: TextIO, width: int) -> None:
    """Write the drawing and the tables to `file`, in lines of `width` places where possible."""
    for line in lines(weave, width):
        file.write(columns.printable(line).rstrip() + "\n")


def lines(weave: Weave, width: int) -> Iterator[str]:
    """Yield the lines of the drawing and the tables."""
    totals = figures.totals(weave)
    yield from _heading(weave)
    yield ""
    yield from drawing.draw(weave, totals, width)
    for table in tables(weave, totals):
        yield from ("", table.title)
        yield from columns.lines([table.heads, *table.rows], table.right, width)
        for line in table.notes:
            yield f"    {line}"


def _heading(weave: Weave) -> Iterator[str]:
    tasks = sum(kind == TASK for kind in weave.columns["lanes.kind"])
    program = weave.facts.get("program") or f"process {weave.process}"
    counts = f"{tasks} tasks, {weave.length('steps')} steps, {weave.length('polls')} polls"
    yield f"{program}: {names.duration(weave.ended)}, {counts}"
    if used := figures.in_kernel(weave):
        kernel, elsewhere = map(names.duration, used)
        yield f"The loop's thread was {kernel} in the kernel, and ran {elsewhere} elsewhere."
    if weave.lost:
        yield f"{weave.lost} records are missing: there was no room for more, and the oldest went."
