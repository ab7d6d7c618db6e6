"""Debug mode: who made what, what took too long, and what is called from the wrong thread."""

import _thread
import asyncio
import functools
import subprocess
import sys
import threading
import time

import pytest

from comparison import entry, log, outcome, turn

METHODS = {
    "call_soon": (),
    "call_soon_threadsafe": (),
    "call_later": (5,),
    "call_at": (1e9,),
}


def test_debug_mode_is_off_unless_it_is_switched_on(same):
    def body(loop):
        before = loop.get_debug()
        loop.set_debug(True)
        on = loop.get_debug()
        loop.set_debug(0)
        return before, on, loop.get_debug(), loop.slow_callback_duration

    assert same(body) == (False, True, False, 0.1)


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ([], {}, "False"),
        (["-X", "dev"], {}, "True"),
        ([], {"PYTHONASYNCIODEBUG": "1"}, "True"),
        (["-E"], {"PYTHONASYNCIODEBUG": "1"}, "False"),
    ],
    ids=["plain", "dev", "environment", "ignored"],
)
def test_the_interpreter_may_be_started_in_debug_mode(options, environment, expected):
    program = (
        "import groundup; loop = groundup.new_event_loop(); print(loop.get_debug()); loop.close()"
    )
    result = subprocess.run(
        [sys.executable, *options, "-c", program],
        env=environment, capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    assert result.stdout.strip() == expected
    assert result.stderr == ""


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_at"])
def test_coroutines_are_no_callbacks(same, method):
    async def function():
        pass

    def body(loop):
        loop.set_debug(True)
        coroutine = function()
        schedule = functools.partial(getattr(loop, method), *METHODS[method])
        try:
            return outcome(schedule, function), outcome(schedule, coroutine)
        finally:
            coroutine.close()

    text = f"coroutines cannot be used with {method}()"
    assert same(body) == (("TypeError", text),) * 2


def test_call_later_takes_no_coroutines_either(loop):
    """asyncio speaks of call_at() here."""
    loop.set_debug(True)
    with pytest.raises(TypeError, match=r"coroutines cannot be used with call_later\(\)"):
        loop.call_later(1, asyncio.sleep)
    with pytest.raises(TypeError, match=r"was expected by call_later\(\), got 5"):
        loop.call_later(1, 5)


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_at"])
def test_what_is_not_callable_is_no_callback(same, method):
    def body(loop):
        loop.set_debug(True)
        return outcome(getattr(loop, method), *METHODS[method], 5)

    text = f"a callable object was expected by {method}(), got 5"
    assert same(body) == ("TypeError", text)


def test_run_in_executor_takes_no_coroutine_function(same):
    async def function():
        pass

    def body(loop):
        loop.set_debug(True)
        return outcome(loop.run_in_executor, None, function), outcome(loop.run_in_executor, None, 5)

    assert same(body) == (
        ("TypeError", "coroutines cannot be used with run_in_executor()"),
        ("TypeError", "a callable object was expected by run_in_executor(), got 5"),
    )


@pytest.mark.parametrize("method", METHODS)
def test_only_call_soon_threadsafe_may_be_called_from_another_thread(same, method):
    def body(loop):
        loop.set_debug(True)
        results = []

        def call():
            handle = outcome(getattr(loop, method), *METHODS[method], int)
            results.append(handle if isinstance(handle, tuple) else "scheduled")
            loop.call_soon_threadsafe(loop.stop)

        thread = threading.Thread(target=call)
        loop.call_soon(thread.start)
        loop.run_forever()
        thread.join()
        return results

    text = "Non-thread-safe operation invoked on an event loop other than the current one"
    expected = "scheduled" if method == "call_soon_threadsafe" else ("RuntimeError", text)
    assert same(body) == [expected]


def test_without_debug_mode_nothing_is_checked(same):
    def body(loop):
        results = []

        def call():
            results.append(type(loop.call_later(5, int)).__name__)
            loop.call_soon_threadsafe(loop.stop)

        thread = threading.Thread(target=call)
        loop.call_soon(thread.start)
        loop.run_forever()
        thread.join()
        return results

    assert same(body) == ["TimerHandle"]


def test_a_thread_without_python_code_may_call(loop):
    loop.set_debug(True)
    loop.call_soon(_thread.start_new_thread, loop.call_soon_threadsafe, (loop.stop,))
    loop.run_forever()


def test_a_slow_callback_is_named(same):
    def slow(name):
        time.sleep(0.02)

    def body(loop):
        loop.set_debug(True)
        loop.slow_callback_duration = 0.01
        with log() as records:
            loop.call_soon(slow, "x")
            loop.call_soon(int)
            turn(loop)
        return [entry(record) for record in records]

    logged = same(body)
    assert len(logged) == 1
    assert logged[0].startswith("WARNING: Executing <Handle ")
    assert "slow('x') at " in logged[0]
    assert logged[0].endswith("> took … seconds")


def test_a_slow_step_is_named_by_its_task(same):
    async def slow():
        await asyncio.sleep(0)
        time.sleep(0.02)
        await asyncio.sleep(0)

    async def body(loop):
        loop.set_debug(True)
        loop.slow_callback_duration = 0.01
        with log() as records:
            await loop.create_task(slow(), name="the slow one")
        return [entry(record) for record in records]

    logged = same(body)
    assert len(logged) == 1
    assert logged[0].startswith("WARNING: Executing <Task pending name='the slow one' coro=<")


def test_a_callback_that_is_not_slow_is_not_logged(same):
    def body(loop):
        loop.set_debug(True)
        loop.slow_callback_duration = 30
        with log() as records:
            loop.call_soon(time.sleep, 0.01)
            turn(loop)
        return len(records), loop.slow_callback_duration

    assert same(body) == (0, 30)


def test_without_debug_mode_slowness_is_not_logged(same):
    def body(loop):
        loop.slow_callback_duration = 0.001
        with log() as records:
            loop.call_soon(time.sleep, 0.01)
            turn(loop)
        return len(records)

    assert same(body) == 0


def test_slow_callbacks_of_descriptors_and_signals_are_logged_too(loop, socketpair):
    ours, theirs = socketpair
    theirs.send(b"x")
    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    loop.add_reader(ours, time.sleep, 0.02)
    with log() as records:
        turn(loop)
    loop.remove_reader(ours)
    assert len(records) == 1
    assert records[0].getMessage().startswith("Executing <Handle sleep(0.02)")


def test_in_debug_mode_coroutines_remember_their_origin(same):
    async def never():
        pass

    def make():
        return never()

    def body(loop):
        loop.set_debug(True)
        origins = []

        def callback():
            coroutine = make()
            origins.append([frame[2] for frame in coroutine.cr_origin[:2]])
            coroutine.close()

        loop.call_soon(callback)
        turn(loop)
        coroutine = make()
        origins.append(coroutine.cr_origin)
        coroutine.close()
        return origins, sys.get_coroutine_origin_tracking_depth()

    assert same(body) == ([["make", "callback"], None], 0)


def test_debug_mode_switched_while_running_takes_effect(same):
    def body(loop):
        depths = []

        async def main():
            for enabled in (True, True, False, False, True):
                loop.set_debug(enabled)
                await asyncio.sleep(0)
                depths.append(sys.get_coroutine_origin_tracking_depth())

        loop.run_until_complete(main())
        return depths, sys.get_coroutine_origin_tracking_depth()

    assert same(body) == ([10, 10, 0, 0, 10], 0)


def test_in_debug_mode_futures_and_tasks_remember_where_they_were_made(loop):
    async def main():
        future, task = loop.create_future(), loop.create_task(asyncio.sleep(0))
        await task
        return [(made._source_traceback[-1].filename, repr(made)) for made in (future, task)]

    loop.set_debug(True)
    for filename, text in loop.run_until_complete(main()):
        assert filename == __file__
        assert f"created at {__file__}:" in text


def test_closing_is_told_in_debug_mode(same):
    def body(loop):
        loop.set_debug(True)
        with log() as records:
            loop.close()
        return [entry(record) for record in records]

    assert same(body) == ["DEBUG: Close <EventLoop running=False closed=True debug=True>"]
