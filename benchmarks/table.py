"""Results as tables, for a terminal and in Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rich.table import Column, Table

from .peers import BY_HAND, OURS
from .results import PEERS, Compared, Result
from .row import FIGURES

LOAD_BOUND = "°"
NO_FIGURES = "–"

LEGEND = (
    "A cell has the median of the rounds, its spread (half the distance from the least to the "
    "greatest), and how many times better groundup is: above 1× it is ahead. Time, processor time "
    "and memory are better when they are small, rates when they are great. “By hand” is no event "
    "loop: it does the same without one, for a limit. "
    f"{LOAD_BOUND}: the load was busier than the server; rate and latencies are then those of the "
    "load, while the processor time is the server's all the same."
)


def markdown(results: list[Result]) -> str:
    """All results: a heading and a table for each family, and what did not work."""
    parts = [standing(results), LEGEND, *conditions(results)]
    for family, members in itertools.groupby(results, lambda row: row.name.partition("/")[0]):
        rows = list(members)
        peers = peers_of(rows)
        parts += [f"## {family}", "\n".join(lines(rows, peers))]
        parts += ["\n".join(f"- `{short(row)}`: {row.what}, per {row.per}" for row in rows)]
        parts += failures(rows)
    return "\n\n".join(parts) + "\n"


def standing(results: list[Result]) -> str:
    """Where groundup is ahead of every loop, and where not, by the first figure of each row."""
    loops = [peer for peer in PEERS if peer not in (BY_HAND, OURS)]
    best = {}
    for row in results:
        found = [(row.compared(peer, row.figures[0]), peer) for peer in loops]
        ratios = [(one.ratio, peer) for one, peer in found if one and one.ratio is not None]
        if ratios:
            best[row.name] = min(ratios)
    behind = [f"{name} ({peer} {ratio:.2f}×)" for name, (ratio, peer) in best.items() if ratio <= 1]
    if not best:
        return "There was no other loop to compare with."
    text = f"groundup is ahead of every loop in {len(best) - len(behind)} of {len(best)} rows"
    return f"{text}; not in {', '.join(behind)}." if behind else f"{text}."


def conditions(results: list[Result]) -> Iterator[str]:
    """Where and how the rows were measured, once where that was the same, with the days."""
    days: dict[str, set[str]] = {}
    for row in results:
        how = row.conditions
        versions = ", ".join(f"{name} {version}" for name, version in how["versions"].items())
        text = (
            f"{versions}. {how['rounds']} rounds of {how['seconds']} s on {how['cores']} cores of "
            f"{how['processor']}, {how['system']}"
        )
        text += "".join(f", {name}={value}" for name, value in how["malloc"].items())
        days.setdefault(text, set()).add(how["date"][:10])
    for text, on in days.items():
        yield f"{text}; {', '.join(sorted(on))}."


def lines(rows: list[Result], peers: list[str]) -> Iterator[str]:
    """The lines of a family's table."""
    yield "| row | | " + " | ".join(peers) + " |"
    yield "|---|---|" + "---:|" * len(peers)
    for row in rows:
        for figure, cells in table_of(row, peers):
            name = f"`{short(row)}`" if figure == row.figures[0] else ""
            yield f"| {name} | {label(figure)} | " + " | ".join(cells) + " |"


def terminal(results: list[Result]) -> Table:
    """One table of everything."""
    peers = peers_of(results)
    table = Table(Column("row", no_wrap=True), "", *peers)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in results:
        for figure, cells in table_of(row, peers):
            name = row.name if figure == row.figures[0] else ""
            table.add_row(name, label(figure), *cells)
    return table


def table_of(row: Result, peers: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A row's figures, each with a cell for every peer."""
    for figure in row.figures:
        yield figure, [cell(row, peer, figure) for peer in peers]


def cell(row: Result, peer: str, figure: str) -> str:
    """A figure of a peer, in a few characters."""
    if row.error(peer):
        return "failed" if figure == row.figures[0] else ""
    compared = row.compared(peer, figure)
    return text_of(compared) if compared else NO_FIGURES


def text_of(compared: Compared) -> str:
    """Number, spread, mark and ratio."""
    mark = LOAD_BOUND if compared.load_bound else ""
    text = f"{number(compared.median)}{mark} ±{compared.spread:.0%}"
    return text if compared.ratio is None else f"{text} ({compared.ratio:.2f}×)"


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def failures(rows: list[Result]) -> Iterator[str]:
    """What did not work, with the reason."""
    for row in rows:
        for peer in row.peers:
            if error := row.error(peer):
                yield f"{peer} failed in `{short(row)}`: {error}"


def peers_of(rows: list[Result]) -> list[str]:
    """The peers that any of the rows was run on, ours last."""
    found = [peer for peer in PEERS if any(peer in row.outcomes for row in rows)]
    return sorted(found, key=lambda peer: peer == OURS)


def label(figure: str) -> str:
    """A figure's name and unit."""
    return f"{figure}, {FIGURES[figure].unit}"


def short(row: Result) -> str:
    """A row's name without its family."""
    return row.name.partition("/")[2]
