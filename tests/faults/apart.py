"""Tests in processes of their own, which may be short of anything and be left in any state."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import groundup

# In seconds; far longer than any test takes.
LIMIT = 15

# What was handed to the loop's exception handler; a test takes out what it expects.
reports: list[dict[str, Any]] = []


def apart(body: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of an async function that is run in another process, on a loop of ours.

    What it reports, and what descriptors and threads it leaves, is a failure.
    """

    @functools.wraps(body)
    def test(**arguments: Any) -> None:
        outcome, text = run(lambda: play(body, arguments))
        assert (outcome, text) == (0, "went well\n"), text

    return test


def run(act: Callable[[], None]) -> tuple[int, str]:
    """Do something in a copy of this process; return its exit code and what it has printed."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # A thread that watches for tests that hang may be there; it is not in the copy.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        os.close(reading)
        do_and_exit(act, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb", 0) as file:
            text = b""
            while select.select([file], [], [], LIMIT + 10)[0] and (data := file.read(1 << 16)):
                text += data
    finally:
        os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, text.decode()


def do_and_exit(act: Callable[[], None], writing: int) -> None:
    """Be the copy."""
    code = 1
    try:
        sys.stdout = sys.stderr = os.fdopen(writing, "w", buffering=1)
        sys.unraisablehook = sys.__unraisablehook__
        warnings.simplefilter("error")
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # The pipe says that all is done, and then only the exit follows.
        os._exit(code)


def play(body: Callable[..., Coroutine[Any, Any, None]], arguments: dict[str, Any]) -> None:
    """Run a test in this process."""
    before = descriptors()
    loop = groundup.new_event_loop()
    loop.set_exception_handler(lambda _, report: reports.append(report))
    try:
        loop.run_until_complete(limited(body(**arguments)))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    gc.collect()
    assert reports == [], reports
    assert descriptors() == before
    assert threading.active_count() == 1, threading.enumerate()
    print("went well")


async def limited(body: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(LIMIT):
        await body


def descriptors() -> dict[str, str]:
    """Return what this process's descriptors refer to."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            pass
    return {number: target for number, target in found.items() if "/proc/" not in target}


def take_report() -> dict[str, Any]:
    """The one report that there is."""
    [report] = reports
    reports.clear()
    return report


async def until(condition: Callable[[], Any]) -> None:
    """Wait until a condition holds, which the loop's own work makes true."""
    while not condition():
        await asyncio.sleep(0.001)


async def idle(seconds: float = 0.3) -> None:
    """Let some seconds pass, in which the processor has next to nothing to do."""
    used = time.process_time()
    await asyncio.sleep(seconds)
    used = time.process_time() - used
    assert used < 0.3 * seconds, f"{used} s of {seconds} s"
