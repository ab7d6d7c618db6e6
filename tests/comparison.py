"""Comparing this loop with asyncio's: a body runs on both, and what is seen of it is compared."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import re
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest


class Observation(NamedTuple):
    returned: Any
    warned: list[str]
    logged: list[str]


def observe(
    new_event_loop: Callable[[], asyncio.AbstractEventLoop],
    body: Callable[[asyncio.AbstractEventLoop], Any],
) -> Observation:
    loop = new_event_loop()
    gc.disable()  # lest what others have left be warned of here
    with warnings.catch_warnings(record=True) as caught, log() as records:
        warnings.simplefilter("always")
        try:
            returned = body(loop)
            if inspect.iscoroutine(returned):
                returned = loop.run_until_complete(returned)
        finally:
            loop.close()
            gc.enable()
    warned = [f"{warning.category.__name__}: {plain(warning.message)}" for warning in caught]
    return Observation(returned, warned, [entry(record) for record in records])


@contextmanager
def log() -> Iterator[list[logging.LogRecord]]:
    """Collect what asyncio's logger is told."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    handler.addFilter(lambda record: not record.getMessage().startswith("Using selector: "))
    logger = logging.getLogger("asyncio")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def entry(record: logging.LogRecord) -> str:
    """A log record in one line, with the exception it is about."""
    text = f"{record.levelname}: {plain(record.getMessage())}"
    exception = record.exc_info[1] if record.exc_info else None
    return text if exception is None else f"{text} ({plain(repr(exception))})"


def plain(text: object) -> str:
    """A text without what differs from one run, or one loop, to the next."""
    text = str(text).replace("_UnixSelectorEventLoop", "EventLoop")
    # Addresses, durations, numbers of tasks, who waits, and all of a stack but its last frame.
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    text = re.sub(r"\b[\d.]+(?= seconds|ms:)", "…", text)
    text = re.sub(r"Task-\d+", "Task-…", text)
    text = re.sub(r"\bcb=\[.*?\]", "cb=[…]", text)
    return re.sub(r"(^  File .*\n(    .*\n)*)+(?=  File)", "", text, flags=re.MULTILINE)


def outcome(call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """What a call returns, or the kind and the text of what it raises."""
    try:
        return call(*args, **keywords)
    except BaseException as error:
        return type(error).__name__, plain(error)


def turn(loop: asyncio.AbstractEventLoop, count: int = 1) -> None:
    """Have the loop turn, without waiting for anything."""
    for _ in range(count):
        loop.call_soon(loop.stop)
        loop.run_forever()


async def failure(awaitable: Awaitable[Any]) -> tuple[str, str]:
    """The kind and the text of the exception that an awaitable raises."""
    with pytest.raises(Exception) as caught:
        await awaitable
    return type(caught.value).__name__, str(caught.value)
