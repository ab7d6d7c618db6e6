"""Stopping and closing a loop."""

import asyncio
import threading

from comparison import outcome, turn


def test_stop_lets_the_turn_finish(same):
    def body(loop):
        called = []
        loop.call_soon(loop.stop)
        loop.call_soon(lambda: (called.append(1), loop.call_soon(called.append, "next")))
        loop.call_soon(called.append, 2)
        loop.run_forever()
        first = list(called)
        turn(loop)
        return first, called

    assert same(body) == ([1, 2], [1, 2, "next"])


def test_stop_before_the_run_means_one_turn(same):
    def body(loop):
        called = []
        loop.stop()
        loop.call_soon(lambda: (called.append(1), loop.call_soon(called.append, 2)))
        loop.run_forever()
        first = list(called)
        turn(loop)
        return first, called, loop.is_running()

    assert same(body) == ([1], [1, 2], False)


def test_stop_twice_is_stop_once(same):
    def body(loop):
        called = []
        loop.stop()
        loop.stop()
        loop.run_forever()
        loop.call_soon(called.append, 1)
        loop.call_soon(loop.call_soon, loop.stop)
        loop.run_forever()
        return called

    assert same(body) == [1]


def test_another_thread_may_stop_a_sleeping_loop(loop):
    """Though not documented as such, it works without call_soon_threadsafe."""
    thread = threading.Timer(0.05, loop.stop)
    thread.start()
    loop.run_forever()
    thread.join()


def test_a_run_that_is_stopped_early_says_so(same):
    def body(loop):
        future = loop.create_future()
        loop.call_soon(loop.stop)
        first = outcome(loop.run_until_complete, future)
        loop.call_soon(future.set_result, 5)
        return first, loop.run_until_complete(future)

    assert same(body) == (("RuntimeError", "Event loop stopped before Future completed."), 5)


def test_a_task_that_was_stopped_early_goes_on_in_the_next_run(same):
    def body(loop):
        seen = []

        async def main():
            for number in range(4):
                seen.append(number)
                if number == 1:
                    loop.stop()
                await asyncio.sleep(0)
            return "end"

        task = loop.create_task(main())
        first = outcome(loop.run_until_complete, task)[0]
        return first, list(seen), loop.run_until_complete(task), seen

    assert same(body) == ("RuntimeError", [0, 1], "end", [0, 1, 2, 3])


def test_a_running_loop_cannot_be_closed(same):
    async def main(loop):
        return outcome(loop.close)

    def body(loop):
        return loop.run_until_complete(main(loop))

    assert same(body) == ("RuntimeError", "Cannot close a running event loop")


def test_a_closed_loop_does_not_run(same):
    async def main():
        pass

    def body(loop):
        loop.close()
        loop.close()
        coroutine = main()
        results = [outcome(loop.run_forever), outcome(loop.run_until_complete, coroutine)]
        coroutine.close()
        return results, loop.is_closed(), loop.is_running()

    closed = ("RuntimeError", "Event loop is closed")
    assert same(body) == ([closed, closed], True, False)


def test_closing_forgets_what_was_scheduled(same):
    def body(loop):
        called = []
        handles = [loop.call_soon(called.append, 1), loop.call_later(0, called.append, 2)]
        loop.close()
        cancelled = [handle.cancelled() for handle in handles]
        for handle in handles:
            handle.cancel()
        return called, cancelled

    assert same(body) == ([], [False, False])
