"""The black box: a recording that always goes on, of which a copy is kept when something happens.

It promises that the disk does not fill, and that what it leaves can be read, however the process
ended.
It must not know what is recorded.
"""

from __future__ import annotations

import os
import re
import signal as signals
import sys
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from groundup import _groundup
from groundup.recording import Recording

__all__ = ["BlackBox", "black_box"]

#: How large a box is, in megabytes of 1,048,576 bytes, if nobody says otherwise.
MEGABYTES = 16.0
#: How many copies are kept, if nobody says otherwise.
COPIES = 8
#: Seconds between two copies for late steps, or for exceptions that have not ended anything.
PAUSE = 10.0
#: How many characters of an exception are told.
LONGEST_REASON = 200


class BlackBox(Recording):
    """A recording of which copies are made when something happens; it is made by `black_box`."""

    _process_mark = "p"

    def __init__(
        self,
        path: str | os.PathLike[str],
        megabytes: float,
        step_limit: float | None,
        on_exception: bool,
        signal: int | None,
        copies: int,
    ) -> None:
        """Describe a black box; see `black_box`."""
        super().__init__(path, megabytes, step_limit)
        if signal is not None and signal not in signals.valid_signals():
            raise ValueError(f"signal must be the number of a signal, got {signal!r}")
        if copies < 1:
            raise ValueError(f"copies must be 1 or more, got {copies!r}")
        self._on_exception = on_exception
        self._signal = signal
        self._most = copies
        self._latest = -PAUSE
        #: The boxes, each of a loop that runs or of one that has ended last in its place.
        self._boxes: list[_groundup.Recording] = []
        self._copies: deque[Path] = deque(maxlen=copies)
        self._former_handler: Any = None
        self._former_hooks = (sys.excepthook, threading.excepthook)

    @property
    def paths(self) -> list[Path]:
        """The copies that are kept, in the order in which they were made."""
        return list(self._copies)

    def start(self) -> None:
        """Record loops from now on: the one that runs in this thread, and all that begin to run.

        Raises what `Recording.start` does, and ValueError when a signal is to be heard and this is
        not the main thread.
        """
        super().start()
        try:
            if self._signal is not None:
                self._former_handler = signals.signal(self._signal, self._hear_signal)
        except BaseException:
            self.stop()
            raise
        if self._on_exception:
            self._former_hooks = (sys.excepthook, threading.excepthook)
            sys.excepthook = self._hear_end
            threading.excepthook = self._hear_end_of_thread

    def _make(self) -> _groundup.Recording:
        """Make the box of the next loop, in the place of one whose loop is closed, if any."""
        places = enumerate(self._boxes)
        place = next((place for place, box in places if box.finished), len(self._boxes))
        here = self._path_here()
        path = here.with_name(f"{here.stem}-loop-{place + 1}{here.suffix}") if place else here
        if place == len(self._boxes) and path.is_file():
            # A process that has died left it.
            path.rename(self._next_copy())
        box = _groundup.Recording(path, self._size, is_box=True)
        box.listen(self._hear)
        for former in self._boxes[place : place + 1]:
            former.abandon()
        self._boxes[place : place + 1] = [box]
        return box

    def _finish(self) -> None:
        """End the recordings of all loops, and take the boxes away: nothing has happened."""
        self._unhook()
        for box in self._boxes:
            box.finish()
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(box.fileno()), box.path.stat()):
                    box.path.unlink()
            box.abandon()
        self._boxes.clear()
        self._first = None

    def _unhook(self) -> None:
        number, former = self._signal, self._former_handler
        if number is not None and signals.getsignal(number) == self._hear_signal:
            # In another thread than the main one it stays, and has nothing to keep.
            with suppress(ValueError):
                signals.signal(number, former or signals.SIG_DFL)
        if sys.excepthook == self._hear_end:
            sys.excepthook = self._former_hooks[0]
        if threading.excepthook == self._hear_end_of_thread:
            threading.excepthook = self._former_hooks[1]

    def _leave_to_parent(self) -> None:
        super()._leave_to_parent()
        self._boxes.clear()
        self._copies.clear()

    def _hear(self, box: _groundup.Recording, kind: str, what: str) -> None:
        """Hear of a late step, or of an exception that has come to a loop's exception handler."""
        if kind == "exception" and not self._on_exception:
            return
        now = time.monotonic()
        if now - self._latest >= PAUSE:
            self._latest = now
            self._keep([box], what)

    def _hear_signal(self, number: int, frame: FrameType | None) -> None:
        self._keep(self._boxes, f"signal {signals.strsignal(number) or number}")
        if callable(self._former_handler):
            self._former_handler(number, frame)

    def _hear_end(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self._keep_for(error)
        self._former_hooks[0](kind, error, trace)

    def _hear_end_of_thread(self, arguments: threading.ExceptHookArgs) -> None:
        self._keep_for(arguments.exc_value)
        self._former_hooks[1](arguments)

    def _keep_for(self, error: BaseException | None) -> None:
        """Keep copies of all boxes if an exception is a failure, not Ctrl-C or the like."""
        if isinstance(error, Exception) and Recording._active is self:
            lines = traceback.format_exception_only(error)
            self._keep(self._boxes, "".join(lines).strip()[:LONGEST_REASON])

    def _keep(self, boxes: Iterable[_groundup.Recording], why: str) -> None:
        """Keep a copy of each box that has a mark of why."""
        with self._lock:
            for box in [box for box in boxes if box is not self._first]:
                box.mark(f"black box: {why}")
                path = self._next_copy()
                try:
                    box.copy_to(path)
                except OSError as error:
                    warnings.warn(f"cannot keep a copy: {error}", RuntimeWarning, stacklevel=3)
                else:
                    self._copies.append(path)

    def _next_copy(self) -> Path:
        """Return the name of the next copy, after removing those that are too many then."""
        here = self._path_here()
        named = re.compile(re.escape(here.stem) + r"-(\d+)" + re.escape(here.suffix))
        found = (named.fullmatch(path.name) for path in here.parent.iterdir())
        numbers = sorted(int(match[1]) for match in found if match)
        for number in numbers[: max(0, len(numbers) + 1 - self._most)]:
            here.with_name(f"{here.stem}-{number}{here.suffix}").unlink(missing_ok=True)
        number = numbers[-1] + 1 if numbers else 1
        return here.with_name(f"{here.stem}-{number}{here.suffix}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep copies if an exception has come here, and stop."""
        if self._on_exception:
            self._keep_for(error)
        self.stop()


def black_box(
    path: str | os.PathLike[str],
    *,
    megabytes: float = MEGABYTES,
    step_limit: float | None = None,
    on_exception: bool = True,
    signal: int | None = None,
    copies: int = COPIES,
) -> BlackBox:
    """Record event loops all the time, and keep the last of it when something happens.

    Use it as a context manager around a program, or start it once and for all:

        groundup.black_box("box.weave", step_limit=0.5).start()

    What happens last in a loop is in the file `path`, which is as large as `megabytes` says and is
    taken away when the box is stopped in order, as it is at the end of a program. If the process
    dies before, the file stays; the next process finds it, and keeps it as a copy. A second loop
    that runs at the same time has the file box-loop-2.weave.

    A copy is made beside it, as box-1.weave, box-2.weave and so on, with a mark that says why: when
    a step took too long, for an exception, for a signal. Of each loop the recording says what came
    before. For steps, and for exceptions that came to a loop's exception handler, there is one copy
    in ten seconds at most; when there are more copies than are to be kept, the oldest go.

    One recording or black box goes on in a process at a time. Processes that are forked have boxes
    of their own, with their numbers in the names, as box-p1234.weave. Of processes that are started
    with the same name each needs its own: use `%p`.

    Args:
        path: The name of the box. `%p` in it stands for the number of the process.
        megabytes: How large it is, 1/16 to 16384, in units of 1,048,576 bytes. Copies have only
            what is in it.
        step_limit: Seconds, 0.001 or more. A step that takes longer has its stack noted while it
            does, and is a reason for a copy at its end. None: none is.
        on_exception: Whether an exception is a reason for a copy if it comes to a loop's exception
            handler, ends a thread or the program, or leaves the context.
        signal: A signal that is a reason for a copy of what each loop did, as signal.SIGUSR2. If
            the program has a handler for it, that is called, too.
        copies: How many copies are kept.

    Raises:
        TypeError: An argument is of another type.
        ValueError: A number is out of range.
    """
    return BlackBox(path, megabytes, step_limit, on_exception, signal, copies)
