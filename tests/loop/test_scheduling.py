"""What is scheduled is called in order: first in, first out, whoever scheduled it."""

import socket
import threading
import time

import pytest

from comparison import outcome, turn


def test_callbacks_are_called_in_the_order_they_were_scheduled(loop):
    called = []
    for number in range(1000):
        loop.call_soon(called.append, number)
    turn(loop)
    assert called == list(range(1000))


def test_what_a_callback_schedules_is_called_in_the_next_turn(same):
    def body(loop):
        called = []

        def callback(name, depth):
            called.append((name, depth))
            if depth:
                loop.call_soon(callback, name, depth - 1)

        loop.call_soon(callback, "a", 2)
        loop.call_soon(callback, "b", 1)
        after_each = []
        for _ in range(4):
            turn(loop)
            after_each.append(list(called))
        return after_each

    assert same(body)[-1] == [("a", 2), ("b", 1), ("a", 1), ("b", 0), ("a", 0)]


def test_one_turn_runs_what_was_ready_then_events_then_timers(same):
    def body(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")
            called = []
            loop.call_at(loop.time() - 1, called.append, "late timer")
            loop.call_at(loop.time() - 2, called.append, "later timer")
            loop.add_reader(ours, called.append, "reader")
            loop.add_writer(ours, called.append, "writer")
            loop.call_soon(called.append, "soon")
            loop.call_soon_threadsafe(called.append, "threadsafe")
            loop.call_soon(called.append, "soon again")
            turn(loop)
            loop.remove_reader(ours)
            loop.remove_writer(ours)
            return called

    assert same(body) == [
        "soon", "threadsafe", "soon again", "reader", "writer", "later timer", "late timer",
    ]  # fmt: skip


def test_a_callback_gets_its_arguments(same):
    def body(loop):
        called = []
        loop.call_soon(lambda *args: called.append(args))
        loop.call_soon(lambda *args: called.append(args), 1, None, "x")
        loop.call_later(0, lambda *args: called.append(args), [], {})
        turn(loop, 2)
        return called

    assert same(body) == [(), (1, None, "x"), ([], {})]


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe"])
def test_a_closed_loop_schedules_nothing(same, method):
    def body(loop):
        loop.close()
        return outcome(getattr(loop, method), print)

    assert same(body) == ("RuntimeError", "Event loop is closed")


@pytest.mark.parametrize(
    ("method", "args"),
    [("call_soon", ()), ("call_later", (1,)), ("call_at", ()), ("call_at", (1,))],
)
def test_a_callback_must_be_given(loop, method, args):
    with pytest.raises(TypeError, match="callback"):
        getattr(loop, method)(*args)


def test_what_is_not_callable_is_reported_when_it_would_be_called(same):
    def body(loop):
        seen = []
        loop.set_exception_handler(lambda loop, context: seen.append(repr(context["exception"])))
        loop.call_soon(5)
        loop.call_soon(seen.append, "next")
        turn(loop)
        return seen

    assert same(body) == ["TypeError(\"'int' object is not callable\")", "next"]


def test_other_threads_wake_a_sleeping_loop(loop):
    woken = []

    def wake():
        woken.append(time.monotonic())
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Timer(0.05, wake)
    thread.start()
    loop.run_forever()
    took = time.monotonic() - woken[0]
    thread.join()
    assert took < 2, "the loop slept on"


def test_a_loop_is_woken_each_time_it_sleeps(loop):
    """A hundred calls from a thread that waits for each."""
    called = threading.Event()

    def call():
        for _ in range(100):
            called.clear()
            loop.call_soon_threadsafe(called.set)
            assert called.wait(20)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=call)
    thread.start()
    loop.run_forever()
    thread.join()


def test_calls_of_many_threads_all_arrive_in_the_order_of_each(loop):
    threads, each = 8, 2000
    called = []

    def call(name):
        for number in range(each):
            loop.call_soon_threadsafe(called.append, (name, number))
        loop.call_soon_threadsafe(end)

    def end():
        nonlocal threads
        threads -= 1
        if threads == 0:
            loop.stop()

    callers = [threading.Thread(target=call, args=(name,)) for name in range(threads)]
    for thread in callers:
        thread.start()
    loop.run_forever()
    for thread in callers:
        thread.join()
    assert len(called) == 8 * each
    for name in range(8):
        assert [number for caller, number in called if caller == name] == list(range(each))


def test_what_another_thread_scheduled_first_is_called_first(same):
    def body(loop):
        called = []

        def in_thread(number):
            thread = threading.Thread(
                target=loop.call_soon_threadsafe, args=(called.append, f"thread {number}")
            )
            thread.start()
            thread.join()
            loop.call_soon(called.append, f"loop {number}")

        loop.call_soon(in_thread, 1)
        loop.call_soon(in_thread, 2)
        turn(loop, 2)
        return called

    assert same(body) == ["thread 1", "loop 1", "thread 2", "loop 2"]


def test_what_a_thread_scheduled_as_the_loop_stopped_is_called_first_in_the_next_run(same):
    def body(loop):
        called = []

        def last():
            thread = threading.Thread(
                target=loop.call_soon_threadsafe, args=(called.append, "thread")
            )
            thread.start()
            thread.join()

        loop.call_soon(last)
        turn(loop)
        loop.call_soon(called.append, "afterwards")
        turn(loop)
        return called

    assert same(body) == ["thread", "afterwards"]


def test_a_loop_that_does_not_run_takes_calls_of_threads(loop):
    called = []
    thread = threading.Thread(target=loop.call_soon_threadsafe, args=(called.append, 1))
    thread.start()
    thread.join()
    turn(loop)
    assert called == [1]


def test_a_method_can_be_overridden(loop):
    class Counting(type(loop)):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def call_soon(self, *args, **keywords):
            self.calls += 1
            return super().call_soon(*args, **keywords)

    async def main():
        future = counting.create_future()
        future.add_done_callback(lambda future: None)
        future.set_result(5)
        return await future

    counting = Counting()
    try:
        assert counting.run_until_complete(main()) == 5
        assert counting.calls >= 3, "of a task, a callback, and the end of the run"
    finally:
        counting.close()
