"""Other threads talk to a loop, and many threads have loops of their own."""

import asyncio
import concurrent.futures
import sys
import threading
import time

import pytest

import groundup
from comparison import outcome, turn


@pytest.fixture
def elsewhere():
    """A loop that runs in another thread until the test ends."""
    loop = groundup.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_coroutine_can_be_run_from_another_thread(elsewhere):
    async def work(value):
        await asyncio.sleep(0.001)
        return value, asyncio.get_running_loop()

    futures = [asyncio.run_coroutine_threadsafe(work(n), elsewhere) for n in range(100)]
    assert [future.result(30) for future in futures] == [(n, elsewhere) for n in range(100)]


def test_its_exception_comes_back(elsewhere):
    async def fail():
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        asyncio.run_coroutine_threadsafe(fail(), elsewhere).result(30)


def test_it_can_be_cancelled_from_another_thread(elsewhere):
    started, cancelled = threading.Event(), threading.Event()

    async def wait():
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    future = asyncio.run_coroutine_threadsafe(wait(), elsewhere)
    assert started.wait(30)
    future.cancel()
    assert cancelled.wait(30)
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(30)


def test_loops_in_two_threads_answer_each_other(elsewhere, loop):
    async def there(number):
        return number + 1

    async def main():
        number = 0
        for _ in range(200):
            future = asyncio.run_coroutine_threadsafe(there(number), elsewhere)
            number = await asyncio.wrap_future(future)
        return number

    assert loop.run_until_complete(main()) == 200


def test_a_handle_can_be_cancelled_from_another_thread(elsewhere):
    called, done = [], threading.Event()

    def block():
        time.sleep(0.05)

    elsewhere.call_soon_threadsafe(block)
    handle = elsewhere.call_soon_threadsafe(called.append, 1)
    handle.cancel()
    elsewhere.call_soon_threadsafe(done.set)
    assert done.wait(30)
    assert called == []


@pytest.mark.skipif(sys.version_info < (3, 14), reason="new in Python 3.14")
@pytest.mark.parametrize("method", ["cancel", "cancelled"])
def test_who_asks_for_a_handle_whose_callback_runs_waits_for_its_end(same, method):
    def body(loop):
        started, seen = threading.Event(), []

        def callback():
            started.set()
            time.sleep(0.1)
            seen.append("callback ended")

        def ask():
            handle = loop.call_soon_threadsafe(callback)
            seen.append(handle.__class__.__name__)
            started.wait(30)
            seen.append(getattr(handle, method)())
            loop.call_soon_threadsafe(loop.stop)

        thread = threading.Thread(target=ask)
        thread.start()
        loop.run_forever()
        thread.join()
        return seen

    answer = False if method == "cancelled" else None
    assert same(body) == ["_ThreadSafeHandle", "callback ended", answer]


def test_a_callback_may_cancel_its_own_handle(same):
    def body(loop):
        seen = []

        def callback():
            handles[0].cancel()
            seen.append(handles[0].cancelled())

        handles = [loop.call_soon_threadsafe(callback)]
        turn(loop)
        return seen

    assert same(body) == [True]


def test_a_busy_loop_lets_other_threads_run(elsewhere):
    async def spin():
        while not stop.is_set():
            await asyncio.sleep(0)

    stop = threading.Event()
    future = asyncio.run_coroutine_threadsafe(spin(), elsewhere)
    end = time.monotonic() + 30
    counted = 0
    while counted < 100_000 and time.monotonic() < end:
        counted += 1
    stop.set()
    future.result(30)
    assert counted == 100_000


def test_a_sleeping_loop_lets_other_threads_run(elsewhere):
    """It does not hold the interpreter lock while it waits."""
    future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0.2), elsewhere)
    begin = time.monotonic()
    turns = 0
    while not future.done():
        turns += 1
        assert time.monotonic() < begin + 30
    assert turns > 100


def test_many_threads_call_while_the_loop_starts_and_stops(loop):
    """Nothing is lost between runs."""
    called = []

    def call(name):
        for number in range(500):
            loop.call_soon_threadsafe(called.append, (name, number))

    threads = [threading.Thread(target=call, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        loop.call_soon(loop.stop)
        loop.run_forever()
    loop.call_soon(loop.stop)
    loop.run_forever()
    for name in range(4):
        assert [number for caller, number in called if caller == name] == list(range(500))


def test_loops_run_in_threads_of_their_own():
    results = {}

    async def main(number):
        for _ in range(50):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return asyncio.get_running_loop()

    def run(number):
        loop = groundup.new_event_loop()
        try:
            results[number] = loop.run_until_complete(main(number)) is loop
        finally:
            loop.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(8), True)


def test_a_loop_may_move_from_thread_to_thread(loop):
    idents = []

    async def main():
        idents.append(threading.get_ident())
        assert loop._thread_id == threading.get_ident()

    for _ in range(3):
        thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
        thread.start()
        thread.join()
    loop.run_until_complete(main())
    assert len(idents) == 4
    assert loop._thread_id is None


def test_a_loop_that_runs_elsewhere_cannot_be_run_or_closed(loop):
    running = threading.Event()
    loop.call_soon(running.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running.wait()
    try:
        assert loop.is_running()
        assert outcome(loop.run_forever) == ("RuntimeError", "This event loop is already running")
        assert outcome(loop.close) == ("RuntimeError", "Cannot close a running event loop")
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
