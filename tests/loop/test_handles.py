"""Handles: what stands for a callback until it is called or cancelled."""

import asyncio
import gc
import sys
import weakref

import pytest

from comparison import outcome, plain, turn


def callback(*args):
    raise AssertionError("not to be called")


def test_handles_are_asyncio_handles(loop):
    soon, threadsafe, timer = (
        loop.call_soon(print),
        loop.call_soon_threadsafe(print),
        loop.call_later(1, print),
    )
    for handle in (soon, threadsafe, timer):
        assert isinstance(handle, asyncio.Handle)
    assert isinstance(timer, asyncio.TimerHandle)
    assert not isinstance(soon, asyncio.TimerHandle)
    timer.cancel()
    turn(loop)


def test_a_cancelled_callback_is_not_called(same):
    def body(loop):
        called = []
        first = loop.call_soon(called.append, 1)
        second = loop.call_soon_threadsafe(called.append, 2)
        loop.call_soon(called.append, 3)
        before = first.cancelled(), second.cancelled()
        answers = [first.cancel(), first.cancel(), second.cancel()]
        turn(loop)
        return called, before, answers, first.cancelled(), second.cancelled()

    assert same(body) == ([3], (False, False), [None, None, None], True, True)


def test_a_callback_may_cancel_itself_and_what_comes_after_it(same):
    def body(loop):
        called = []

        def first():
            own.cancel()
            other.cancel()
            called.append("first")

        own = loop.call_soon(first)
        other = loop.call_soon(called.append, "other")
        turn(loop)
        return called, own.cancelled(), other.cancelled()

    assert same(body) == (["first"], True, True)


def test_cancelling_after_the_call_only_says_so(same):
    def body(loop):
        handle = loop.call_soon(int)
        timer = loop.call_later(0, int)
        turn(loop, 2)
        before = handle.cancelled(), timer.cancelled()
        handle.cancel()
        timer.cancel()
        return before, handle.cancelled(), timer.cancelled()

    assert same(body) == ((False, False), True, True)


def test_a_handle_says_what_it_will_call(same):
    def body(loop):
        handles = [
            loop.call_soon(callback),
            loop.call_soon(callback, 1, "x"),
            loop.call_soon_threadsafe(callback),
            loop.call_at(123.0, callback),
            loop.call_at(1e22, callback, None),
            loop.call_at(0.1, callback),
            loop.call_at(float("inf"), callback),
        ]
        before = [plain(handle) for handle in handles]
        for handle in handles:
            handle.cancel()
        return before, [plain(handle) for handle in handles]

    before, after = same(body)
    assert before[0].startswith("<Handle callback() at ")
    assert after[0] == "<Handle cancelled>"
    assert after[3] == "<TimerHandle cancelled when=123.0>"


def test_in_debug_mode_a_handle_says_where_it_was_made(same):
    def body(loop):
        loop.set_debug(True)
        handles = [loop.call_soon(callback, 1), loop.call_at(5.0, callback)]
        before = [plain(handle) for handle in handles]
        for handle in handles:
            handle.cancel()
        return before, [plain(handle) for handle in handles]

    before, after = same(body)
    for text in before + after:
        assert f"created at {__file__}:" in text
    assert after[0].startswith("<Handle cancelled callback(1)")


def test_timer_handles_are_ordered_by_their_time(same):
    def body(loop):
        early, late, same_time, other = (
            loop.call_at(10.0, callback),
            loop.call_at(20.0, callback),
            loop.call_at(10.0, callback),
            loop.call_at(10.0, callback, 1),
        )
        pairs = [(early, late), (late, early), (early, same_time), (early, other), (early, early)]
        answers = [
            (a < b, a <= b, a > b, a >= b, a == b, a != b, hash(a) == hash(b)) for a, b in pairs
        ]
        same_time.cancel()
        cancelled = early == same_time
        others = [early == 10.0, early != None, outcome(lambda: early < 10.0)[0]]  # noqa: E711
        for handle in (early, late, other):
            handle.cancel()
        return answers, cancelled, others

    answers, cancelled, _ = same(body)
    assert answers[0] == (True, True, False, False, False, True, False)
    assert answers[2] == (False, True, False, True, True, False, True)
    assert not cancelled


def test_handles_that_are_no_timers_are_only_equal_to_themselves(same):
    def body(loop):
        one, other = loop.call_soon(callback), loop.call_soon(callback)
        one.cancel()
        other.cancel()
        return one == one, one == other, hash(one) == hash(one), len({one, other})

    assert same(body) == (True, False, True, 2)


def test_handles_can_be_sorted(loop):
    handles = [loop.call_at(when, callback) for when in (3.0, 1.0, 2.0)]
    assert [handle.when() for handle in sorted(handles)] == [1.0, 2.0, 3.0]


def test_handles_can_be_referred_to_weakly(loop):
    for make in (loop.call_soon, loop.call_soon_threadsafe, lambda call: loop.call_later(0, call)):
        handle = make(int)
        reference = weakref.ref(handle)
        assert reference() is handle
        turn(loop, 2)
        assert reference() is handle
        del handle
        assert reference() is None


@pytest.mark.parametrize("act", ["call", "cancel"])
def test_a_handle_lets_go_of_its_callback_and_arguments(loop, act):
    class Thing:
        def method(self, other):
            pass

    thing, other = Thing(), Thing()
    references = weakref.ref(thing), weakref.ref(other)
    handles = [loop.call_soon(thing.method, other), loop.call_later(0, thing.method, other)]
    del thing, other
    assert None not in [reference() for reference in references]
    if act == "cancel":
        for handle in handles:
            handle.cancel()
    turn(loop, 2)
    assert [reference() for reference in references] == [None, None]


def test_a_handle_keeps_its_loop_waiting_for_nothing(loop):
    """However often a callback is scheduled, the number of references stays the same."""
    argument = object()
    before = sys.getrefcount(loop), sys.getrefcount(argument)
    for _ in range(1000):
        loop.call_soon(id, argument)
        loop.call_later(0, id, argument).cancel()
    turn(loop)
    gc.collect()
    assert (sys.getrefcount(loop), sys.getrefcount(argument)) == before


def test_a_handle_shows_what_libraries_look_at(loop):
    handle = loop.call_soon(callback, 1)
    assert handle._callback is callback
    assert handle._args == (1,)
    assert handle._loop is loop
    assert not handle._cancelled
    handle.cancel()
    assert handle._callback is None
    assert handle._args is None
    assert handle._cancelled


def test_nobody_makes_a_handle_but_a_loop():
    for kind in (type(None), object):
        assert kind is not asyncio.Handle
    from groundup import _groundup

    for kind in (_groundup.Handle, _groundup.TimerHandle):
        with pytest.raises(TypeError):
            kind()
