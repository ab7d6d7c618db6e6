"""A process that runs the tests of one module, one at a time, as its parent asks for them.

    python -m tests.cpython.worker LOOP PACKAGE MODULE LIMIT FD

FD is a connection to the parent. The worker sends the ids of the module's tests over it, then
answers each id that it hears with the outcome of that test. A test may take LIMIT seconds.
`crew.py` is the other side.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import os
import resource
import sys
import threading
import time
import unittest
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from test import support  # type: ignore[import-not-found]

from .outcome import GROUNDUP, Outcome, Status

if TYPE_CHECKING:
    from .hooks import LoopCount

# What tests for large memory may think they have; asyncio's take far less.
MEMORY = "3g"


class Stage:
    """The tests of a module, and what it takes to run them one by one."""

    def __init__(self, loop: str, package: str, module: str) -> None:
        self._tests: dict[str, unittest.TestCase] = {}
        self._count: LoopCount | None = None
        self._unseen: list[str] = []
        sys.unraisablehook = lambda e: self._note(e.exc_value, e.err_msg or e.object)
        threading.excepthook = lambda e: self._note(e.exc_value, e.thread)
        if loop == GROUNDUP:
            from . import hooks

            self._count = hooks.LoopCount()
            hooks.install()
        try:
            loaded = importlib.import_module(f"{package}.{module}")
        except unittest.SkipTest:
            return  # as those for Windows do
        for test in _flatten(unittest.defaultTestLoader.loadTestsFromModule(loaded)):
            self._tests[test.id().removeprefix(f"{package}.")] = test

    @property
    def tests(self) -> list[str]:
        return list(self._tests)

    def run(self, name: str) -> Outcome:
        """Run a test between the fixtures of its class and module."""
        made = self._made()
        support.environment_altered = False
        self._unseen.clear()
        result = unittest.TestResult()
        start = time.perf_counter()
        unittest.TestSuite([self._tests[name]]).run(result)
        seconds = time.perf_counter() - start
        status, detail = _verdict(result)
        if status is Status.PASSED and (detail := "\n".join(self._objections(made))):
            status = Status.FAILED
        return Outcome(status, seconds, detail)

    def _objections(self, made: int) -> Iterator[str]:
        """Yield what there is against a test that has passed."""
        support.gc_collect()
        if self._made() > made:
            yield "The test made a loop of asyncio's own."
        if self._unseen:
            yield f"Exceptions that went to nobody: {'; '.join(self._unseen)}"
        if support.environment_altered:
            yield "The test left threads or child processes behind."

    def _made(self) -> int:
        """Return how many loops of asyncio's own were made, where that counts."""
        return self._count.made if self._count else 0

    def _note(self, exception: BaseException | None, where: object) -> None:
        self._unseen.append(f"{exception!r} in {where}")


def _flatten(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestCase):
        yield suite
    else:
        for test in suite:
            yield from _flatten(test)


def _verdict(result: unittest.TestResult) -> tuple[Status, str]:
    """Return how a test ended, by what it reported."""
    failures = [text for _, text in result.errors + result.failures]
    failures += ["Unexpected success."] * len(result.unexpectedSuccesses)
    if failures:
        return Status.FAILED, "\n".join(failures)
    if result.skipped:
        return Status.SKIPPED, result.skipped[0][1]
    return Status.PASSED, ""


def main() -> None:
    loop, package, module, limit, descriptor = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.set_inheritable(int(descriptor), False)
    support.verbose = False
    support.set_memlimit(MEMORY)
    with Connection(int(descriptor)) as parent:
        _end_after(limit)
        stage = Stage(loop, package, module)
        gc.collect()
        gc.freeze()  # what is collected after a test is what it left, not all that was imported
        parent.send(stage.tests)
        try:
            while True:
                name = parent.recv()
                _end_after(limit)
                parent.send(stage.run(name).as_json())
        except EOFError:
            pass  # the parent has gone


def _end_after(limit: str) -> None:
    """Have this process say where it is and end, unless this is called again within the limit.

    The interpreter does that in a thread of its own, whoever may hold its lock.
    """
    faulthandler.dump_traceback_later(float(limit), exit=True)


if __name__ == "__main__":
    main()
