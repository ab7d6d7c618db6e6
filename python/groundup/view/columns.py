"""Text in columns of a terminal, where a character may take two places, or none.

It promises that what it gives has as many places as it says, and does nothing to the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

#: Between two columns.
GAP = "  "
#: A column that has to give way keeps this many places.
NARROWEST = 10


def printable(text: str) -> str:
    """Return a text without what moves a terminal's cursor, or changes its colours or order."""
    return "".join(char if char.isprintable() else "�" for char in text)


def width(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, places: int) -> str:
    """Return a text that is safe to print and takes no more than so many places."""
    text = printable(text)
    if width(text) <= places:
        return text
    kept, used = [], 1
    for char in text:
        used += _width(char)
        if used > places:
            break
        kept.append(char)
    return "".join(kept) + "…"


def padded(text: str, places: int, *, right: bool = False) -> str:
    """Return a text that takes so many places, or more if it is longer."""
    space = " " * (places - width(text))
    return space + text if right else text + space


def lines(rows: Sequence[Sequence[str]], right: Iterable[int], limit: int) -> Iterator[str]:
    """Yield rows of cells as lines.

    Args:
        rows: The rows, with as many cells each.
        right: The columns that stand at the right of their places, as numbers do.
        limit: How many places a line has; wide columns are cut to keep to it, as far as they can.
    """
    numbers = set(right)
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = _fitted([max(map(width, column)) for column in zip(*rows, strict=True)], limit)
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        placed = [padded(cut(cell, to), to, right=at in numbers) for at, (cell, to) in cells]
        yield GAP.join(placed).rstrip()


def _fitted(widths: list[int], limit: int) -> list[int]:
    """Return the widths with the widest of them made narrower, until they fit."""
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - limit
    while excess > 0 and (widest := max(widths)) > NARROWEST:
        at = widths.index(widest)
        others = [it for it in widths if it < widest]
        step = min(excess, max(widest - max([NARROWEST, *others]), 1))
        widths[at] -= step
        excess -= step
    return widths
