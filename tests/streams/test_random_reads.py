"""Readers are fed, read, looked at and cancelled in any order, to the same effect on both loops."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

import groundup
from comparison import outcome, plain

from .readers import LIMIT, Transport, adopted, connection

DATA = st.text("ab\n", max_size=3 * LIMIT).map(str.encode)
SEPARATORS = st.sampled_from([b"\n", b"a", b"ab", b"ba\n", b"aaaa", (b"\n", b"ab"), (b"b", b"aab")])
ODD = st.sampled_from([b"", "a", None, 1, (), (b"",), bytearray(b"a"), (b"a", "b")])
STEPS = st.one_of(
    st.tuples(st.just("feed_data"), DATA),
    st.tuples(st.just("feed_data"), DATA),
    st.tuples(st.just("feed_data"), DATA.map(bytearray)),
    st.tuples(st.just("read"), st.integers(-1, 2 * LIMIT)),
    st.tuples(st.just("read"), st.sampled_from([True, "1", 2.5, 1 << 70, None])),
    st.tuples(st.just("readexactly"), st.integers(-1, 4 * LIMIT)),
    st.tuples(st.just("readuntil"), SEPARATORS),
    st.tuples(st.just("readuntil"), ODD),
    st.sampled_from([("readline",), ("__anext__",), ("read",), ("readuntil",)]),
    st.just(("turn",)),
    st.just(("turn",)),
    st.sampled_from([("cancel",), ("close",), ("feed_eof",), ("at_eof",)]),
    st.tuples(st.just("set_exception"), st.sampled_from([OSError("lost"), ValueError])),
    st.tuples(st.just("limit"), st.sampled_from([1, LIMIT, 100, 2.5])),
    st.tuples(st.just("look"), st.sampled_from(["_eof", "_paused", "_exception", "_limit"])),
    st.sampled_from([("_buffer",), ("patch",), ("set_transport",), ("repr",), ("exception",)]),
)


class Scene:
    """A reader, and who reads from it."""

    def __init__(self, transport):
        self.reader = adopted(transport)
        self.transport = Transport()
        self.reader.set_transport(self.transport)
        self.tasks = []
        self.notes = []

    async def take(self, name, *arguments):
        take = getattr(self, name, None)
        if name == "turn":
            await self.turns()
        elif take is not None:
            self.notes.append((name, outcome(take, *arguments)))
        elif name in ("feed_data", "feed_eof", "at_eof", "set_exception", "exception"):
            self.notes.append((name, plain(outcome(getattr(self.reader, name), *arguments))))
        else:
            self.begin(name, *arguments)

    def begin(self, name, *arguments):
        method = getattr(self.reader, name)
        coroutine = outcome(method, *arguments)
        self.notes.append((name, asyncio.iscoroutine(coroutine) or coroutine))
        if asyncio.iscoroutine(coroutine):
            self.tasks.append(asyncio.create_task(coroutine))

    async def turns(self):
        for _ in range(3):
            await asyncio.sleep(0)
        self.notes.append([told(task) for task in self.tasks])

    def cancel(self):
        for task in self.tasks[-1:]:
            task.cancel()

    def close(self):
        self.reader.read().close()

    def limit(self, limit):
        self.reader._limit = limit

    def look(self, name):
        return plain(repr(getattr(self.reader, name)))

    def repr(self):
        return plain(repr(self.reader))

    def _buffer(self):
        return bytes(self.reader._buffer)

    def patch(self):
        wakeup = self.reader._wakeup_waiter
        self.reader._wakeup_waiter = lambda: (self.notes.append("woken"), wakeup())

    def set_transport(self):
        self.reader.set_transport(self.transport)


def told(task):
    """What has become of a task."""
    if not task.done():
        return "waits"
    if task.cancelled():
        return "cancelled"
    if task.exception() is None:
        return task.result()
    error = task.exception()
    context = error.__context__ and repr(error.__context__)
    return repr(error), getattr(error, "partial", None), getattr(error, "consumed", None), context


def notes(new_loop, steps):
    async def play(transport):
        scene = Scene(transport)
        is_asyncios = type(scene.reader) is asyncio.StreamReader
        assert is_asyncios == (new_loop is asyncio.SelectorEventLoop)
        for step in steps:
            await scene.take(*step)
        await scene.turns()
        scene.notes.append(bytes(scene.reader._buffer))
        for task in scene.tasks:
            task.cancel()
        await asyncio.gather(*scene.tasks, return_exceptions=True)
        return scene.notes, scene.transport.calls

    loop = new_loop()
    try:
        with connection(loop) as transport:
            return loop.run_until_complete(play(transport))
    finally:
        loop.close()


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_a_reader_of_this_loop_does_what_asyncios_does(steps):
    assert notes(groundup.new_event_loop, steps) == notes(asyncio.SelectorEventLoop, steps)
