"""A terminal on which the same lines are drawn again and again, and keys are read meanwhile.

It promises that the terminal is as it was when it is left: by the program, by an exception, by
SIGTERM, and by Ctrl-Z for as long as the process is stopped.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterable
from itertools import islice
from types import FrameType, TracebackType
from typing import NoReturn, Self

from groundup.view import columns

# Another page of the terminal, without a cursor; and back.
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, END_OF_LINE, END_OF_PAGE = "\x1b[H", "\x1b[K", "\x1b[J"
BOLD, NORMAL = "\x1b[1m", "\x1b[m"


class Screen:
    """The terminal of this process, as long as it is used as a context manager."""

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._keys = sys.stdin.fileno() if sys.stdin.isatty() else None
        handlers = {signal.SIGTERM: self._end, signal.SIGTSTP: self._pause}
        self._handlers = {of: signal.signal(of, handler) for of, handler in handlers.items()}
        self._take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        self._give_back()
        for of, handler in self._handlers.items():
            signal.signal(of, handler)

    def _take(self) -> None:
        if self._keys is not None:
            self._before = termios.tcgetattr(self._keys)
            # Keys come at once and are not shown; Ctrl-C is what it is.
            tty.setcbreak(self._keys)
        self._write(ENTER)

    def _give_back(self) -> None:
        self._write(LEAVE)
        if self._keys is not None:
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._before)

    def _end(self, number: int, frame: FrameType | None) -> NoReturn:
        # As a shell says it of whom a signal has ended.
        sys.exit(128 + number)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Leave the terminal to the shell until this process is to go on."""
        self._give_back()
        signal.raise_signal(signal.SIGSTOP)
        self._take()

    @property
    def size(self) -> tuple[int, int]:
        """How many places a line has, and how many lines there are.

        The last place is left free: terminals differ in what they do behind it.
        """
        width, height = shutil.get_terminal_size()
        return width - 1, height

    def draw(self, lines: Iterable[str]) -> None:
        """Show these lines, the first of them in bold; what there is no room for is left out."""
        width, height = self.size
        shown = [columns.cut(line, width) + END_OF_LINE for line in islice(lines, height)]
        shown[:1] = [BOLD + line + NORMAL for line in shown[:1]]
        self._write(HOME + "\n".join(shown) + END_OF_PAGE)

    def key(self, seconds: float) -> str:
        """Return the key that is pressed within a time; "" if none is."""
        readable, _, _ = select.select([] if self._keys is None else [self._keys], [], [], seconds)
        # At the end of what can be read, nobody is there any more.
        return os.read(readable[0], 1).decode("latin-1") or "q" if readable else ""

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
