"""The weave drawn in characters: a row for the loop, and one for each of the busiest lanes.

A cell stands for a stretch of time. What ran in it is shown before what only stood ready, and that
before what waited.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from groundup.view import figures, names
from groundup.view.columns import cut, padded
from groundup.view.weave import TASK, Weave

#: How many lanes are drawn.
LANES = 24
#: The part of a line that names take, and the least that is left for cells.
MARGIN, FEWEST = 30, 20
#: What ran, by the share of the cell; what stood ready; what waited.
RUNNING, READY, WAITING = "▁▂▃▄▅▆▇█", "·", "─"


class Row:
    """A row of cells, for times from 0 on, in nanoseconds."""

    def __init__(self, cells: int, scale: float) -> None:
        """Make an empty row in which a cell stands for 1/`scale` nanoseconds."""
        self.running = [0.0] * cells
        self.marks = [" "] * cells
        self.scale = scale

    def run(self, began: float, ended: float) -> None:
        """Say that something ran."""
        first, last = began * self.scale, ended * self.scale
        for cell in self._cells(first, last):
            self.running[cell] += max(min(last, cell + 1) - max(first, cell), 1e-9)

    def mark(self, began: float, ended: float, mark: str) -> None:
        """Put a mark where something stood ready or waited."""
        for cell in self._cells(began * self.scale, ended * self.scale):
            if self.marks[cell] != READY:
                self.marks[cell] = mark

    def _cells(self, first: float, last: float) -> range:
        end = len(self.marks) - 1
        return range(max(min(int(first), end), 0), min(int(last), end) + 1)

    def __str__(self) -> str:
        """Return the row as it is drawn."""
        return "".join(map(_cell, self.running, self.marks))


def _cell(share: float, mark: str) -> str:
    return RUNNING[min(math.ceil(share * len(RUNNING)), len(RUNNING)) - 1] if share else mark


def draw(weave: Weave, totals: Sequence[figures.Totals], width: int) -> Iterator[str]:
    """Yield the lines of the drawing, `width` characters wide."""
    cells = max(width - MARGIN, FEWEST)
    scale = cells / max(weave.ended, 1)
    loop, rows = Row(cells, scale), {lane: Row(cells, scale) for lane in _chosen(totals)}
    _fill(weave, loop, rows)
    yield padded("loop", MARGIN) + str(loop)
    for lane, depth in _tree(weave, list(rows)):
        name = cut("  " * depth + names.lane(weave, lane), MARGIN - 1)
        yield padded(name, MARGIN) + str(rows[lane])
    yield " " * MARGIN + "0" + names.duration(weave.ended).rjust(cells - 1)
    yield " " * MARGIN + f"{RUNNING[0]}…{RUNNING[-1]} runs   {READY} stands ready   {WAITING} waits"
    if len(rows) < len(totals):
        yield " " * MARGIN + f"the busiest {len(rows)} of {len(totals)} lanes"


def _chosen(totals: Sequence[figures.Totals]) -> list[int]:
    busiest = sorted(totals, key=lambda total: -total.running)[:LANES]
    return sorted(total.lane for total in busiest)


def _fill(weave: Weave, loop: Row, rows: dict[int, Row]) -> None:
    for lane, began, ended in weave.rows("waits", "lane", "began", "ended"):
        if row := rows.get(int(lane)):
            row.mark(began, ended, WAITING)
    outermost = 0.0
    for lane, woken, began, took in weave.rows("steps", "lane", "woken", "began", "took"):
        # A step may lie within another; the loop runs but once.
        if began + took > outermost:
            loop.run(max(began, outermost), began + took)
            outermost = began + took
        if row := rows.get(int(lane)):
            row.run(began, began + took)
            if not math.isnan(woken):
                row.mark(woken, began, READY)


def _tree(weave: Weave, lanes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield lanes with how deep they stand: tasks below those that made them, then the others."""
    parents = {lane: weave.number("lanes.parent", lane) for lane in lanes}
    children: dict[int, list[int]] = {}
    for lane in lanes:
        children.setdefault(parents[lane] if parents[lane] in parents else -1, []).append(lane)
    is_other = {lane: weave.columns["lanes.kind"][lane] != TASK for lane in lanes}
    left = [(lane, 0) for lane in sorted(children.get(-1, []), key=is_other.__getitem__)][::-1]
    while left:
        lane, depth = left.pop()
        yield lane, depth
        left += [(child, depth + 1) for child in reversed(children.get(lane, []))]
