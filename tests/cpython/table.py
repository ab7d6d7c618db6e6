"""Results as text: a table with a row for each module, and a line for each test that is missing."""

from __future__ import annotations

from collections.abc import Iterator

from .outcome import ASYNCIO, GROUNDUP
from .results import Results

COLUMNS = ["tests", "not applicable", "passed", "neither passes", "missing"]


def table(results: Results) -> Iterator[str]:
    """Yield the lines of the table.

    Of all tests, some do not apply. Of the others, groundup passes all but those that asyncio does
    not pass either, most of which cannot be run on this machine, and those that are missing.
    """
    rows = {module: results.counts(module) for module in results.tests if results.tests[module]}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    width = max(map(len, rows))
    yield f"Python {results.version}, {results.seconds:.0f} s"
    yield "  ".join(["module".ljust(width), *COLUMNS])
    for module, counts in rows.items():
        cells = (str(n).rjust(len(column)) for n, column in zip(counts, COLUMNS, strict=True))
        yield "  ".join([module.ljust(width), *cells])


def missing(results: Results, *, details: bool) -> Iterator[str]:
    """Yield, for each test that is missing, how it ended, in a line or with all its details."""
    for test in results.missing:
        outcome = results.outcomes[GROUNDUP][test]
        yield f"{outcome.status:8}{test}: {outcome.summary}"
        if details:
            yield from (f"    {line}" for line in outcome.detail.splitlines())


def failures_of_asyncio(results: Results) -> Iterator[str]:
    """Yield the tests that asyncio's own loop does not pass here, so that nobody has to."""
    for test, outcome in results.outcomes[ASYNCIO].items():
        if outcome.went_wrong:
            yield f"{outcome.status:8}{test}: {outcome.summary} (on asyncio's loop)"
