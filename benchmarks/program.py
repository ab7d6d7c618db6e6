"""A program that was started, and talks in lines of JSON: the measured ones, and the loads."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Failed(Exception):
    """A measurement that could not be made; says why."""


class Program:
    """A running program whose input and output are ours."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Any, limit: float) -> None:
        self._process = process
        self._errors = errors
        self._end = time.monotonic() + limit
        self._heard = b""

    def say(self, word: str) -> None:
        """Send a line."""
        assert self._process.stdin
        # One that has ended is noticed when it is listened to.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()

    def hear(self) -> Any:
        """Wait for the next line, and return what it says."""
        while b"\n" not in self._heard:
            self._heard += self._read()
        line, _, self._heard = self._heard.partition(b"\n")
        return json.loads(line)

    def ask(self, word: str) -> Any:
        """Send a line, and return what the answer says."""
        self.say(word)
        return self.hear()

    def check(self) -> None:
        """Raise Failed with its own reason if it has ended, or does so now."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
            raise Failed(self._last_words())

    def _read(self) -> bytes:
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, self._end - time.monotonic())):
                raise Failed("took too long")
        if piece := os.read(self._process.stdout.fileno(), 65536):
            return piece
        raise Failed(self._last_words())

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line]
        return lines[-1].strip() if lines else f"ended with {code}"


@contextlib.contextmanager
def started(command: Sequence[Any], limit: float, core: int | None = None) -> Iterator[Program]:
    """Start a program, on a core if that is given; end it at the end.

    It has `limit` seconds for everything that it is asked.
    """
    line = [str(word) for word in command]
    if core is not None:
        line = ["taskset", "-c", str(core), *line]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
        )
        try:
            yield Program(process, errors, limit)
        finally:
            process.kill()
            with contextlib.suppress(BrokenPipeError):
                process.communicate()
