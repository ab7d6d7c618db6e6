"""Running: what can be run, what it returns, and what must not run inside what."""

import asyncio
import sys

import pytest

from comparison import outcome, turn


def test_run_until_complete_returns_the_result(same):
    async def main():
        await asyncio.sleep(0)
        return 5

    def body(loop):
        future = loop.create_future()
        loop.call_soon(future.set_result, "x")
        results = [
            loop.run_until_complete(main()),
            loop.run_until_complete(future),
            loop.run_until_complete(future),
            loop.run_until_complete(loop.create_task(main())),
        ]
        return results, loop.is_running(), loop.is_closed()

    assert same(body) == ([5, "x", "x", 5], False, False)


def test_run_until_complete_raises_the_exception(same):
    async def main():
        await asyncio.sleep(0)
        raise KeyError("k")

    def body(loop):
        future = loop.create_future()
        future.cancel()
        return outcome(loop.run_until_complete, main()), outcome(loop.run_until_complete, future)

    assert same(body) == (("KeyError", "'k'"), ("CancelledError", ""))


def test_what_can_be_awaited_can_be_run(same):
    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return 7

    def body(loop):
        return loop.run_until_complete(Awaitable())

    assert same(body) == 7


@pytest.mark.parametrize("thing", [5, None, "coroutine", print, [], iter(())])
def test_what_cannot_be_awaited_is_refused(same, thing):
    def body(loop):
        kind, text = outcome(loop.run_until_complete, thing)
        return kind, text, loop.is_running()

    assert same(body)[0] == "TypeError"


def test_a_future_of_another_loop_is_refused(same):
    def body(loop):
        other = asyncio.SelectorEventLoop()
        try:
            return outcome(loop.run_until_complete, other.create_future())
        finally:
            other.close()

    assert same(body)[0] == "ValueError"


def test_a_loop_runs_once_at_a_time(same):
    async def main(loop):
        done = loop.create_future()
        done.set_result(None)
        return outcome(loop.run_until_complete, done), outcome(loop.run_forever)

    def body(loop):
        return loop.run_until_complete(main(loop))

    assert same(body) == (("RuntimeError", "This event loop is already running"),) * 2


def test_a_thread_runs_one_loop_at_a_time(same):
    async def main(loop):
        other = type(loop)()
        done = other.create_future()
        done.set_result(None)
        try:
            return outcome(other.run_until_complete, done), outcome(other.run_forever)
        finally:
            other.close()

    def body(loop):
        return loop.run_until_complete(main(loop))

    text = "Cannot run the event loop while another loop is running"
    assert same(body) == (("RuntimeError", text),) * 2


def test_this_loop_and_asyncios_do_not_run_inside_each_other(loop):
    async def main(other):
        return outcome(other.run_forever)

    other = asyncio.SelectorEventLoop()
    text = "Cannot run the event loop while another loop is running"
    try:
        assert loop.run_until_complete(main(other)) == ("RuntimeError", text)
        assert other.run_until_complete(main(loop)) == ("RuntimeError", text)
    finally:
        other.close()


def test_the_running_loop_is_known(same):
    async def main():
        return asyncio.get_running_loop(), asyncio.get_event_loop(), asyncio.current_task()

    def body(loop):
        running, current, task = loop.run_until_complete(main())
        after = outcome(asyncio.get_running_loop)
        return running is loop, current is loop, type(task).__name__, after

    assert same(body) == (True, True, "Task", ("RuntimeError", "no running event loop"))


def test_the_loop_says_what_it_is(loop):
    assert repr(loop) == "<EventLoop running=False closed=False debug=False>"
    assert isinstance(loop, asyncio.AbstractEventLoop)
    seen = []
    loop.set_debug(True)
    loop.call_soon(lambda: seen.append(repr(loop)))
    turn(loop)
    loop.close()
    assert seen == ["<EventLoop running=True closed=False debug=True>"]
    assert repr(loop) == "<EventLoop running=False closed=True debug=True>"


def test_a_generator_hook_and_a_tracking_depth_survive_the_run(same):
    def body(loop):
        def hook(generator):
            pass

        before = sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth()
        sys.set_asyncgen_hooks(firstiter=hook, finalizer=hook)
        try:
            loop.set_debug(True)
            turn(loop)
            hooks = sys.get_asyncgen_hooks()
            return hooks == (hook, hook), sys.get_coroutine_origin_tracking_depth() == before[1]
        finally:
            sys.set_asyncgen_hooks(*before[0])

    assert same(body) == (True, True)
