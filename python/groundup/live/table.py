"""What a program is doing, as lines of text: a few about each of its loops, then a table of tasks.

It must not know where they are shown. What programs call themselves is shown without characters
that a terminal would obey.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from groundup.live.program import Answer, Function, Loop, Program, Task
from groundup.view import columns, names

HEADS = ("NAME", "RUNS", "STATE", "FOR", "STEPS/S", "BUSY", "WAITS FOR", "WHO AWAITS WHOM")
#: The columns that stand at the right of their places.
RIGHT = (3, 4, 5)
#: How many lines stand around the table of each loop.
AROUND_TABLE = 6


class Row(NamedTuple):
    """A row of the table, and what it is put in order by."""

    steps: int
    running: float
    cells: Sequence[str]


def draw(
    program: Program, loops: Sequence[Loop], order: str, most: int, width: int
) -> Iterator[str]:
    """Yield the lines that show what a program's loops are doing.

    Args:
        program: The program.
        loops: What has been seen of its loops.
        order: What comes first in tables.
        most: How many rows a table may have.
        width: How many places a line has.
    """
    facts = program.facts
    name = columns.printable(facts.get("program", "")) or "a program"
    versions = ", ".join(f"{of} {facts.get(of.lower(), '?')}" for of in ("Python", "groundup"))
    now = time.strftime("%H:%M:%S")
    yield f"{name}, process {program.process}, {columns.printable(versions)}, {now}"
    if not loops:
        yield from ("", "No loop runs.")
    for loop in loops:
        yield from ("", *_about(loop), "", *_table(loop, order, most, width))
    if program.left_out:
        yield from ("", f"{program.left_out} more loops are not shown.")


def draw_list(answers: Sequence[Answer], width: int) -> Iterator[str]:
    """Yield the lines of a table of programs that can be looked at."""
    if not answers:
        yield "No program of yours is being recorded."
        return
    rows = [("PROCESS", "PROGRAM", "LOOPS", "RECORDED IN")]
    for answer in answers:
        name, count = answer.facts.get("program", ""), len(answer.files) + answer.left_out
        rows.append((str(answer.process), name, str(count), ", ".join(answer.files)))
    yield from columns.lines(rows, (0, 2), width)


def _about(loop: Loop) -> Iterator[str]:
    seconds = loop["seconds"] or 1.0
    came, ended = loop["tasks_spawned"], loop["tasks_finished"]
    path = columns.printable(loop["path"])
    yield f"{path}: {loop['tasks_alive']} tasks, {came} new, {ended} ended"
    parts = [
        f"{_number(loop['steps'] / seconds)} steps/s",
        f"running {100 * loop['running'] / seconds:.0f} %",
        f"asleep {100 * loop['sleeping'] / seconds:.0f} %",
        f"{loop['ready']} ready",
        f"lag {_duration(loop['lag_mean'])}, at most {_duration(loop['lag_longest'])}",
    ]
    if loop["bytes_read"] or loop["bytes_written"]:
        read, written = (names.size(loop[it] / seconds) for it in ("bytes_read", "bytes_written"))
        parts.append(f"read {read}/s, written {written}/s")
    if loop["collecting"]:
        parts.append(f"collecting garbage {100 * loop['collecting'] / seconds:.0f} %")
    yield ", ".join(parts)
    yield _about_steps(loop)


def _about_steps(loop: Loop) -> str:
    text = "no step has ended lately"
    if loop["longest_step"]:
        text = f"longest step {_duration(loop['longest_step'])}, {_whose(loop['longest_step_of'])}"
    if loop["step_since"] is not None:
        text += f"; for {_duration(loop['step_since'])} in a step of {_whose(loop['step_of'])}"
    return text


def _whose(name: str) -> str:
    return columns.printable(name) or "something unknown"


def _table(loop: Loop, order: str, most: int, width: int) -> Iterator[str]:
    seconds = loop["seconds"] or 1.0
    rows = [_of_task(task, seconds) for task in loop["tasks"]]
    if order != "waits":
        rows += [_of_function(function, seconds) for function in loop["functions"]]
    if order == "time":
        rows.sort(key=lambda row: -row.running)
    if order == "steps":
        rows.sort(key=lambda row: -row.steps)
    return columns.lines([HEADS, *(row.cells for row in rows[:most])], RIGHT, width)


def _of_task(task: Task, seconds: float) -> Row:
    since = _duration(task["since"])
    cells = (
        task["name"] or "?",
        task["coroutine"],
        task["state"],
        since if task["is_since_known"] else f"{since} +",
        *_ran(task, seconds),
        task["what"],
        " > ".join(task["chain"]),
    )
    return Row(task["steps"], task["running"], cells)


def _of_function(function: Function, seconds: float) -> Row:
    cells = (
        function["name"] or "?",
        "",
        "called",
        "",
        *_ran(function, seconds),
        "",
        function["place"],
    )
    return Row(function["steps"], function["running"], cells)


def _ran(row: Task | Function, seconds: float) -> tuple[str, str]:
    return _number(row["steps"] / seconds), f"{100 * row['running'] / seconds:.1f} %"


def _duration(seconds: float) -> str:
    return names.duration(seconds * 1e9)


def _number(number: float) -> str:
    return f"{number:.1f}" if 0 < number < 10 else f"{number:,.0f}"
