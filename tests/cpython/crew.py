"""Workers, side by side, each a process that runs tests until one of them ends it.

A test that crashes its worker, or is not done within the time limit, costs only itself: what the
worker had started is ended with it, and the rest of its tests goes to a new one. So it is with a
worker in which a test failed, since nobody knows what that left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from .outcome import Outcome, Status

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

# How much of a worker's output is shown when it was lost, in characters.
OUTPUT_SIZE = 8000

# How much longer than a test's limit a worker may take to end itself, in seconds.
GRACE = 5


@dataclass(frozen=True)
class Shard:
    """Some tests of one module, for a worker with one loop."""

    loop: str
    module: str
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """What all workers have in common; the limit is in seconds, for each test."""

    python: Path
    package: str
    limit: float


class WorkerLostError(Exception):
    """A worker that ended, or had to be ended."""

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class DismissedError(Exception):
    """A run that was broken off."""


class Worker:
    """A process of worker.py, with a directory of its own."""

    def __init__(self, setting: Setting, shard: Shard) -> None:
        self._limit = setting.limit
        self._scratch = tempfile.TemporaryDirectory(prefix="groundup-", ignore_cleanup_errors=True)
        self._output = Path(self._scratch.name, "output")
        self._connection, theirs = Pipe()
        # Before the worker's own time begins: it never ends itself sooner than it hangs.
        self._asked = time.monotonic()
        with theirs, self._output.open("wb") as output:
            self._process = subprocess.Popen(
                _command(setting, shard, theirs),
                cwd=self._scratch.name,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._exit = os.pidfd_open(self._process.pid)

    def hear(self) -> Any:
        """Return what the worker says next; raise WorkerLostError if it ends or takes too long."""
        ready = wait([self._connection, self._exit], self._limit + GRACE)
        try:
            if self._connection in ready:
                return self._connection.recv()
        except (EOFError, ConnectionError):
            wait([self._exit], GRACE)
        if time.monotonic() - self._asked >= self._limit:
            raise self._lost(Status.HUNG, f"Not done after {self._limit:g} seconds.")
        raise self._lost(Status.CRASHED, self._describe_exit())

    def run(self, test: str) -> Outcome:
        """Run a test; if that ends the worker, its outcome says so."""
        self._asked = time.monotonic()
        self._connection.send(test)
        try:
            return Outcome.from_json(self.hear())
        except WorkerLostError as lost:
            return Outcome(lost.status, time.monotonic() - self._asked, lost.detail)

    def kill(self) -> None:
        """Kill the process and all that it started, but do not wait: its id stays its own."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and all that it started, and remove what is left of them."""
        self.kill()
        self._process.wait()
        self._connection.close()
        os.close(self._exit)
        self._scratch.cleanup()

    def _lost(self, status: Status, reason: str) -> WorkerLostError:
        output = self._output.read_text(errors="replace")[-OUTPUT_SIZE:].strip()
        return WorkerLostError(status, f"{output}\n{reason}")

    def _describe_exit(self) -> str:
        exited = os.waitid(os.P_PIDFD, self._exit, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if exited is None:
            return "The process closed its connection."
        if exited.si_code == os.CLD_EXITED:
            return f"The process ended with exit code {exited.si_status}."
        return f"The process died of {signal.Signals(exited.si_status).name}."


def _command(setting: Setting, shard: Shard, connection: Connection) -> list[str]:
    # As in CPython's own runner: all warnings are shown, and mixing bytes with str is an error.
    switches = ["-W", "default", "-bb", "-X", "faulthandler"]
    arguments = [shard.loop, setting.package, shard.module]
    numbers = [str(setting.limit), str(connection.fileno())]
    return [str(setting.python), *switches, "-m", "tests.cpython.worker", *arguments, *numbers]


def _environment() -> dict[str, str]:
    """Return the environment without what changes how Python and asyncio work."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


Told: TypeAlias = Callable[[Shard, str, Outcome], None]


class Crew:
    """Runs shards in several workers at a time."""

    def __init__(self, setting: Setting, size: int) -> None:
        self._setting = setting
        self._size = size
        self._workers: set[Worker] = set()
        self._lock = threading.Lock()
        self._dismissed = False

    def list_tests(self, loop: str, modules: Iterable[str]) -> dict[str, list[str]]:
        """Return the tests of each module; raise WorkerLostError if one cannot be imported."""
        shards = [Shard(loop, module) for module in modules]
        lists = self._side_by_side(self._list, shards)
        return {shard.module: tests for shard, tests in zip(shards, lists, strict=True)}

    def run(self, shards: Iterable[Shard], tell: Told) -> None:
        """Run all tests of all shards, and tell the outcome of each as soon as it is known."""
        self._side_by_side(lambda shard: self._run(shard, tell), shards)

    def _side_by_side(self, work: Callable[[Shard], T], shards: Iterable[Shard]) -> list[T]:
        threads = ThreadPoolExecutor(self._size)
        try:
            return list(threads.map(work, shards))
        except BaseException:
            self._dismiss()
            raise
        finally:
            threads.shutdown(cancel_futures=True)

    def _list(self, shard: Shard) -> list[str]:
        with self._hired(shard) as worker:
            tests: list[str] = worker.hear()
            return tests

    def _run(self, shard: Shard, tell: Told) -> None:
        left = list(shard.tests)
        while left:
            with self._hired(shard) as worker:
                worker.hear()
                while left:
                    test = left.pop(0)
                    outcome = worker.run(test)
                    tell(shard, test, outcome)
                    if outcome.went_wrong:
                        break

    @contextmanager
    def _hired(self, shard: Shard) -> Iterator[Worker]:
        with self._lock:
            if self._dismissed:
                raise DismissedError
            worker = Worker(self._setting, shard)
            self._workers.add(worker)
        try:
            yield worker
        finally:
            with self._lock:
                self._workers.discard(worker)
            worker.end()

    def _dismiss(self) -> None:
        """Kill all workers, and hire no more; who hired them ends them."""
        with self._lock:
            self._dismissed = True
            for worker in self._workers:
                worker.kill()
