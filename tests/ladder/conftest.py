"""What the ladder's tests share."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def unraisable(monkeypatch):
    """The exceptions that nobody could be given, as (exception, object) in the order they came."""
    reported = []

    def report(args):
        reported.append((args.exc_value, args.object))

    monkeypatch.setattr(sys, "unraisablehook", report)
    return reported


@pytest.fixture(scope="session")
def run_example():
    """Runs an example in a process of its own, and gives how that ended."""

    def run_example(name, *arguments, flags=()):
        line = [sys.executable, *flags, str(EXAMPLES / f"{name}.py"), *arguments]
        return subprocess.run(line, capture_output=True, timeout=30, check=False)

    return run_example
