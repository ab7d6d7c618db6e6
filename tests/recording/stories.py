"""What a recording tells, as a story: a line for each thing that happened, in the order of time.

Numbers that differ from run to run are made the same: descriptors become letters, in the order in
which they are heard of; tasks are called by what they run, and ports are left out.
"""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import groundup
from groundup.view import weave
from groundup.view.weave import POLL, SIGNAL, STEP, TASK, THREAD, TIMER, Weave

#: What the end of a run does by itself.
OWN = ("EventLoop.shutdown_asyncgens", "EventLoop.shutdown_default_executor")

#: Callbacks that asyncio, or the loop, has for itself.
WITHIN = ("_stop_when_done", "_discard_awaited_by")

Program = Callable[[], Coroutine[Any, Any, Any]]


def recorded(program: Program, folder: Path, **options: Any) -> Weave:
    """Run a program to its end, and read what was recorded of it."""
    path = folder / "run.weave"
    with groundup.record(path):
        groundup.run(program(), **options)
    return weave.load(path)


def tell(program: Program, folder: Path, **options: Any) -> list[str]:
    """Run a program to its end, and tell the story of it."""
    return Story(recorded(program, folder, **options)).lines


class Story:
    """The story of a recording."""

    def __init__(self, shown: Weave) -> None:
        self.weave = shown
        self.letters: dict[int, str] = {}
        events = [
            *self.steps(),
            *self.waits(),
            *self.ends(),
            *self.cancels(),
            *self.sockets(),
            *self.transfers(),
            *self.jobs(),
            *(
                (time, shown.strings[int(text)])
                for time, text in shown.rows("marks", "time", "text")
            ),
        ]
        told = sorted((event for event in events if event[1]), key=lambda event: event[0])
        self.lines = [self.with_letters(line) for _, line in told]

    def lane(self, lane: int) -> str:
        """What a lane is called: by what it runs, or its number if it is a descriptor's."""
        shown = self.weave
        if shown.number("lanes.kind", lane) == 2:
            return f"descriptor {shown.number('lanes.line', lane)}"
        name = shown.text("lanes.name", lane)
        if shown.number("lanes.kind", lane) == TASK and re.fullmatch(r"Task-\d+", name):
            name = shown.text("lanes.coroutine", lane)
        return name.rpartition(".")[2] if name not in OWN else ""

    def cause(self, kind: int, cause: int) -> str:
        if kind == STEP:
            return self.lane(self.weave.number("steps.lane", cause)) or "the end of the run"
        if kind == SIGNAL:
            return signal.Signals(cause).name
        return {TIMER: "a timer", THREAD: "another thread", POLL: "the poll"}.get(kind, "nobody")

    def steps(self):
        for lane, began, kind, cause in self.weave.rows(
            "steps", "lane", "began", "causeKind", "cause"
        ):
            who = self.lane(int(lane))
            if who and who not in WITHIN:
                yield began, f"{who} runs, by {self.cause(int(kind), int(cause))}"

    def waits(self):
        for lane, began, what in self.weave.rows("waits", "lane", "began", "what"):
            what = re.sub(r"Task-\d+", "Task", self.weave.strings[int(what)])
            what = re.sub(r"child process \d+", "child process", what)
            yield began, (who := self.lane(int(lane))) and f"{who} waits: {what}"

    def ends(self):
        for lane, (kind, ended, how, exception) in enumerate(
            self.weave.rows("lanes", "kind", "ended", "how", "exception")
        ):
            if kind == TASK and not math.isnan(ended) and self.lane(lane):
                words = (self.weave.strings[int(it)] for it in (how, exception) if it)
                yield ended, f"{self.lane(lane)} has {' '.join(words)}"

    def cancels(self):
        for lane, time in self.weave.rows("cancels", "lane", "time"):
            yield time, f"{self.lane(int(lane))} is to cancel itself"

    def sockets(self):
        for descriptor, kind, peer, opened, closed in self.weave.rows(
            "sockets", "descriptor", "kind", "peer", "opened", "closed"
        ):
            words = f"{self.weave.strings[int(kind)]} {self.weave.strings[int(peer)]}"
            words = re.sub(r":\d+", "", words).strip()
            yield opened, f"descriptor {int(descriptor)} opens: {words}" if words else ""
            if not math.isnan(closed):
                yield closed, f"descriptor {int(descriptor)} closes"

    def transfers(self):
        for socket, time, came, count in self.weave.rows(
            "transfers", "socket", "time", "came", "bytes"
        ):
            descriptor = self.weave.number("sockets.descriptor", int(socket))
            yield time, f"descriptor {descriptor} {'gave' if came else 'took'} {int(count)} bytes"

    def jobs(self):
        for function, began, ended in self.weave.rows("jobs", "function", "began", "ended"):
            name = self.weave.strings[int(function)].rpartition(".")[2]
            yield began, f"job {name} begins"
            if not math.isnan(ended):
                yield ended, f"job {name} ends"

    def with_letters(self, line: str) -> str:
        def letter(match: re.Match[str]) -> str:
            number = int(match[2])
            known = self.letters.setdefault(number, ascii_lowercase[len(self.letters)])
            return f"{match[1]} {known}"

        return re.sub(r"(descriptor|socket) (\d+)", letter, line)
