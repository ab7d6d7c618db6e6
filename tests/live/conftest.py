"""What the tests of looking at programs share: how one is started, a folder, the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of sockets, for this test only; its name is short, as names of sockets must be."""
    runtime = Path(tempfile.mkdtemp(prefix="live"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", os.fspath(runtime))
    yield runtime / "groundup"
    shutil.rmtree(runtime)


class Started:
    """A recorded program; it says `ready` when it is as the test wants it."""

    def __init__(self, file: Path, recording: Path, *arguments: str) -> None:
        self.file, self.recording = file, recording
        environment = os.environ | {"GROUNDUP_RECORD": os.fspath(recording)}
        line = [sys.executable, os.fspath(file), *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(line, env=environment, text=True, **pipes)
        assert self.says() == "ready"

    @property
    def pid(self) -> int:
        return self.process.pid

    def says(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def go_on(self) -> None:
        """Let it read a line."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """What starts a program from its source, recorded; it is killed when the test ends."""
    started: list[Started] = []

    def start(source: str, *arguments: str) -> Started:
        number = len(started) + 1
        file = tmp_path / f"program{number}.py"
        file.write_text(source)
        program = Started(file, tmp_path / f"program{number}.weave", *arguments)
        started.append(program)
        return program

    yield start
    for program in started:
        program.close()


@pytest.fixture
def top(folder: Path) -> Callable[..., Result]:
    """Run `groundup top …` as a process of its own."""

    def run(*arguments: object) -> Result:
        line = [sys.executable, "-m", "groundup", "top", *map(str, arguments)]
        ran = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)
        return Result(ran.returncode, ran.stdout, ran.stderr)

    return run
