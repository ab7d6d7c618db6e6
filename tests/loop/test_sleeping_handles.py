"""The handle of asyncio.sleep, which holds nothing once the sleep is over."""

from __future__ import annotations

import asyncio
import gc
import weakref

import groundup
from comparison import turn


def sleep(loop, result=None, delay=0):
    """A future, and the handle, as asyncio.sleep makes them."""
    future = loop.create_future()
    set_result = asyncio.futures._set_result_unless_cancelled
    return future, loop.call_later(delay, set_result, future, result)


def test_it_answers_as_any_handle_that_was_called(same):
    def body(loop):
        future, handle = sleep(loop, "slept")
        before = handle.cancelled(), type(handle.when())
        turn(loop)
        after = future.result(), handle.cancelled(), type(handle.when())
        handle.cancel()
        handle.cancel()
        return before, after, handle.cancelled(), handle == handle, handle < sleep(loop)[1]

    same(body)


def test_a_sleep_that_was_cancelled_is_left_alone(same):
    def body(loop):
        future, handle = sleep(loop)
        future.cancel()
        turn(loop)
        return future.cancelled(), handle.cancelled()

    same(body)


def test_its_result_goes_with_the_future(loop):
    class Result:
        pass

    result = Result()
    known = weakref.ref(result)
    future, handle = sleep(loop, result)
    del result
    turn(loop)
    assert future.result() is known()
    del future
    assert known() is None
    assert not handle.cancelled()


def test_the_collector_has_nothing_to_find_in_it(loop):
    async def main():
        _, handle = sleep(loop)
        other = loop.call_later(0, len, "")
        await asyncio.sleep(0.001)
        return gc.is_tracked(handle), gc.is_tracked(other)

    assert loop.run_until_complete(main()) == (False, True)


def test_it_does_not_keep_the_loop():
    loop = groundup.new_event_loop()
    known = weakref.ref(loop)
    future, handle = sleep(loop)
    turn(loop)
    loop.close()
    del loop, future
    gc.collect()
    assert known() is None
    assert not handle.cancelled()
