"""Recordings as tests see them."""

from __future__ import annotations

import array
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from groundup import _groundup

CODES = {"u8": "B", "u32": "I", "i32": "i", "f64": "d"}


class Weave:
    """What a recording tells, column by column."""

    def __init__(self, path: Path) -> None:
        self.read = _groundup.read_recording(path.read_bytes())
        self.facts: dict[str, str] = self.read["facts"]
        self.process: int = self.read["process"]
        self.lost: int = self.read["lost"]

    def numbers(self, name: str) -> list[Any]:
        kind, data = self.read["columns"][name]
        return list(array.array(CODES[kind], data))

    def texts(self, name: str) -> list[str]:
        return [self.read["strings"][number] for number in self.numbers(name)]

    @property
    def coroutines(self) -> list[str]:
        """What the tasks run, each once, in order."""
        kinds, coroutines = self.numbers("lanes.kind"), self.texts("lanes.coroutine")
        found = [it for kind, it in zip(kinds, coroutines, strict=True) if kind == 0]
        return sorted({it.rpartition(".")[2] for it in found})

    @property
    def marks(self) -> list[str]:
        return self.texts("marks.text")

    @property
    def stacks(self) -> list[tuple[str, list[str]]]:
        """What the steps that blocked ran, and the lines of their stacks."""
        lanes, steps = self.numbers("stacks.step"), self.numbers("steps.lane")
        names = [
            coroutine or name
            for coroutine, name in zip(
                self.texts("lanes.coroutine"), self.texts("lanes.name"), strict=True
            )
        ]
        texts = self.texts("stacks.text")
        return [
            (names[steps[step]].rpartition(".")[2], text.splitlines())
            for step, text in zip(lanes, texts, strict=True)
        ]


def names(folder: Path) -> list[str]:
    """The files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def run(source: str, folder: Path, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder to its end, with groundup and asyncio imported, as app.py."""
    program = folder / "app.py"
    program.write_text("import asyncio, groundup, os, sys, time\n" + textwrap.dedent(source))
    line = [sys.executable, *options, "app.py"]
    try:
        return subprocess.run(
            line, cwd=folder, capture_output=True, text=True, timeout=30, check=False, **more
        )
    finally:
        program.unlink()
