"""Programs in processes of their own: started, heard until they are ready, ended for certain."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

# In seconds, until a program that was told to end is killed.
PATIENCE = 10


class Program:
    """A process, and what it has said so far on its standard output and error."""

    def __init__(self, *command: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **options,
        )
        self.said = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self, pattern: str) -> re.Match[str]:
        """Return the match with the next line that has the pattern in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(pattern, line):
                return found
        pytest.fail(f"ended without saying {pattern!r}:\n{self.said}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; `said` has then all that was said."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.said += rest
        return self.process.returncode


@contextlib.contextmanager
def started(*command: str, **options: Any) -> Iterator[Program]:
    """Give a running program; leave none of its processes behind."""
    program = Program(*command, **options)
    with program.process:
        try:
            yield program
            if program.process.poll() is None:
                program.end()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
