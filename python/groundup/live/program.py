"""A running program as who looks at it sees it.

It asks the program for the files that its loops are recorded into, and reads those. It must not
know how what it sees is shown.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, cast

from groundup import _groundup
from groundup.live import sockets
from groundup.live.listener import MOST

#: How long a program may take to answer, in seconds.
PATIENCE = 2.0


class Unreachable(Exception):
    """There is no looking at a program; the text says why."""


class Unanswered(Unreachable):
    """A program that can be looked at does not answer now."""


class Task(TypedDict):
    """A task that lives. Times are in seconds; steps and running are since the last look."""

    name: str
    coroutine: str
    file: str
    line: int
    parent: str
    state: Literal["running", "ready", "waiting", "unknown"]
    since: float
    is_since_known: bool
    what: str
    chain: list[str]
    steps: int
    running: float


class Function(TypedDict):
    """A function that a loop has called since the last look."""

    name: str
    place: str
    steps: int
    running: float


class Loop(TypedDict):
    """What a loop is doing, and what it has done in the `seconds` since the last look."""

    path: str
    seconds: float
    tasks_alive: int
    tasks_spawned: int
    tasks_finished: int
    steps: int
    running: float
    sleeping: float
    collecting: float
    ready: int
    bytes_read: int
    bytes_written: int
    lag_mean: float
    lag_longest: float
    longest_step: float
    longest_step_of: str
    doing: Literal["step", "poll", "collection"] | None
    step_of: str
    step_since: float | None
    tasks: list[Task]
    functions: list[Function]


class Answer(NamedTuple):
    """What a program hands out: facts, names of files, and the same files, open.

    `left_out` is how many loops it has beyond these.
    """

    process: int
    facts: dict[str, str]
    files: list[str]
    left_out: int
    descriptors: list[int]

    def close(self) -> None:
        """Close the files."""
        for descriptor in self.descriptors:
            os.close(descriptor)


class Program:
    """A running program that is looked at, again and again."""

    def __init__(self, process: int) -> None:
        """Reach the program. Raises Unreachable."""
        self.process = process
        self.facts: dict[str, str] = {}
        #: How many loops it has beyond those that it hands out.
        self.left_out = 0
        self._lookouts: dict[tuple[int, int], tuple[str, _groundup.Lookout]] = {}
        self._update()

    def look(self, order: str, most: int, seconds: float = 1.0) -> list[Loop]:
        """Return what each of the program's loops is doing.

        Args:
            order: What tasks come first: those that ran longest lately ("time"), took the most
                steps ("steps"), or have waited longest ("waits").
            most: How many tasks of a loop are described at most.
            seconds: How far back the first look at a loop goes.

        Raises Unreachable when the program has ended, or is not recorded any more.
        """
        try:
            self._update()
        except Unanswered:
            # It is busy or stopped. What it does can be read all the same.
            pass
        loops = []
        for path, lookout in self._lookouts.values():
            seen = lookout.look(seconds, order, most)
            loops.append(cast(Loop, {"path": path, **seen}))
        return loops

    def keep_up(self, seconds: float = 1.0) -> None:
        """Read what is new, so that nothing is lost until the next look."""
        for _, lookout in self._lookouts.values():
            lookout.keep_up(seconds)

    def _update(self) -> None:
        answer = ask(self.process, 0.5 if self.facts else PATIENCE)
        self.facts, self.left_out = answer.facts, answer.left_out
        before, self._lookouts = self._lookouts, {}
        try:
            for path, descriptor in zip(answer.files, answer.descriptors, strict=True):
                found = os.fstat(descriptor)
                key = (found.st_dev, found.st_ino)
                # Opened anew by the descriptor: the name may stand for another file by now.
                lookout = before.get(key) or (
                    path,
                    _groundup.Lookout(f"/proc/self/fd/{descriptor}"),
                )
                self._lookouts[key] = lookout
        finally:
            answer.close()


def programs() -> Iterator[Answer]:
    """Give what each program hands out that can be looked at, without the files."""
    for path in sorted(sockets.found(), key=lambda path: int(path.stem)):
        try:
            answer = _ask_at(path, 0.5)
        except OSError:
            continue
        answer.close()
        yield answer


def ask(process: int, patience: float = PATIENCE) -> Answer:
    """Return what the program with this number hands out.

    Args:
        process: The number of the process.
        patience: How long it may take to answer, in seconds.

    Raises:
        Unreachable: There is no such process, it is not recorded, or not the user's.
        Unanswered: It does not answer.
    """
    for path in sockets.found(process):
        try:
            return _ask_at(path, patience)
        except (TimeoutError, BlockingIOError):
            problem = "it is stopped, or does not let its threads run"
            raise Unanswered(f"process {process} does not answer: {problem}") from None
        except OSError:
            # Nobody listens there; there may be another folder.
            continue
    raise Unreachable(_reason(process))


def _ask_at(path: Path, patience: float) -> Answer:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(os.fspath(path))
        except ConnectionRefusedError:
            # Whoever listened here has ended.
            path.unlink(missing_ok=True)
            raise
        data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, MOST)
        try:
            answer = _read(connection, data)
            return Answer(**answer, descriptors=list(descriptors))
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise


def _read(connection: socket.socket, data: bytes) -> dict[str, Any]:
    while not data.endswith(b"\n"):
        more = connection.recv(1 << 16)
        if not more:
            raise ConnectionResetError("the answer is cut short")
        data += more
    answer: dict[str, Any] = json.loads(data)
    return answer


def _reason(process: int) -> str:
    try:
        owner = os.stat(f"/proc/{process}").st_uid
    except FileNotFoundError:
        return f"there is no process {process}"
    if owner != os.geteuid():
        try:
            user = pwd.getpwuid(owner).pw_name
        except KeyError:
            user = str(owner)
        return f"process {process} is not yours; look at it as its user, {user}"
    return (
        f"process {process} cannot be looked at, for it is not being recorded; "
        "start it with GROUNDUP_RECORD=FILE, or have it call groundup.record(FILE)"
    )
