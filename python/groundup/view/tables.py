"""The tables of a weave as text: who blocked the loop, ran, waited, stood in line, never ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from groundup.view import figures, names
from groundup.view.weave import TASK, Weave

#: How many rows a table has at most, and of how many steps the stacks are shown.
ROWS, STACKS = 10, 3


class Table(NamedTuple):
    """A table; `right` are the columns that stand at the right of their places.

    `notes` are lines to be read below it.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int]
    notes: Sequence[str] = ()


def tables(weave: Weave, totals: Sequence[figures.Totals]) -> Iterator[Table]:
    """Yield the tables that have rows, in the order in which one asks."""
    everything = [
        longest_steps(weave),
        *by_totals(weave, totals),
        slowest_waits(weave),
        never_finished(weave),
        contention(weave),
        connections(weave),
    ]
    return (table for table in everything if table.rows)


def longest_steps(weave: Weave) -> Table:
    """Return the steps that kept the loop from all others, with where their stacks were."""
    found = stacks(weave)
    rows = [
        (
            names.duration(weave.columns["steps.took"][step]),
            names.lane(weave, lane := weave.number("steps.lane", step)),
            names.innermost(found.get(step, "")) or names.place(weave, lane),
            names.duration(weave.columns["steps.began"][step]),
            names.waker(weave, step),
        )
        for step in figures.longest_steps(weave, ROWS)
    ]
    heads = ("took", "who", "where", "began at", "woken by")
    return Table("Longest steps", heads, rows, (0, 3), list(_blocked(weave, found)))


def stacks(weave: Weave) -> dict[int, str]:
    """Return the stacks of steps that blocked, taken while they did."""
    return dict(
        zip(map(int, weave.columns["stacks.step"]), weave.texts("stacks.text"), strict=True)
    )


def _blocked(weave: Weave, found: dict[int, str]) -> Iterator[str]:
    """Yield the stacks of the longest steps that have one, line by line."""
    took = weave.columns["steps.took"]
    for step in sorted(found, key=lambda step: -took[step])[:STACKS]:
        who = names.lane(weave, weave.number("steps.lane", step))
        yield f"{who}, while it blocked for {names.duration(took[step])}:"
        yield from (f"    {line}" for line in found[step].splitlines())


def by_totals(weave: Weave, totals: Sequence[figures.Totals]) -> Iterator[Table]:
    """Yield tasks and functions by time of running, of waiting, of standing ready, and by steps."""
    tasks = [it for it in totals if weave.columns["lanes.kind"][it.lane] == TASK]
    orders: tuple[tuple[str, Sequence[figures.Totals], Callable[[figures.Totals], float]], ...] = (
        ("Ran longest, tasks and functions", totals, lambda it: it.running),
        ("Waited longest", tasks, lambda it: it.waiting),
        ("Stood ready longest, while others ran", tasks, lambda it: it.ready),
        ("Most steps", totals, lambda it: it.steps),
    )
    heads = ("ran", "steps", "longest", "stood ready", "waited", "who", "where")
    for title, lanes, measure in orders:
        chosen = sorted(lanes, key=lambda it: -measure(it))[:ROWS]
        yield Table(title, heads, [_totals(weave, it) for it in chosen if measure(it)], range(5))


def _totals(weave: Weave, it: figures.Totals) -> tuple[str, ...]:
    times = (it.running, it.longest, it.ready, it.waiting)
    ran, longest, ready, waited = map(names.duration, times)
    who, where = names.lane(weave, it.lane), names.place(weave, it.lane)
    return ran, str(it.steps), longest, ready, waited, who, where


def slowest_waits(weave: Weave) -> Table:
    """Return the longest waits."""
    began, ended = weave.columns["waits.began"], weave.columns["waits.ended"]
    rows = [
        (
            names.duration(ended[wait] - began[wait]),
            names.lane(weave, weave.number("waits.lane", wait)),
            names.wait(weave, wait),
            names.duration(began[wait]),
        )
        for wait in figures.slowest_waits(weave, ROWS)
    ]
    return Table("Slowest waits", ("took", "who", "for what", "began at"), rows, (0, 3))


def never_finished(weave: Weave) -> Table:
    """Return the tasks that had not ended, and who in them awaits whom for what."""
    unfinished, waits = figures.never_finished(weave), figures.open_waits(weave)
    rows = []
    for lane in unfinished[:ROWS]:
        row = [names.lane(weave, lane), "", "", "", names.place(weave, lane)]
        if (wait := waits.get(lane)) is not None:
            row[1] = weave.text("waits.what", wait) or names.SOMETHING
            row[2] = names.duration(weave.ended - weave.columns["waits.began"][wait])
            row[3] = " → ".join(weave.chain(weave.number("waits.chain", wait)))
        rows.append(row)
    some = f", the first {ROWS}" if len(unfinished) > ROWS else ""
    heads = ("who", "waits for", "since", "who awaits whom", "made at")
    return Table(f"Never finished: {len(unfinished)}{some}", heads, rows, (2,))


def contention(weave: Weave) -> Table:
    """Return the locks, queues and the like that tasks stood in line for."""
    rows = [
        (
            names.duration(it.total),
            str(it.waits),
            str(len(it.lanes)),
            names.duration(it.total / it.waits),
            names.duration(it.longest),
            it.what,
            it.where,
        )
        for it in figures.contentions(weave)[:ROWS]
    ]
    heads = ("together", "waits", "tasks", "mean", "longest", "waited for", "where")
    return Table("Contention: queues, locks and the like", heads, rows, range(5))


def connections(weave: Weave) -> Table:
    """Return the connections over which most came and went."""
    busiest = sorted(figures.traffic(weave), key=lambda it: -it.read - it.written)[:ROWS]
    rows = [
        (
            names.size(it.read),
            names.size(it.written),
            str(it.transfers),
            names.duration(it.in_kernel),
            f"{weave.text('sockets.kind', it.socket) or 'socket'} "
            f"{weave.number('sockets.descriptor', it.socket)}",
            weave.text("sockets.peer", it.socket),
        )
        for it in busiest
    ]
    heads = ("read", "written", "transfers", "in the kernel", "connection", "peer")
    return Table("Connections", heads, rows, range(4))
