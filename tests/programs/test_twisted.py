"""Twisted, whose reactor runs on the loop, in a process that a signal ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .processes import started

pytest.importorskip("twisted")


def test_its_reactor_runs_on_the_loop(tmp_path):
    program = Path(__file__).with_name("twisted_app.py")
    with started(sys.executable, "-u", str(program), str(tmp_path)) as reactor:
        reactor.hear("waiting for the end")
        reactor.end()
    assert reactor.said.splitlines() == [
        "tcp",
        "unix",
        "udp",
        "threads and processes",
        "timers and futures",
        "waiting for the end",
        "shut down",
    ]
