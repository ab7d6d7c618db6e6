"""An interpreter that the tests are run on, and what it has of them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "test.test_asyncio"

PROBE = f"""
import json, pkgutil, sys
import groundup, {PACKAGE} as package
modules = [module.name for module in pkgutil.iter_modules(package.__path__)]
modules = sorted(name for name in modules if name.startswith("test_"))
print(json.dumps([sys.version_info[:3], modules]))
"""

ADVICE = f"""It needs groundup installed, and {PACKAGE}, which comes with CPython itself.
Debian and Ubuntu keep that in the package libpython3-testsuite."""


class UnsuitableError(Exception):
    """An interpreter without groundup or without CPython's tests."""


@dataclass(frozen=True)
class Interpreter:
    """An interpreter: its path, its version, and the modules of tests that it has."""

    path: Path
    version: tuple[int, ...]
    modules: list[str]

    @classmethod
    def probe(cls, path: Path) -> Interpreter:
        """Ask an interpreter what it has; raise UnsuitableError if that is not enough."""
        try:
            answer = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnsuitableError(f"{path} does not run: {error}") from error
        if answer.returncode:
            reason = (answer.stderr.strip() or "it failed").splitlines()[-1]
            raise UnsuitableError(f"{path}: {reason}\n{ADVICE}")
        version, modules = json.loads(answer.stdout)
        return cls(path, tuple(version), modules)
