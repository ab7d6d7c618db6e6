"""What things are called, wherever they are shown."""

from __future__ import annotations

import re
import signal

from groundup.view.weave import CALLBACK, DESCRIPTOR, POLL, SIGNAL, STEP, THREAD, TIMER, Weave

#: What a wait is for whose recording does not say.
SOMETHING = "something"

#: How many nanoseconds a unit of time has, greatest first, and of bytes.
TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0))

#: A line of a stack, as in `fetch (/home/ann/app.py:12)`.
_FRAME = re.compile(r" \(.+:\d+\)$")
_LIBRARY = re.compile(r"[\\/](lib[\\/]python\d|site-packages[\\/])|<frozen ")


def lane(weave: Weave, number: int) -> str:
    """Return what a lane is called: a task's name and what it runs, or a function's name."""
    kind = weave.columns["lanes.kind"][number]
    name = weave.text("lanes.name", number)
    if kind == DESCRIPTOR:
        return f"{name or 'descriptor'} {weave.number('lanes.line', number)}"
    name = name or ("callbacks" if kind == CALLBACK else "task")
    coroutine = weave.text("lanes.coroutine", number)
    return f"{name} · {coroutine}" if coroutine and coroutine != name else name


def place(weave: Weave, number: int) -> str:
    """Return the file and line where a task was made, or a function stands; empty if not known."""
    file, line = weave.text("lanes.file", number), weave.number("lanes.line", number)
    if weave.columns["lanes.kind"][number] == DESCRIPTOR:
        return ""
    return f"{file}:{line}" if file and line else file


def waker(weave: Weave, step: int) -> str:
    """Return what made a step ready; empty if not known."""
    kind, cause = weave.columns["steps.causeKind"][step], weave.number("steps.cause", step)
    if kind == STEP:
        return lane(weave, weave.number("steps.lane", cause))
    known = {TIMER: "a timer", THREAD: "another thread", POLL: "an event", SIGNAL: _signal(cause)}
    return known.get(int(kind), "")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def wait(weave: Weave, number: int) -> str:
    """Return what a wait was for, and whether it came."""
    what = weave.text("waits.what", number) or SOMETHING
    return what if weave.columns["waits.over"][number] else f"{what} (has not come)"


def outcome(weave: Weave, number: int) -> str:
    """Return how a task ended; empty if it did not."""
    how, exception = weave.text("lanes.how", number), weave.text("lanes.exception", number)
    return f"{how}: {exception}" if exception else how


def innermost(stack: str) -> str:
    """Return where a stack is: its innermost line in the program, or else in a library."""
    frames = [line for line in stack.split("\n") if _FRAME.search(line)]
    own = [line for line in frames if not _LIBRARY.search(line)]
    return next(reversed(own or frames), "")


def duration(nanoseconds: float) -> str:
    """Return a time in the unit that suits it, in three digits."""
    return _measured(nanoseconds, TIMES)


def size(count: float) -> str:
    """Return a number of bytes in the unit that suits it, in three digits."""
    return _measured(count, SIZES)


def _measured(number: float, units: tuple[tuple[str, float], ...]) -> str:
    # What would be shown as 1000 of a unit is 1 of the next.
    unit, whole = next((it for it in units if number >= it[1] * 0.9995), units[-1])
    value = number / whole
    digits = 0 if whole == 1 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"
