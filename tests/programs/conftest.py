"""Running whole programs on the loop: within a time limit, and with nothing left to report."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

import groundup

# In seconds; far longer than any test takes, and shorter than pytest's own limit.
LIMIT = 45


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    """What the loop hands to its exception handler; a test that expects it empties the list."""
    return []


@pytest.fixture
def run(reports: list[dict[str, Any]]) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a coroutine on groundup's loop."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            async with asyncio.timeout(LIMIT):
                return await main

        with asyncio.Runner(loop_factory=groundup.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(lambda _, report: reports.append(report))
            return runner.run(limited())

    yield run
    # What is left over warns or reports now, in the test that made it.
    gc.collect()
    assert reports == []
