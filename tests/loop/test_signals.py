"""Signals are handled between callbacks, each time they come."""

import asyncio
import os
import signal
import threading

import pytest

from comparison import entry, log, outcome, turn

USR1, USR2 = signal.SIGUSR1, signal.SIGUSR2
pytestmark = pytest.mark.usefixtures("signals")


def raise_later(number, seconds=0.03):
    """Raise a signal in the main thread, from another one."""
    main = threading.main_thread().ident
    thread = threading.Timer(seconds, signal.pthread_kill, (main, number))
    thread.start()
    return thread


def test_a_handler_is_called_with_its_arguments(same):
    def body(loop):
        called = []
        answer = loop.add_signal_handler(USR1, lambda *args: called.append(args), 1, "x")
        signal.raise_signal(USR1)
        before = list(called)
        turn(loop, 3)
        return answer, before, called, loop.remove_signal_handler(USR1)

    assert same(body) == (None, [], [(1, "x")], True)


def test_a_signal_ends_the_sleep(same):
    def body(loop):
        loop.add_signal_handler(USR1, loop.stop)
        thread = raise_later(USR1)
        loop.run_forever()
        thread.join()
        return True

    assert same(body)


def test_every_signal_is_handled(same):
    def body(loop):
        called = []
        loop.add_signal_handler(USR1, called.append, 1)
        loop.add_signal_handler(USR2, called.append, 2)
        for number in (USR1, USR2, USR1, USR1):
            signal.raise_signal(number)
        turn(loop, 4)
        signal.raise_signal(USR2)
        turn(loop, 4)
        return called

    assert same(body) == [1, 2, 1, 1, 2]


def test_a_storm_of_signals_does_not_stop_the_loop(loop):
    called = []
    loop.add_signal_handler(USR1, called.append, 1)
    loop.add_signal_handler(USR2, loop.stop)

    def storm():
        for _ in range(200):
            os.kill(os.getpid(), USR1)
        os.kill(os.getpid(), USR2)

    thread = threading.Thread(target=storm)
    thread.start()
    loop.run_forever()
    thread.join()
    # The kernel keeps one signal of a number at a time.
    assert 1 <= len(called) <= 200


def test_more_signals_than_one_read_takes(same):
    def body(loop):
        called = []
        loop.add_signal_handler(USR1, called.append, 1)
        for _ in range(270):
            signal.raise_signal(USR1)
        turn(loop, 6)
        return len(called)

    assert same(body) == 270


def test_handlers_and_callbacks_take_turns(same):
    def body(loop):
        called = []
        loop.add_signal_handler(USR1, called.append, "signal")
        signal.raise_signal(USR1)
        loop.call_soon(called.append, "before")
        loop.call_soon(loop.call_soon, called.append, "after")
        turn(loop, 3)
        return sorted(called), called[0]

    assert same(body) == (["after", "before", "signal"], "before")


def test_a_handler_replaces_the_one_before(same):
    def body(loop):
        called = []
        loop.add_signal_handler(USR1, called.append, 1)
        loop.add_signal_handler(USR1, called.append, 2)
        signal.raise_signal(USR1)
        turn(loop, 3)
        return called, loop.remove_signal_handler(USR1), loop.remove_signal_handler(USR1)

    assert same(body) == ([2], True, False)


def test_removing_sets_the_default_back(same):
    def body(loop):
        for number in (USR1, signal.SIGINT):
            loop.add_signal_handler(number, print)
        caught = signal.getsignal(USR1) not in (signal.SIG_DFL, None)
        answers = [loop.remove_signal_handler(number) for number in (USR1, signal.SIGINT)]
        return caught, answers, [signal.getsignal(number) for number in (USR1, signal.SIGINT)]

    assert same(body) == (True, [True, True], [signal.SIG_DFL, signal.default_int_handler])


def test_closing_removes_all_handlers(same):
    def body(loop):
        loop.add_signal_handler(USR1, print)
        loop.add_signal_handler(USR2, print)
        set_before = signal.set_wakeup_fd(-1) != -1
        loop.close()
        return set_before, signal.getsignal(USR1), signal.getsignal(USR2), signal.set_wakeup_fd(-1)

    assert same(body) == (True, signal.SIG_DFL, signal.SIG_DFL, -1)


def test_a_handler_that_raises_is_reported_and_called_again(same):
    def body(loop):
        loop.add_signal_handler(USR1, int, "x")
        with log() as records:
            for _ in range(2):
                signal.raise_signal(USR1)
                turn(loop, 3)
        return [entry(record).split("\n")[0] for record in records]

    assert len(same(body)) == 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_handler_that_ends_the_run_loses_no_other_signal(same, kind):
    def body(loop):
        called = []

        def end():
            called.append("end")
            raise kind

        loop.add_signal_handler(USR1, end)
        loop.add_signal_handler(USR2, called.append, "other")
        signal.raise_signal(USR1)
        signal.raise_signal(USR2)
        first = outcome(loop.run_forever)[0]
        turn(loop, 3)
        return first, called

    assert same(body) == (kind.__name__, ["end", "other"])


def test_a_handler_may_remove_itself(same):
    def body(loop):
        called = []

        def once():
            called.append(loop.remove_signal_handler(USR1))

        loop.add_signal_handler(USR1, once)
        signal.raise_signal(USR1)
        turn(loop, 3)
        return called, signal.getsignal(USR1)

    assert same(body) == ([True], signal.SIG_DFL)


def test_a_handler_of_the_module_signal_still_runs(same):
    """The loop's pair of sockets hears of it too, and does nothing."""

    def body(loop):
        called = []
        signal.signal(USR2, lambda *args: called.append("module"))
        loop.add_signal_handler(USR1, called.append, "loop")
        signal.raise_signal(USR2)
        signal.raise_signal(USR1)
        turn(loop, 3)
        return called

    assert same(body) == ["module", "loop"]


def test_system_calls_go_on_after_a_signal(loop, tmp_path):
    """As siginterrupt(False) promises: a blocking read in a callback is not cut short."""
    called = []
    loop.add_signal_handler(USR1, called.append, 1)
    reader, writer = os.pipe()
    thread = raise_later(USR1)
    later = threading.Timer(0.1, os.write, (writer, b"x"))
    later.start()
    loop.call_soon(lambda: called.append(os.read(reader, 1)))
    turn(loop, 3)
    thread.join()
    later.join()
    os.close(reader)
    os.close(writer)
    assert called == [b"x", 1]


def test_a_handler_may_wake_a_task(same):
    async def body(loop):
        event = asyncio.Event()
        loop.add_signal_handler(USR1, event.set)
        thread = raise_later(USR1)
        await asyncio.wait_for(event.wait(), 30)
        thread.join()
        return loop.remove_signal_handler(USR1)

    assert same(body)


def test_a_callback_that_goes_with_its_handler_may_touch_the_loop(loop):
    class Callback:
        def __call__(self):
            pass

        def __del__(self):
            loop.remove_signal_handler(USR2)

    loop.add_signal_handler(USR2, print)
    loop.add_signal_handler(USR1, Callback())
    assert loop.remove_signal_handler(USR1)
    assert not loop.remove_signal_handler(USR2)
    loop.add_signal_handler(USR2, print)
    loop.add_signal_handler(USR1, Callback())
    loop.add_signal_handler(USR1, print)
    assert not loop.remove_signal_handler(USR2)
