"""Recording what happens in event loops, step by step, into files that `groundup view` shows."""

from __future__ import annotations

import asyncio
import atexit
import importlib
import math
import os
import platform
import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from weakref import WeakKeyDictionary, finalize

from groundup import _groundup
from groundup.live.listener import LISTENER

__all__ = ["Recording", "record"]

#: How large a file becomes at most, in megabytes of 1,048,576 bytes, if nobody says otherwise.
MEGABYTES = 64.0
#: How many seconds a step may take before its stack is noted, if nobody says otherwise.
STEP_LIMIT = 0.1


class Recording:
    """What is recorded between `start` and `stop`: a file for each loop that runs meanwhile.

    It is made by `record`, and is a context manager.
    """

    _active: ClassVar[Recording | None] = None
    #: What stands before the number of a forked process in names of files.
    _process_mark = ""

    def __init__(
        self, path: str | os.PathLike[str], megabytes: float, step_limit: float | None
    ) -> None:
        """Describe a recording; see `record`."""
        if not 1 / 16 <= megabytes <= 16 * 1024:
            raise ValueError(f"megabytes must be 1/16 to 16384, got {megabytes!r}")
        if step_limit is not None and not 0.001 <= step_limit < math.inf:
            raise ValueError(f"step_limit must be 0.001 seconds or more, got {step_limit!r}")
        self._step_limit = step_limit
        self._path = Path(os.path.abspath(path))
        self._size = int(megabytes * 1024 * 1024)
        self._process = os.getpid()
        #: The child process that stops this at its end.
        self._child: int | None = None
        self._is_started = False
        # Two threads may begin to run their loops at once.
        self._lock = threading.RLock()
        #: The file that the first loop is recorded into.
        self._first: _groundup.Recording | None = None
        #: None for a loop that cannot be recorded.
        self._of_loops: WeakKeyDictionary[_groundup.EventLoop, _groundup.Recording | None]
        self._of_loops = WeakKeyDictionary()
        self._files: list[Path] = []

    @property
    def paths(self) -> list[Path]:
        """The files, in the order in which their loops began to run."""
        return list(self._files)

    @property
    def socket(self) -> Path | None:
        """The Unix socket by which `groundup top` sees the loops; None if there is no place for it.

        It is there from the moment when the first of the loops runs.
        """
        return LISTENER.address

    def start(self) -> None:
        """Record loops from now on: the one that runs in this thread, and all that begin to run.

        Raises RuntimeError while another recording goes on or when this one has been started
        before, and OSError when the first file cannot be made. If a further one cannot be made
        later, its loop runs unrecorded, with a RuntimeWarning.
        """
        if Recording._active is not None:
            raise RuntimeError(f"already recording to {Recording._active._path}")
        if self._is_started:
            raise RuntimeError("a recording can be started once")
        self._is_started = True
        self._first = self._make()
        Recording._active = self
        atexit.register(self.stop)
        _groundup.watch_runs(self._begin)
        running: object = asyncio._get_running_loop()
        if isinstance(running, _groundup.EventLoop):
            self._begin(running)

    def stop(self) -> None:
        """End the recording; nothing happens if it has ended.

        If no loop has run, no file is left.
        """
        if Recording._active is not self:
            return
        Recording._active = None
        _groundup.watch_runs(None)
        atexit.unregister(self.stop)
        self._finish()
        LISTENER.withdraw()

    def mark(self, text: str) -> None:
        """Note something at this moment, in the recording of the loop that runs in this thread.

        Nothing happens when none runs, or it is not recorded.
        """
        running: object = asyncio._get_running_loop()
        if not isinstance(running, _groundup.EventLoop):
            return
        recording = self._of_loops.get(running)
        if recording is not None and not recording.finished:
            recording.mark(text)

    def _begin(self, loop: _groundup.EventLoop) -> None:
        with self._lock:
            if loop in self._of_loops:
                return
            self._stop_with_child()
            self._of_loops[loop] = None
            try:
                recording = self._first or self._make()
                self._first = None
                if recording.path not in self._files:
                    self._files.append(recording.path)
                self._of_loops[loop] = recording
                # A loop may go without being closed.
                finalize(loop, recording.finish).atexit = False
                recording.begin(loop, _facts(), self._step_limit)
                LISTENER.offer(recording, dict(_facts()))
            except OSError as error:
                warnings.warn(f"cannot record a loop: {error}", RuntimeWarning, stacklevel=2)

    def _make(self) -> _groundup.Recording:
        """Make the file of the next loop, with a number if it is not the first."""
        here = self._path_here()
        number = f"-{len(self._files) + 1}" if self._files else ""
        return _groundup.Recording(here.with_name(here.stem + number + here.suffix), self._size)

    def _stop_with_child(self) -> None:
        """Stop at the end of this process if it is a child of multiprocessing's.

        Such children leave without what is registered with atexit.
        """
        process = sys.modules.get("multiprocessing.process")
        if process is None or process.parent_process() is None or self._child == os.getpid():
            return
        self._child = os.getpid()
        util = importlib.import_module("multiprocessing.util")
        util.Finalize(None, self.stop, exitpriority=0)

    def _path_here(self) -> Path:
        """Return the given name with `%p` replaced, or with the number of a forked process."""
        process = str(os.getpid())
        path = self._path.with_name(self._path.name.replace("%p", process))
        if os.getpid() == self._process or "%p" in self._path.name:
            return path
        return path.with_name(f"{path.stem}-{self._process_mark}{process}{path.suffix}")

    def _finish(self) -> None:
        """End the recordings of all loops."""
        for recording in filter(None, list(self._of_loops.values())):
            recording.finish()
        if self._first is not None:
            self._first.path.unlink(missing_ok=True)
            self._first = None

    def _leave_to_parent(self) -> None:
        """Let go of the recordings of the process that this one is a copy of."""
        self._lock = threading.RLock()
        for recording in filter(None, (*self._of_loops.values(), self._first)):
            recording.abandon()
        self._of_loops.clear()
        self._files.clear()
        self._first = None

    def __enter__(self) -> Self:
        """Start, and return the recording."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def record(
    path: str | os.PathLike[str],
    *,
    megabytes: float = MEGABYTES,
    step_limit: float | None = STEP_LIMIT,
) -> Recording:
    """Record what happens in event loops, for `groundup view` to show.

    Use it as a context manager, around any part of a program:

        with groundup.record("run.weave"):
            groundup.run(main())

    The loop that runs in this thread is recorded, and each loop of groundup's that begins to run
    before the end. The first is recorded to `path`, others to files with a number in the name, as
    run-2.weave. Processes that are forked meanwhile write files of their own, with their numbers
    in the names. When a file is full, the oldest records go.

    The files are written as maps of memory: should the process be killed, they can be read all the
    same.

    Args:
        path: The name of the file; one that is there is replaced. `%p` in it stands for the number
            of the process.
        megabytes: How large a file may become, 1/16 to 16384, in units of 1,048,576 bytes.
        step_limit: Seconds, 0.001 or more. When a step takes longer, the stack of its thread is
            noted while it does. That takes the interpreter lock: of a function in C that does not
            let go of it, one sees the line that called it, as soon as it returns. None: never.

    Raises:
        ValueError: A number is out of range.
    """
    return Recording(path, megabytes, step_limit)


def _facts() -> list[tuple[str, str]]:
    return [
        ("program", os.path.basename(sys.argv[0]) if sys.argv else ""),
        ("python", platform.python_version()),
        ("groundup", _groundup.__version__),
    ]


def _after_fork() -> None:
    active = Recording._active
    if active is not None:
        active._leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)
