"""Recordings written byte by byte, as their format is documented in `recorder/recording.rs`.

It shares no code with what reads them, and so it proves the format too.
"""

from __future__ import annotations

import struct

MAGIC = b"\x89WEAVE\r\n"
ONES = (1 << 64) - 1
SEED = 0x9E37_79B9_7F4A_7C15

#: The numbers of verbs.
VERBS = {
    verb: number
    for number, verb in enumerate(
        (
            *("spawn", "called", "place", "wake", "step_begin", "step_end", "wait", "finish"),
            *("cancel", "dispatch_begin", "dispatch_end", "poll_begin", "poll_end", "timer_set"),
            *("timer_cancel", "timer_expire", "arrive", "read", "write", "open", "close"),
            *("collect_begin", "collect_end", "callback", "link", "signal", "usage", "job"),
            *("mark", "fact", "stack", "resume", "live"),
        ),
        start=1,
    )
}


class Recording:
    """A recording in the making, on a clock that goes on when it is told to."""

    def __init__(self, process: int = 4242, wall: int = 1_790_000_000_123_000_000) -> None:
        self.process, self.wall = process, wall
        self.began = self.now = 1_000_000
        self.number = 0
        self.names = bytearray(2)
        self.known = {"": 0}
        self.records: list[bytes] = []

    def name(self, text: str) -> int:
        """The number of a text: its place among the names."""
        if text not in self.known:
            data = text.encode()
            self.known[text] = len(self.names)
            self.names += struct.pack("<H", len(data)) + data
        return self.known[text]

    def note(self, verb: str, subject: int = 0, detail: int | tuple[int | str, int | str] = 0):
        """Keep a record; a detail of two is two names or numbers."""
        if isinstance(detail, tuple):
            first, second = (self.name(it) if isinstance(it, str) else it for it in detail)
            detail = first | second << 32
        self.records.append(record(self.number, self.now, VERBS[verb], subject, detail))
        self.number += 1
        return self

    def take(self, nanoseconds: float):
        """Let time pass."""
        self.now += int(nanoseconds)
        return self

    def lose(self, count: int):
        """Leave out records, as a ring does that has wrapped around."""
        self.number += count
        return self

    def task(self, number: int, name: str, coroutine: str = "", place: tuple[str, int] = ("", 0)):
        """Spawn a task, and wake it."""
        self.note("spawn", number).note("called", number, (name, coroutine))
        self.note("place", number, place)
        return self.note("wake", number)

    def step(self, number: int, took: float, *, until: str = "", chain: int = 0):
        """Have a task take a step, after which it waits, if it is said for what."""
        self.note("step_begin", number).take(took)
        if until:
            self.note("wait", number, (until, chain))
        return self.note("step_end")

    def chain(self, number: int, *names: str):
        """Say who awaits whom, outermost first, in a chain of this number and as many after it.

        What is awaited is told first.
        """
        last = len(names) - 1
        for at, name in reversed(list(enumerate(names))):
            self.note("link", number + at, (name, number + at + 1 if at < last else 0))
        return self

    def finish(self, number: int, how: str = "returned", exception: str = ""):
        """Have a task end, within a step of its own."""
        self.note("step_begin", number).take(1_000)
        return self.note("finish", number, (how, exception)).note("step_end")

    def to_bytes(self, version: int = 1) -> bytes:
        """The recording as it stands in a file."""
        return b"".join(
            [
                head(version, len(self.names), len(self.records), self),
                bytes(self.names),
                *self.records,
            ]
        )


def head(version: int, names: int, records: int, recording: Recording) -> bytes:
    """The first 64 bytes: the magic number, seven numbers, of which the last is a check."""
    start = MAGIC + struct.pack("<II", version, 64)
    start += struct.pack("<QQQ", names, 32 * records, recording.process)
    start += struct.pack("<qq", recording.began, recording.wall)
    sum_ = 0xCBF2_9CE4_8422_2325
    for (word,) in struct.iter_unpack("<Q", start):
        sum_ = (sum_ ^ word) * 0x0100_0000_01B3 & ONES
        sum_ = (sum_ << 23 | sum_ >> 41) & ONES
    return start + struct.pack("<Q", sum_)


def record(number: int, time: int, verb: int, subject: int, detail: int) -> bytes:
    """The 32 bytes of a record: its number, verb and check in one word, and three more."""
    start = number << 16 | verb << 8
    start |= check(start, time, subject, detail)
    return struct.pack("<QQQQ", start, time, subject, detail)


def check(start: int, time: int, subject: int, detail: int) -> int:
    """Eight bits that hang on every bit of a record."""
    mixed = (start ^ SEED) + _rotated(time, 13) & ONES
    mixed = mixed * SEED + (_rotated(subject, 29) ^ detail) & ONES
    return (mixed * SEED & ONES) >> 56


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & ONES


STACK = """worker (app.py:88)
parse (app.py:41)
JSONDecoder.raw_decode (/usr/lib/python3.13/json/decoder.py:361)"""

MS = 1_000_000


def story() -> Recording:
    """A program that has some of everything.

    `main` makes `worker`, which blocks the loop for 800 ms; `reader` waits for a queue, and is
    woken by the worker; `stuck` waits for a lock that nobody gives back. A timer, a socket, a
    thread and a signal wake as well.
    """
    it = Recording().note("fact", 0, ("program", "app.py")).note("fact", 0, ("python", "3.13.0"))
    it.note("usage", 3 * MS, 5 * MS)
    it.task(2, "Task-1", "main", ("app.py", 7)).take(1_000)
    it.chain(1, "main (app.py:9)", "gather").chain(
        3, "reader (app.py:20)", "Queue.get (queues.py:186)"
    )
    it.chain(5, "stuck (app.py:30)", "Lock.acquire (locks.py:110)")
    it.note("step_begin", 2).take(10_000)
    it.task(4, "worker", "worker", ("app.py", 10)).task(6, "reader", "reader", ("app.py", 11))
    it.task(8, "stuck", "stuck", ("app.py", 12))
    it.note("wait", 2, ("tasks", 1)).note("step_end")
    it.step(4, 20_000, until="timer").step(6, 5_000, until="queue jobs", chain=3)
    it.step(8, 5_000, until="lock", chain=5)
    it.note("poll_begin", 0, 50 * MS).take(50 * MS).note("poll_end")
    it.note("timer_expire", 4).note("wake", 4).take(2_000)
    it.note("step_begin", 4).take(300 * MS).note("stack", 0, (STACK, 0)).take(500 * MS)
    it.note("wake", 6).note("cancel", 8).note("wait", 4, ("socket 9 readable", 0)).note("step_end")
    it.step(6, 30_000, until="queue jobs", chain=3)
    it.note("open", 9, ("tcp", "127.0.0.1:80"))
    it.note("poll_begin", 1, ONES).take(MS).note("poll_end", 0, 1)
    it.note("dispatch_begin", 9).take(3_000).note("read", 9, (1024, 700)).note("wake", 4)
    it.note("dispatch_end").note("collect_begin", 0, 2).take(MS).note("collect_end", 0, 17)
    it.note("mark", 0, ("cache warm", 0)).note("job", 77, ("resolve", 0))
    it.finish(4).note("write", 9, (12, 90)).note("close", 9)
    it.note("arrive", 0, 1).note("wake", 101).note("step_begin", 101)
    it.note("callback", 101, ("on_result", "app.py:50")).take(40_000).note("step_end")
    it.note("job", 77, ("resolve", 0)).note("signal", 15).note("wake", 2)
    it.finish(2, "raised", "ValueError('bad')")
    return it.note("usage", 4 * MS, 806 * MS).take(1_000).note("mark", 0, ("end", 0))
