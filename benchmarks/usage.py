"""What the kernel has put down to this process."""

from __future__ import annotations

import resource
from typing import TypedDict


class Usage(TypedDict):
    """Microseconds of processor time, and bytes of resident memory."""

    user: float
    system: float
    memory: int


def usage() -> Usage:
    """Return what this process has used until now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", "rb") as file:
        pages = int(file.read().split()[1])
    return {
        "user": used.ru_utime * 1e6,
        "system": used.ru_stime * 1e6,
        "memory": pages * resource.getpagesize(),
    }


def per_operation(before: Usage, after: Usage, count: int) -> dict[str, float]:
    """Processor time of one of `count` operations, in microseconds."""
    user = (after["user"] - before["user"]) / count
    system = (after["system"] - before["system"]) / count
    return {"cpu": user + system, "user": user, "system": system}
