"""What cannot be handled as a signal is refused."""

import signal
import threading

import pytest

from comparison import outcome

USR1 = signal.SIGUSR1
pytestmark = pytest.mark.usefixtures("signals")


def test_coroutines_are_no_handlers(same):
    async def function():
        pass

    def body(loop):
        coroutine = function()
        try:
            return [
                outcome(loop.add_signal_handler, USR1, thing) for thing in (function, coroutine)
            ]
        finally:
            coroutine.close()

    assert same(body) == [("TypeError", "coroutines cannot be used with add_signal_handler()")] * 2


@pytest.mark.parametrize("number", [0, -1, 65, 1000, "USR1", 1.5, None], ids=repr)
def test_what_is_no_signal_is_refused(same, number):
    def body(loop):
        return outcome(loop.add_signal_handler, number, print), outcome(
            loop.remove_signal_handler, number
        )

    kinds = [kind for kind, _ in same(body)]
    assert kinds == ["ValueError" if isinstance(number, int) else "TypeError"] * 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=repr)
def test_a_signal_that_cannot_be_caught_is_refused(same, number):
    def body(loop):
        first = outcome(loop.add_signal_handler, number, print)
        return first, loop.remove_signal_handler(number), signal.set_wakeup_fd(-1)

    assert same(body) == (("RuntimeError", f"sig {int(number)} cannot be caught"), False, -1)


def test_only_the_main_thread_handles_signals(same):
    def body(loop):
        results = []
        thread = threading.Thread(
            target=lambda: results.append(outcome(loop.add_signal_handler, USR1, print))
        )
        thread.start()
        thread.join()
        return results, loop.remove_signal_handler(USR1)

    results, removed = same(body)
    assert results[0][0] == "RuntimeError"
    assert "main thread" in results[0][1]
    assert not removed


def test_a_closed_loop_handles_no_signals(same):
    def body(loop):
        loop.close()
        return outcome(loop.add_signal_handler, USR1, print), loop.remove_signal_handler(USR1)

    assert same(body) == (("RuntimeError", "Event loop is closed"), False)


def test_closing_in_another_thread_leaves_the_signals_to_the_main_thread(same):
    def body(loop):
        results = []
        loop.add_signal_handler(USR1, print)
        thread = threading.Thread(target=lambda: results.append(outcome(loop.close)))
        thread.start()
        thread.join()
        signal.set_wakeup_fd(-1)
        return results, loop.is_closed()

    results, closed = same(body)
    assert results[0][0] == "ValueError"
    assert closed
