"""What a weave comes to: totals of tasks, the longest steps, the slowest waits, contention.

It must not know how anything is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

from groundup.view.weave import TASK, Weave

#: What tasks stand in line for, as what a wait was for begins.
_SHARED = re.compile(
    r"(r?lock|mutex|\w*queue|\w*semaphore|condition|event|barrier|executor)\b", re.IGNORECASE
)
#: What stands in asyncio itself: recordings have the names of files only.
_ASYNCIO = re.compile(
    r"\((base_\w+|locks|queues|runners|streams|subprocess|tasks|taskgroups|threads|timeouts)\.py:\d+\)$"
)


@dataclass
class Totals:
    """What the steps and waits of a lane come to, in nanoseconds."""

    lane: int
    steps: int = 0
    running: float = 0.0
    longest: float = 0.0
    ready: float = 0.0
    waiting: float = 0.0


def totals(weave: Weave) -> list[Totals]:
    """Return the totals of all lanes, in their order."""
    sums = [Totals(lane) for lane in range(weave.length("lanes"))]
    for lane, began, took, woken in weave.rows("steps", "lane", "began", "took", "woken"):
        total = sums[int(lane)]
        total.steps += 1
        total.running += took
        total.longest = max(total.longest, took)
        total.ready += 0.0 if math.isnan(woken) else began - woken
    for lane, began, ended in weave.rows("waits", "lane", "began", "ended"):
        sums[int(lane)].waiting += ended - began
    return sums


def longest_steps(weave: Weave, count: int) -> list[int]:
    """Return the longest steps, longest first, at most `count` of them."""
    return _greatest(weave.columns["steps.took"].__getitem__, weave.length("steps"), count)


def slowest_waits(weave: Weave, count: int) -> list[int]:
    """Return the longest waits, longest first, at most `count` of them."""
    began, ended = weave.columns["waits.began"], weave.columns["waits.ended"]
    return _greatest(lambda wait: ended[wait] - began[wait], len(began), count)


def _greatest(measure: Callable[[int], float], length: int, count: int) -> list[int]:
    return nlargest(count, range(length), key=measure)


def never_finished(weave: Weave) -> list[int]:
    """Return the tasks that had not ended when the recording did."""
    rows = enumerate(weave.rows("lanes", "kind", "ended"))
    return [lane for lane, (kind, ended) in rows if kind == TASK and math.isnan(ended)]


def open_waits(weave: Weave) -> dict[int, int]:
    """Return the last wait of each lane that still waits when the recording ends."""
    rows = enumerate(weave.rows("waits", "lane", "over"))
    last = {int(lane): (wait, over) for wait, (lane, over) in rows}
    return {lane: wait for lane, (wait, over) in last.items() if not over}


@dataclass
class Contention:
    """The waits for what tasks share, as a lock, in one place of the program: nanoseconds."""

    what: str
    where: str
    waits: int = 0
    total: float = 0.0
    longest: float = 0.0
    lanes: set[int] = field(default_factory=set)


def contentions(weave: Weave) -> list[Contention]:
    """Return what tasks stood in line for and where, that which cost most time first."""
    shared = {at for at, text in enumerate(weave.strings) if _SHARED.match(text)}
    places = [waiter(weave.chain(chain)) for chain in range(weave.length("chains"))]
    groups: dict[tuple[int, str], Contention] = {}
    rows = weave.rows("waits", "what", "chain", "lane", "began", "ended")
    for what, chain, lane, began, ended in rows:
        if what not in shared:
            continue
        key = int(what), places[int(chain)]
        group = groups.setdefault(key, Contention(weave.strings[key[0]], key[1]))
        group.waits += 1
        group.total += ended - began
        group.longest = max(group.longest, ended - began)
        group.lanes.add(int(lane))
    return sorted(groups.values(), key=lambda group: -group.total)


def waiter(chain: Sequence[str]) -> str:
    """Return the innermost in a chain of awaits that is no part of asyncio; empty if none."""
    own = [name for name in chain if name.endswith(")") and not _ASYNCIO.search(name)]
    return own[-1] if own else ""


def in_kernel(weave: Weave) -> tuple[float, float] | None:
    """Return how long the loop's thread was in the kernel, and how long elsewhere, in nanoseconds.

    Returns None where the recording does not tell.
    """
    used = list(weave.rows("usage", "kernel", "elsewhere"))
    if len(used) < 2:
        return None
    return used[-1][0] - used[0][0], used[-1][1] - used[0][1]


@dataclass
class Traffic:
    """What came and went over a connection: bytes, and nanoseconds in the kernel."""

    socket: int
    read: float = 0.0
    written: float = 0.0
    transfers: int = 0
    in_kernel: float = 0.0


def traffic(weave: Weave) -> list[Traffic]:
    """Return what came and went over each connection, in their order."""
    sums = [Traffic(socket) for socket in range(weave.length("sockets"))]
    for socket, came, count, took in weave.rows("transfers", "socket", "came", "bytes", "took"):
        total = sums[int(socket)]
        total.transfers += 1
        total.in_kernel += took
        if came:
            total.read += count
        else:
            total.written += count
    return sums
