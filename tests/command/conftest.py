"""What the tests of the command share: the command itself, and a server to download from."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from groundup.__main__ import main

from .origin import Origin


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_not_ignored() -> None:
    """A shell's background job ignores SIGINT, and so would the commands that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as server:
        yield server


@pytest.fixture
def body() -> bytes:
    """A body that is worth resuming, and of which no two parts are alike."""
    return random.Random(1).randbytes(300_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder to download to."""
    return tmp_path / "files"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def wget(
    capfd: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run `groundup wget -o FOLDER …` within this process."""
    without_proxies(monkeypatch)

    def run(*arguments: str) -> Result:
        code = main(["wget", "-o", str(folder), *arguments])
        return Result(code, *capfd.readouterr())

    return run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.Popen[str]]:
    """Start `groundup …` as a process of its own, with pipes."""
    without_proxies(monkeypatch)

    def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        line = [sys.executable, "-m", "groundup", *arguments]
        return subprocess.Popen(line, **({"text": True} | usual | options))

    return start


def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def finish(process: subprocess.Popen[str], text: str | None = None) -> Result:
    """Wait for the end of `process`, after giving it `text` to read."""
    with process:
        out, err = process.communicate(text, timeout=50)
    return Result(process.returncode, out, err)


def files(folder: Path) -> dict[str, bytes]:
    """All files below `folder`, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
