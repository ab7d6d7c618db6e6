"""Timers: never early, in the order of their deadlines, and picky about what a time is."""

import decimal
import fractions
import math
import random
import time

import pytest

from comparison import outcome, turn


def test_the_clock_is_monotonic_seconds(loop):
    before = time.monotonic()
    assert before <= loop.time() <= time.monotonic()
    assert type(loop.time()) is float


def test_timers_are_called_in_the_order_of_their_deadlines(loop):
    called = []
    begin = loop.time()
    delays = [number / 1000 for number in range(40)]
    random.Random(1).shuffle(delays)
    for delay in delays:
        loop.call_at(begin + delay, called.append, delay)
    loop.call_at(begin + 0.041, loop.stop)
    loop.run_forever()
    assert called == sorted(delays)


def test_equal_deadlines_keep_their_order(loop):
    called = []
    when = loop.time() + 0.01
    for number in range(100):
        loop.call_at(when, called.append, number)
    loop.call_at(when, loop.stop)
    loop.run_forever()
    assert called == list(range(100))


def test_no_timer_is_early(loop):
    early = []

    def check(when):
        if loop.time() < when:
            early.append(when)

    chance = random.Random(2)
    last = 0.0
    for _ in range(500):
        when = loop.time() + chance.random() / 20
        last = max(last, when)
        loop.call_at(when, check, when)
    loop.call_at(last, loop.stop)
    loop.run_forever()
    assert early == []


def test_a_delay_counts_from_the_call(loop):
    handle = loop.call_later(5, print)
    assert loop.time() + 4 < handle.when() <= loop.time() + 5
    assert loop.call_at(12.5, print).when() == 12.5


@pytest.mark.parametrize("given", [12, 12.0, True, 2**40])
def test_a_time_that_is_an_int_stays_one(same, given):
    def body(loop):
        handle = loop.call_at(given, print)
        handle.cancel()
        return [(type(when) is float, when) for when in (handle.when(), handle._when)]

    assert same(body) == [(isinstance(given, float), given)] * 2


@pytest.mark.parametrize(
    "delay", [0, -1, -0.5, -1e300, -math.inf, -(10**30), False, fractions.Fraction(-1, 3)]
)
def test_a_delay_that_is_not_positive_means_the_next_turn(same, delay):
    def body(loop):
        called = []
        loop.call_later(delay, called.append, "timer")
        loop.call_soon(called.append, "soon")
        turn(loop)
        return called

    assert same(body) == ["soon", "timer"]


@pytest.mark.parametrize("delay", [1e6, 1e18, 1e300, 10**30, math.inf])
def test_a_long_delay_is_waited_for_and_stops_nobody(same, delay):
    def body(loop):
        called = []
        handle = loop.call_later(delay, called.append, "long")
        loop.call_at(delay, called.append, "absolute")
        loop.call_later(0.01, called.append, "short")
        loop.call_later(0.02, loop.stop)
        loop.run_forever()
        return called, handle.when() > loop.time() + 1e5

    assert same(body) == (["short"], True)


def test_a_loop_sleeps_through_a_deadline_that_never_comes(loop):
    """Without turning over and over."""
    loop.call_later(math.inf, print)
    loop.call_later(0.05, loop.stop)
    begin = time.thread_time()
    loop.run_forever()
    assert time.thread_time() - begin < 0.04


@pytest.mark.parametrize("delay", [None, "1", b"2", [], object, 1j])
def test_what_is_no_number_is_no_delay(loop, delay):
    for method in (loop.call_later, loop.call_at):
        with pytest.raises(TypeError):
            method(delay, print)
    assert outcome(loop.call_later, None, print) == ("TypeError", "delay must not be None")
    assert outcome(loop.call_at, None, print) == ("TypeError", "when cannot be None")


def test_the_error_names_the_kind_of_a_delay(loop):
    with pytest.raises(TypeError, match="delay must be a number, not str"):
        loop.call_later("1", print)
    with pytest.raises(TypeError, match="when must be a number, not str"):
        loop.call_at("1", print)


def test_nan_is_no_time(loop):
    """It compares with nothing, so it would have no place among the others."""
    with pytest.raises(ValueError, match="Invalid delay: NaN"):
        loop.call_later(math.nan, print)
    with pytest.raises(ValueError, match="Invalid when: NaN"):
        loop.call_at(math.nan, print)
    with pytest.raises(ValueError, match="NaN"):
        loop.call_later(decimal.Decimal("nan"), print)


def test_an_integer_beyond_all_floats_overflows(same):
    def body(loop):
        return outcome(loop.call_later, 10**400, print)

    assert same(body) == ("OverflowError", "int too large to convert to float")


@pytest.mark.parametrize("delay", [True, 1, fractions.Fraction(1), decimal.Decimal(1)])
def test_every_kind_of_number_is_a_delay(loop, delay):
    handle = loop.call_later(delay, print)
    assert abs(handle.when() - loop.time() - 1) < 0.5


def test_a_closed_loop_sets_no_timer(same):
    def body(loop):
        loop.close()
        return outcome(loop.call_later, 1, print), outcome(loop.call_at, 1, print)

    assert same(body) == (("RuntimeError", "Event loop is closed"),) * 2


def test_a_cancelled_timer_is_not_called(same):
    def body(loop):
        called = []
        handles = [loop.call_later(number / 1000, called.append, number) for number in range(20)]
        for handle in handles[::2]:
            handle.cancel()
        loop.call_later(0.03, loop.stop)
        loop.run_forever()
        for handle in handles:
            handle.cancel()
        return sorted(called)

    assert same(body) == list(range(1, 20, 2))


def test_a_timer_that_is_due_can_still_be_cancelled(same):
    def body(loop):
        called = []
        when = loop.time() - 1
        loop.call_at(when, lambda: second.cancel())
        second = loop.call_at(when + 0.5, called.append, "second")
        loop.call_at(when + 0.7, called.append, "third")
        turn(loop, 2)
        return called

    assert same(body) == ["third"]


def test_a_loop_does_not_wait_for_a_cancelled_timer(loop):
    loop.call_later(30, print).cancel()
    loop.call_later(0.01, loop.stop)
    begin = time.monotonic()
    loop.run_forever()
    assert time.monotonic() - begin < 5


def test_thousands_of_cancelled_timers_leave_the_others(loop):
    called = []
    kept = []
    for number in range(20_000):
        handle = loop.call_later(0.2 + number / 1e6, called.append, number)
        if number % 100:
            handle.cancel()
        else:
            kept.append(number)
    loop.call_later(0.25, loop.stop)
    loop.run_forever()
    assert called == kept


def test_a_timer_may_set_itself_again(loop):
    called = []

    def tick(number):
        called.append(number)
        if number:
            loop.call_later(0.001, tick, number - 1)
        else:
            loop.stop()

    loop.call_later(0, tick, 20)
    loop.run_forever()
    assert called == list(range(20, -1, -1))
