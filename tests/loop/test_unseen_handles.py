"""Handles that the garbage collector does not know: no cycle hides in them."""

import asyncio
import contextvars
import functools
import gc
import weakref

import pytest

import groundup

variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")


class Owner:
    """Something that its loop's handles refer to, and that refers to the loop and to them."""

    def __init__(self):
        self.loop = groundup.new_event_loop()
        self.handles = []

    def method(self, *args):
        self.called = args

    def leave_soon(self):
        self.handles.append(self.loop.call_soon(self.method, self.handles))

    def leave_soon_unkept(self):
        self.loop.call_soon(self.method, self.handles, 2, 3)

    def leave_later(self):
        self.handles += [self.loop.call_later(60, self.method, self, number) for number in range(3)]

    def leave_later_unkept(self):
        self.loop.call_later(60, self.method, self)

    def leave_threadsafe(self):
        self.handles.append(self.loop.call_soon_threadsafe(self.method, self))

    def leave_in_one_context(self):
        variable.set(self)
        self.handles += [self.loop.call_soon(print), self.loop.call_later(60, print)]
        self.handles += [self.loop.call_soon(print), self.loop.call_soon(print)]
        self.handles[2].get_context()
        self.handles[3].cancel()

    def cancel_soon(self):
        self.leave_soon()
        self.handles[-1].cancel()

    def cancel_later(self):
        self.leave_later()
        for handle in self.handles:
            handle.cancel()

    def take_out(self):
        self.leave_soon()
        assert self.loop._ready.pop() is self.handles[-1]
        self.loop.call_soon(self.loop.stop)

    def clear_out(self):
        self.leave_soon()
        self.loop._ready.clear()
        self.loop.call_soon(self.loop.stop)

    def unschedule(self):
        self.leave_later()
        self.handles[0]._scheduled = False

    def let_call(self):
        """One that is called within the run, and kept."""
        self.handles.append(self.loop.call_soon(self.method, 1))
        self.loop.call_soon(lambda: None)

    def let_call_in_context(self):
        """One whose context refers to it."""
        context = contextvars.copy_context()
        handle = self.loop.call_soon(self.method, 1, context=context)
        context.run(variable.set, (self, handle))

    def let_fail(self):
        self.loop.set_exception_handler(lambda loop, report: self.handles.append(report["handle"]))
        self.loop.call_soon(self.fail)

    def fail(self):
        raise ValueError("on purpose")


WAYS = [
    name
    for name in vars(Owner)
    if name.split("_")[0] in {"leave", "cancel", "take", "clear", "let", "unschedule"}
]


def references_of_what_is_left(way, turns):
    owner = Owner()
    loop = owner.loop

    def go_on(left):
        if left:
            loop.call_soon(go_on, left - 1)
        else:
            loop.stop()

    loop.call_soon(getattr(owner, way))
    loop.call_soon(go_on, turns)
    loop.run_forever()
    return [weakref.ref(thing) for thing in (owner, loop, *owner.handles)]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_loop_that_is_left_with_handles_is_collected(way, turns):
    references = references_of_what_is_left(way, turns)
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


def test_a_loop_that_is_left_between_two_runs_can_be_run_again(loop):
    called = []

    def schedule():
        loop.call_soon(called.append, "soon")
        loop.call_later(0, called.append, "later")
        loop.stop()

    loop.call_soon(schedule)
    loop.run_forever()
    gc.collect()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert called == ["soon", "later"]


def test_what_waits_is_not_collected_while_the_loop_runs(loop):
    called = []

    class Callback:
        def __call__(self):
            called.append(len(called))
            gc.collect()

    def schedule():
        for _ in range(3):
            loop.call_soon(Callback())
            loop.call_later(0, Callback())
        gc.collect()

    loop.call_soon(schedule)
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    assert called == list(range(6))


def test_a_handle_is_another_one_for_whoever_has_a_weak_reference(loop):
    gone = []

    def schedule(left):
        handle = loop.call_soon(schedule, left - 1) if left else loop.call_soon(loop.stop)
        references.append(weakref.ref(handle, gone.append))

    references: list[weakref.ref[object]] = []
    loop.call_soon(schedule, 100)
    loop.run_forever()
    assert len(gone) == len(references) == 101
    assert all(reference() is None for reference in references)


def test_a_handle_that_is_used_again_remembers_nothing(loop):
    seen = []

    def first():
        variable.set("first")
        loop.call_soon(second, 1, 2, 3)

    def second(*args):
        handle = loop.call_soon(third)
        seen.append((handle._args, handle.cancelled(), handle._callback is third))
        seen.append(handle.get_context().get(variable))
        handle.cancel()
        handle = loop.call_soon(third)
        seen.append((handle._args, handle.cancelled(), handle._callback is third))

    def third():
        loop.stop()

    for _ in range(10):
        loop.call_soon(first)
        loop.run_forever()
    assert seen == [((), False, True), "first", ((), False, True)] * 10


def test_a_timer_that_is_used_again_remembers_nothing(loop):
    seen = []

    def first():
        timer = loop.call_at(1, print, 1, 2, 3)
        timer.cancel()
        del timer
        timer = loop.call_later(60, second)
        seen.append((timer._args, timer.cancelled(), timer._callback is second))
        seen.append((type(timer.when()), timer._scheduled))
        timer.cancel()
        seen.append((timer.cancelled(), timer._scheduled))
        loop.call_later(0, second)

    def second():
        seen.append(loop.call_later(60, print)._scheduled)
        loop.stop()

    for _ in range(10):
        loop.call_soon(first)
        loop.run_forever()
    assert seen == [((), False, True), (float, True), (True, False), True] * 10


def test_what_a_handle_holds_goes_with_its_last_reference(loop):
    class Value:
        pass

    def make(way):
        value, context_value = Value(), Value()
        variable.set(context_value)
        way(print, value).cancel()
        way(print, value)
        return weakref.ref(value), weakref.ref(context_value)

    async def main(way):
        context = contextvars.copy_context()
        references = context.run(make, way)
        del context
        await asyncio.sleep(0.02)
        return [reference() for reference in references]

    ways = [loop.call_soon, loop.call_soon_threadsafe, functools.partial(loop.call_later, 0.001)]
    for way in ways:
        assert loop.run_until_complete(main(way)) == [None, None]


def test_what_ends_with_a_handle_may_make_others(loop):
    left = 100

    class Value:
        def __del__(self):
            nonlocal left
            left -= 1
            if left:
                for make in loop.call_soon, functools.partial(loop.call_later, 0):
                    make(print, Value() if make == loop.call_soon else None).cancel()
            else:
                loop.call_soon(loop.stop)

    loop.call_soon(lambda: loop.call_later(60, print, Value()).cancel())
    loop.run_forever()
    assert left == 0
