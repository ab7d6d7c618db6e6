"""nest_asyncio, in a process of its own since it changes asyncio: a loop inside of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("module", ["nest_asyncio", "nest_asyncio2"])
def test_a_loop_runs_inside_of_itself(module):
    pytest.importorskip(module)
    command = [sys.executable, str(Path(__file__).with_name("nested.py")), module]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=45)
    assert (ran.stdout, ran.returncode) == ("done\n", 0), ran.stderr
