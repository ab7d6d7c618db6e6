"""The examples in the README that programs are started with: tests run what stands there."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def example(language: str, beginning: str) -> str:
    """Return the one block in a language that begins so."""
    blocks = BLOCK.findall(README.read_text())
    found = [text for kind, text in blocks if kind == language and text.startswith(beginning)]
    assert len(found) == 1, f"{len(found)} blocks in {language} begin with {beginning!r}"
    return found[0]


def command(program: str) -> list[str]:
    """Return the command line for a Python program, as a module of this interpreter."""
    return [sys.executable, "-m", *shlex.split(example("sh", f"{program} "))]
