"""What ends a run early: KeyboardInterrupt and SystemExit, and nothing else is lost."""

import asyncio
import signal
import threading

import pytest

from comparison import outcome, turn


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_callback_may_end_the_run_and_nothing_is_lost(same, kind):
    def body(loop):
        called = []

        def end():
            called.append("end")
            raise kind("now")

        loop.call_soon(called.append, 1)
        loop.call_soon(end)
        loop.call_soon(called.append, 2)
        loop.call_later(0, called.append, "timer")
        first = outcome(loop.run_forever)
        so_far = list(called)
        state = loop.is_running(), loop.is_closed(), asyncio._get_running_loop()
        turn(loop, 2)
        return first, so_far, state, called

    first, so_far, state, called = same(body)
    assert first == (kind.__name__, "now")
    assert so_far == [1, "end"]
    assert state == (False, False, None)
    assert sorted(map(str, called)) == ["1", "2", "end", "timer"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_task_may_end_the_run_and_nothing_is_lost(same, kind):
    async def end():
        await asyncio.sleep(0)
        raise kind("now")

    async def count(seen):
        for number in range(5):
            seen.append(number)
            await asyncio.sleep(0)
        return "counted"

    def body(loop):
        seen = []
        counting = loop.create_task(count(seen))
        first = outcome(loop.run_until_complete, end())
        so_far = list(seen)
        return first, so_far, loop.run_until_complete(counting), seen

    first, _, counted, seen = same(body)
    assert first == (kind.__name__, "now")
    assert (counted, seen) == ("counted", [0, 1, 2, 3, 4])


def test_a_run_ended_by_another_task_leaves_the_awaited_one(same):
    async def end():
        raise SystemExit(3)

    async def wait(future):
        return await future

    def body(loop):
        future = loop.create_future()
        ending = loop.create_task(end())
        waiting = loop.create_task(wait(future))
        first = outcome(loop.run_until_complete, waiting)
        future.set_result("later")
        return first, loop.run_until_complete(waiting), outcome(ending.result)

    assert same(body) == (("SystemExit", "3"), "later", ("SystemExit", "3"))


def test_an_exception_of_a_done_task_is_raised_once(same):
    """The caller has no way to retrieve it from the task, so nothing is said of it later."""

    async def main(loop):
        loop.call_soon(interrupt)
        raise ZeroDivisionError

    def interrupt():
        raise KeyboardInterrupt

    def body(loop):
        return outcome(loop.run_until_complete, main(loop))

    assert same(body)[0] == "KeyboardInterrupt"


def test_other_base_exceptions_do_not_end_the_run(same):
    class Odd(BaseException):
        pass

    def odd():
        raise Odd("odd")

    def body(loop):
        called = []
        loop.call_soon(odd)
        loop.call_soon(called.append, 1)
        turn(loop)
        return called

    assert same(body) == [1]


def test_a_signal_that_nobody_handles_does_not_end_the_run(loop):
    """It cuts the sleep short, and its Python handler runs."""
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *args: seen.append(args[0]))
    main = threading.get_ident()
    thread = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGUSR1))
    try:
        thread.start()
        loop.call_later(0.2, loop.stop)
        loop.run_forever()
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    assert seen == [signal.SIGUSR1]


def test_what_a_signal_handler_raises_ends_the_run(loop):
    def handler(*args):
        raise ZeroDivisionError("from the handler")

    before = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    try:
        thread.start()
        with pytest.raises(ZeroDivisionError, match="from the handler"):
            loop.run_forever()
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    turn(loop)
