"""Async tests run on asyncio's own loop and on groundup's: what holds for one must hold for both.

A test marked groundup_only is about what asyncio does not do, or does differently from version to
version; one marked asyncio_since(3, 12) runs on asyncio's loop from that version on. What a loop
reports to its exception handler fails the test, unless it asks for `reports`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

import groundup

LOOPS = {"asyncio": asyncio.SelectorEventLoop, "groundup": groundup.new_event_loop}

# In seconds; far longer than any test takes, and shorter than pytest's own limit.
LIMIT = 45


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "groundup_only: not run on asyncio's own loop")
    config.addinivalue_line(
        "markers", "asyncio_since(*version): not run on asyncio's own loop before it"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if inspect.iscoroutinefunction(metafunc.function):
        metafunc.fixturenames.append("new_loop")
    if "new_loop" in metafunc.fixturenames:
        loops = {"groundup": groundup.new_event_loop} if is_alone(metafunc.definition) else LOOPS
        metafunc.parametrize("new_loop", list(loops.values()), ids=list(loops))


def is_alone(definition: pytest.Item) -> bool:
    since = definition.get_closest_marker("asyncio_since")
    too_old = since is not None and sys.version_info < since.args
    return too_old or definition.get_closest_marker("groundup_only") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    unexpected: list[dict[str, Any]] = []
    reports = arguments.get("reports", unexpected)
    new_loop = pyfuncitem.callspec.params["new_loop"]
    with asyncio.Runner(loop_factory=new_loop, debug=False) as runner:
        runner.get_loop().set_exception_handler(lambda _, report: reports.append(report))
        runner.run(limited(pyfuncitem.obj(**arguments)))
    # What is left over warns or reports now, in the test that made it.
    gc.collect()
    assert unexpected == []
    return True


async def limited(test: Any) -> None:
    async with asyncio.timeout(LIMIT):
        await test


@pytest.fixture(scope="module", autouse=True)
def _few_objects(few_objects: None) -> None:
    """All these tests collect garbage."""


@pytest.fixture(autouse=True)
def _all_collected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have what a test leaves over warn in that test."""
    yield
    if not inspect.iscoroutinefunction(request.function):
        gc.collect()


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    """What the loop hands to its exception handler."""
    return []


@pytest.fixture
def full_backlog() -> Iterator[tuple[str, int]]:
    """The address of a listener that answers no more: a connection to it stays under way."""
    with socket.socket() as listener, contextlib.ExitStack() as callers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that only these tests trust."""
    return trustme.CA()
