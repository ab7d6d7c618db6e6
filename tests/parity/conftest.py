"""Parity tests compare what warnings and log records say, but for names that are a loop's own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

import groundup
from comparison import Observation, observe

from .tape import words

Asyncio = asyncio.SelectorEventLoop


@pytest.fixture(scope="module", autouse=True)
def _few_objects(few_objects: None) -> None:
    """All these tests collect garbage."""


@pytest.fixture
def same() -> Callable[..., Any]:
    """Run a body on asyncio's loop and on this one, expect the same of both, and return it."""

    def same(body: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
        expected, found = seen(Asyncio, body), seen(groundup.new_event_loop, body)
        assert found.returned == expected.returned
        assert found.warned == expected.warned
        assert found.logged == expected.logged
        return expected.returned

    return same


def seen(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
    body: Callable[[asyncio.AbstractEventLoop], Any],
) -> Observation:
    """What a body returns, warns of (sorted) and logs, with all that it leaves over."""

    def whole(loop: asyncio.AbstractEventLoop) -> Any:
        returned = body(loop)
        loop.close()
        gc.collect()
        return returned

    returned, warned, logged = observe(new_loop, whole)
    return Observation(returned, sorted(map(words, warned)), [words(text) for text in logged])
