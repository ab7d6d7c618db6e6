"""A weave as a trace that Perfetto's and Chrome's viewers open.

It follows the Trace Event Format: a thread for the loop and one for each lane, complete events for
steps and polls, asynchronous ones for waits, flows from wakers to woken, a counter for the ready
queue, instants for marks and requests to cancel. Times in it are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from groundup.view import listing, names
from groundup.view.tables import stacks
from groundup.view.weave import STEP, Weave

#: The thread that stands for the loop itself; those of lanes come after it.
LOOP = 0

Event = dict[str, Any]


def write(weave: Weave, file: TextIO) -> None:
    """Write the trace."""
    file.write('{"displayTimeUnit":"ns","traceEvents":')
    listing.write(({"pid": weave.process, **event} for event in events(weave)), file)
    file.write("}\n")


def events(weave: Weave) -> Iterator[Event]:
    """Yield the events of the trace, without the process."""
    called = [names.lane(weave, lane) for lane in range(weave.length("lanes"))]
    yield from _threads(weave, called)
    yield from _polls(weave)
    yield from _collections(weave)
    yield from _steps(weave, called)
    yield from _waits(weave)
    yield from _flows(weave)
    yield from _jobs(weave)
    yield from _instants(weave)


def _thread(lane: float) -> int:
    return int(lane) + 1


def _microseconds(nanoseconds: float) -> float:
    return nanoseconds / 1e3


def _threads(weave: Weave, called: list[str]) -> Iterator[Event]:
    program = weave.facts.get("program") or "groundup"
    yield {"ph": "M", "tid": LOOP, "name": "process_name", "args": {"name": program}}
    for thread, name in enumerate(["loop", *called]):
        yield {"ph": "M", "tid": thread, "name": "thread_name", "args": {"name": name}}
        yield {
            "ph": "M",
            "tid": thread,
            "name": "thread_sort_index",
            "args": {"sort_index": thread},
        }


def _bar(thread: int, name: str, began: float, ended: float, **args: object) -> Event:
    times = {"ts": _microseconds(began), "dur": _microseconds(ended - began)}
    return {"ph": "X", "tid": thread, "name": name, **times, "args": args}


def _polls(weave: Weave) -> Iterator[Event]:
    for began, ended, events, ready in weave.rows("polls", "began", "ended", "events", "ready"):
        yield _bar(LOOP, "poll", began, ended, events=events)
        entries = {"entries": ready}
        yield {
            "ph": "C",
            "tid": LOOP,
            "name": "ready queue",
            "ts": _microseconds(began),
            "args": entries,
        }


def _collections(weave: Weave) -> Iterator[Event]:
    rows = weave.rows("collections", "began", "ended", "generation", "taken")
    for began, ended, generation, taken in rows:
        yield _bar(LOOP, "garbage collection", began, ended, generation=generation, taken=taken)


def _steps(weave: Weave, called: list[str]) -> Iterator[Event]:
    taken = stacks(weave)
    for step, (lane, began, took) in enumerate(weave.rows("steps", "lane", "began", "took")):
        args: dict[str, object] = {"woken by": names.waker(weave, step)}
        if step in taken:
            args["stack"] = taken[step]
        yield _bar(_thread(lane), called[int(lane)], began, began + took, **args)


def _waits(weave: Weave) -> Iterator[Event]:
    chains = [weave.chain(chain) for chain in range(weave.length("chains"))]
    # Waits of a lane do not overlap, so they share a number: a viewer has a row for each.
    rows = weave.rows("waits", "lane", "began", "ended", "chain")
    for wait, (lane, began, ended, chain) in enumerate(rows):
        common = {"cat": "wait", "id": int(lane), "tid": _thread(lane), "name": _wait(weave, wait)}
        args = {"who awaits whom": chains[int(chain)]}
        yield {"ph": "b", "ts": _microseconds(began), **common, "args": args}
        yield {"ph": "e", "ts": _microseconds(ended), **common}


def _wait(weave: Weave, wait: int) -> str:
    return f"waits for {names.wait(weave, wait)}"


def _flows(weave: Weave) -> Iterator[Event]:
    lanes, began = weave.columns["steps.lane"], weave.columns["steps.began"]
    rows = enumerate(weave.rows("steps", "causeKind", "cause", "woken"))
    for step, (kind, waker, woken) in rows:
        if kind != STEP:
            continue
        common = {"cat": "wake", "id": step, "name": "wake"}
        thread, other = _thread(lanes[step]), _thread(lanes[int(waker)])
        yield {"ph": "s", "tid": other, "ts": _microseconds(woken), **common}
        yield {"ph": "f", "bp": "e", "tid": thread, "ts": _microseconds(began[step]), **common}


def _jobs(weave: Weave) -> Iterator[Event]:
    for job, (began, ended) in enumerate(weave.rows("jobs", "began", "ended")):
        common = {"cat": "job", "id": job, "tid": LOOP, "name": weave.text("jobs.function", job)}
        yield {"ph": "b", "ts": _microseconds(began), **common}
        # It may outlast the recording.
        yield {"ph": "e", "ts": _microseconds(ended if ended == ended else weave.ended), **common}


def _instants(weave: Weave) -> Iterator[Event]:
    for time, text in zip(weave.columns["marks.time"], weave.texts("marks.text"), strict=True):
        yield {"ph": "i", "s": "p", "tid": LOOP, "ts": _microseconds(time), "name": text}
    for time, lane in weave.rows("cancels", "time", "lane"):
        yield {
            "ph": "i",
            "s": "t",
            "tid": _thread(lane),
            "ts": _microseconds(time),
            "name": "cancel",
        }
