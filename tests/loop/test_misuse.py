"""Whatever a program does to a loop, it gets an ordinary exception, and the loop goes on."""

import asyncio
import gc
import inspect
import itertools
import math
import socket
import sys
import warnings
import weakref

import pytest

import groundup
from comparison import turn

ODD = [
    None, True, -1, 0, 2**31, 2**63, 2**100, -(2**100), 1.5, math.nan, math.inf, "", "text", "\0",
    "\ud800", b"", b"bytes", [], (), {}, ("host",), ("", -1), object(), int, asyncio.sleep,
]  # fmt: skip

METHODS = sorted(
    name
    for name, member in inspect.getmembers(groundup.EventLoop)
    if callable(member)
    and (not name.startswith("__") or name in ("__repr__", "__del__"))
    # These wait for what never comes, touch the signals of the test run, or start programs.
    and name not in ("run_forever", "_run_once", "add_signal_handler", "remove_signal_handler")
    and not name.startswith("subprocess_")
)


def check(error):
    """A panic of the loop would be an exception of its own kind."""
    assert type(error).__module__ in ("builtins", "socket", "asyncio.exceptions"), repr(error)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", METHODS)
def test_odd_arguments_raise_ordinary_exceptions(name, tmp_path, monkeypatch):
    def no_threads(*args):
        raise OSError

    monkeypatch.chdir(tmp_path)  # for the names of Unix sockets
    loop = groundup.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    method = getattr(loop, name)
    loop.run_in_executor = no_threads
    calls = itertools.chain([()], zip(ODD), itertools.product(ODD, ODD))
    for args in calls:
        try:
            result = method(*args)
        except BaseException as error:
            check(error)
        else:
            if inspect.isawaitable(result):
                try:
                    result.send(None)
                    result.close()
                except BaseException as error:
                    check(error)
    if loop.is_running():  # _run_forever_setup() has seen to that
        loop._run_forever_cleanup()
    loop.close()
    sys.set_coroutine_origin_tracking_depth(0)  # what _set_coroutine_origin_tracking() may have set


@pytest.mark.filterwarnings("ignore")
def test_odd_attributes_are_refused_or_harmless(loop):
    for value in ODD:
        try:
            loop.slow_callback_duration = value
            loop.set_debug(True)
            loop.call_soon(int)
            turn(loop)
        except BaseException as error:
            check(error)
        loop.set_debug(False)
        turn(loop)


class Bomb:
    """Something whose end sets off an act."""

    def __init__(self, act):
        self.act = act

    def __call__(self, *args):
        pass

    def __del__(self):
        self.act()


@pytest.fixture
def acts(loop, socketpair):
    """Everything a destructor may do to a loop, and a count of how often it was done."""
    ours, theirs = socketpair
    done = []

    def act():
        done.append(len(done))
        if loop.is_closed():
            return
        loop.call_soon(int)
        loop.call_soon_threadsafe(int)
        loop.call_later(60, int).cancel()
        loop.call_later(0, int)
        loop.add_reader(theirs, int)
        loop.remove_reader(theirs)
        loop.set_exception_handler(None)
        loop.set_task_factory(None)
        loop.create_future().cancel()
        repr(loop)
        gc.collect()

    return act, done, ours


def test_destructors_may_call_the_loop(loop, acts):
    act, done, ours = acts
    loop.call_soon(Bomb(act))
    loop.call_later(0, Bomb(act))
    turn(loop, 2)
    loop.call_soon(Bomb(act)).cancel()
    loop.call_later(60, Bomb(act)).cancel()
    for method in (loop.add_reader, loop.add_writer):
        method(ours, Bomb(act))
        method(ours, Bomb(act))
    loop.remove_reader(ours)
    loop.remove_writer(ours)
    for method in (loop.set_exception_handler, loop.set_task_factory):
        method(Bomb(act))
        method(None)
    turn(loop, 2)
    assert len(done) == 10


def test_destructors_may_call_a_loop_that_is_being_closed(loop, acts):
    act, done, ours = acts
    loop.call_soon(Bomb(act))
    loop.call_later(60, Bomb(act))
    loop.add_reader(ours, Bomb(act))
    loop.close()
    assert len(done) == 3


def test_a_destructor_may_close_the_loop(loop):
    loop.call_soon(Bomb(loop.close))
    loop.call_later(60, Bomb(loop.close))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop.close()
    assert loop.is_closed()


def test_destructors_may_set_and_cancel_timers_while_timers_are_cancelled(loop):
    done = []

    def act():
        done.append(loop.call_later(60, int))
        loop.call_later(60, int).cancel()

    for handle in [loop.call_later(60, Bomb(act)) for _ in range(500)]:
        handle.cancel()
    assert len(done) == 500


def test_a_callback_may_close_descriptors_under_the_loop(loop):
    pairs = [socket.socketpair() for _ in range(10)]

    def close_all():
        for ours, theirs in pairs:
            ours.close()
            theirs.close()

    for ours, theirs in pairs:
        theirs.send(b"x")
        loop.add_reader(ours, close_all)
        loop.add_writer(ours, close_all)
    turn(loop, 3)


def test_a_deep_recursion_is_reported(loop):
    seen = []
    loop.set_exception_handler(lambda loop, context: seen.append(type(context["exception"])))

    def recurse():
        recurse()

    loop.call_soon(recurse)
    turn(loop)
    assert seen == [RecursionError]


def test_a_loop_that_is_dropped_while_a_callback_holds_it_lives_on():
    loop = groundup.new_event_loop()
    reference = weakref.ref(loop)
    called = []

    def callback(loop):
        loop.call_soon(called.append, 1)
        loop.call_soon(loop.stop)

    loop.call_soon(callback, loop)
    run = loop.run_forever
    del loop
    run()
    assert called == [1]
    reference().close()
