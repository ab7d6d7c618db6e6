"""A run: which tests, on which loop, and what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from . import not_applicable
from .crew import Crew, Setting, Shard
from .interpreter import PACKAGE, Interpreter
from .outcome import ASYNCIO, GROUNDUP, Outcome
from .results import Results

# So many tests go to a worker at once: enough that importing them is nothing beside, few enough
# that all workers are busy to the end.
SHARD_SIZE = 50


class SelectionError(Exception):
    """A selection that leaves nothing to run."""


@dataclass(frozen=True)
class Selection:
    """What to run, and how.

    No modules means all; a test's id must have the pattern in it; the limit is in seconds, for each
    test; jobs is how many tests are run at a time.
    """

    modules: tuple[str, ...] = ()
    pattern: str = ""
    limit: float = 30.0
    jobs: int = len(os.sched_getaffinity(0))


def run(
    interpreter: Interpreter,
    selection: Selection,
    tell: Callable[[Outcome], None] = lambda outcome: None,
) -> Results:
    """Run the tests that apply on this loop, and on asyncio's those that it does not pass.

    Each is told of as it ends. Raise SelectionError if there are none, and
    ListError if the list of those that do not apply is not right for this interpreter.
    """
    start = time.monotonic()
    crew = Crew(Setting(interpreter.path, PACKAGE, selection.limit), selection.jobs)
    results = _collect(crew, interpreter, selection)

    def note(shard: Shard, test: str, outcome: Outcome) -> None:
        results.outcomes[shard.loop][test] = outcome
        tell(outcome)

    for loop in (GROUNDUP, ASYNCIO):
        crew.run(list(_shards(results, loop)), note)
    results.seconds = time.monotonic() - start
    return results


def _collect(crew: Crew, interpreter: Interpreter, selection: Selection) -> Results:
    """Return results with the tests that are selected, and no outcomes yet."""
    modules = selection.modules or interpreter.modules
    if unknown := set(modules) - set(interpreter.modules):
        raise SelectionError(f"no such modules: {' '.join(sorted(unknown))}")
    listed = crew.list_tests(ASYNCIO, modules)
    reasons = not_applicable.read(interpreter.version).reasons(listed)
    pattern = f"*{selection.pattern}*"
    tests = {
        module: [name for name in names if fnmatchcase(name, pattern)]
        for module, names in listed.items()
    }
    if not any(tests.values()):
        raise SelectionError(f"no test of {' '.join(modules)} matches {pattern!r}")
    return Results(".".join(map(str, interpreter.version)), tests, reasons)


def _shards(results: Results, loop: str) -> Iterator[Shard]:
    """Cut what is to be run of each module in shards."""
    for module in results.tests:
        tests = results.open(module)
        for first in range(0, len(tests), SHARD_SIZE):
            yield Shard(loop, module, tuple(tests[first : first + SHARD_SIZE]))
