"""run_all() interweaves coroutines to their ends."""

import asyncio
import itertools
import signal

import pytest

import groundup
from groundup import run_all


def add(numbers):
    total = 0
    for n in numbers:
        yield n
        total += n
    return total


def test_the_results_come_in_the_order_of_the_items():
    assert run_all([add([1, 2, 3]), add([10])]) == [6, 10]


def test_what_only_iterates_returns_none():
    assert run_all(["ab", [1, 2]]) == [None, None]
    assert run_all([]) == []


def test_async_functions_run_by_turns():
    seen = []

    @groundup.coroutine
    def give_way(value):
        seen.append(value)
        yield
        return value

    async def both(first, second):
        return await give_way(first) + await give_way(second)

    assert run_all([both("a", "b"), both("x", "y")]) == ["ab", "xy"]
    assert seen == ["a", "x", "b", "y"]


def test_bad_items_are_refused_by_name():
    with pytest.raises(TypeError, match=r"a coroutine, a generator or an .* expected, got 5"):
        run_all([add([1]), 5])
    with pytest.raises(TypeError, match=r"an iterable of .* expected, got None"):
        run_all(None)


def test_an_exception_comes_out_as_it_was_raised_and_the_others_are_closed():
    closed = []
    error = ValueError("raised")

    def patient():
        try:
            yield from itertools.count()
        finally:
            closed.append(True)

    def fail():
        yield
        raise error

    with pytest.raises(ValueError) as raised:
        run_all([patient(), fail(), patient()])
    assert raised.value is error
    assert raised.traceback[-1].name == "fail"
    assert closed == [True, True]


def test_a_signal_reaches_it_between_turns_of_iterators_that_run_no_python_code():
    closed = []

    def patient():
        try:
            yield
            yield from itertools.count()
        finally:
            closed.append(True)

    def interrupt(signum, frame):
        raise KeyboardInterrupt

    waiting = patient()
    next(waiting)
    previous = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_all([itertools.count()])
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            run_all([itertools.count(), waiting])
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
    assert closed == [True]


def test_what_needs_an_event_loop_says_so():
    with pytest.raises(RuntimeError, match="no running event loop"):
        run_all([asyncio.sleep(1)])
