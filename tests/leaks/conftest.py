"""Tests are coroutines, run on a loop of ours with the garbage of others out of the way."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

import groundup

# In seconds; far longer than any storm takes.
LIMIT = 50


@pytest.fixture(scope="module", autouse=True)
def _few_objects(few_objects: None) -> None:
    """All these tests collect garbage."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    reports: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=groundup.new_event_loop, debug=False) as runner:
        runner.get_loop().set_exception_handler(lambda _, report: reports.append(report))
        runner.run(limited(pyfuncitem.obj(**arguments)))
    assert reports == []
    return True


async def limited(test: Any) -> None:
    async with asyncio.timeout(LIMIT):
        await test
