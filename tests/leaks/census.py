"""What a process holds: descriptors, threads, objects of the loop, memory."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest

# Objects that a program makes by the million are none of the loop's; these are.
MODULES = ("groundup", "asyncio", "_asyncio")
KINDS = ("SSLObject", "_SSLSocket", "MemoryBIO", "SSLSession", "socket", "TransportSocket", "Popen")
KINDS += ("Context", "frame", "coroutine", "generator", "FileIO", "SSLContext", "Thread")

PAGE = os.sysconf("SC_PAGESIZE")

# How often memory may grow before it is called a leak.
STORMS = 3


class Census(NamedTuple):
    descriptors: list[str]
    threads: int
    children: set[str]
    objects: Counter[str]


def census() -> Census:
    """Count what there is after a garbage collection."""
    gc.collect()
    objects = Counter(kind for thing in gc.get_objects() if (kind := kind_of(thing)))
    return Census(descriptors(), threading.active_count(), children(), objects)


def kind_of(thing: object) -> str | None:
    kind = type(thing)
    if kind.__module__.split(".")[0] in MODULES or kind.__name__ in KINDS:
        return f"{kind.__module__}.{kind.__name__}"
    return None


def descriptors() -> list[str]:
    """What the descriptors refer to, but for the numbers of sockets and pipes."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue
        found.append(f"{number} {target.partition(':')[0]}")
    return sorted(found)


def children() -> set[str]:
    """The numbers of this process's children, dead or alive."""
    found: set[str] = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children") as file:
                found |= set(file.read().split())
        except FileNotFoundError:
            pass
    return found


def resident() -> int:
    """The memory of this process that is in use, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


async def settled() -> None:
    """Let what was closed be gone: a few turns, and the threads of an executor not among it."""
    for _ in range(10):
        await asyncio.sleep(0)


async def leaves_nothing(
    storm: Callable[[int], Awaitable[None]], count: int, growth: int = 2 << 20
) -> None:
    """Expect a storm to leave all as it was, and memory within a bound in bytes.

    What is made once and kept, for instance by a cache, is made by a first storm of a fifth.
    Memory that only moved about does not grow again: a leak grows with each storm.
    """
    await storm(count // 5)
    await settled()
    for _ in range(STORMS):
        before, memory = census(), resident()
        await storm(count)
        await settled()
        assert_nothing_left(before)
        if resident() - memory < growth:
            return
    pytest.fail(f"memory grew by {resident() - memory} bytes, the last time of {STORMS}")


def leaves_nothing_behind(storm: Callable[[int], None], count: int, growth: int = 2 << 20) -> None:
    """As leaves_nothing(), for a storm that makes its loops itself."""
    storm(count // 5)
    for _ in range(STORMS):
        before, memory = census(), resident()
        storm(count)
        assert_nothing_left(before)
        if resident() - memory < growth:
            return
    pytest.fail(f"memory grew by {resident() - memory} bytes, the last time of {STORMS}")


def assert_nothing_left(before: Census) -> None:
    after = census()
    assert after == before._replace(objects=after.objects)
    assert after.objects - before.objects == Counter()
