"""How futures are settled and tell of it, without a handle or a context of their own."""

import asyncio
import contextvars


def test_the_end_of_a_sleep_is_the_loops_own_only_for_a_pending_future(loop):
    end_sleep = asyncio.futures._set_result_unless_cancelled
    reports = []
    loop.set_exception_handler(lambda loop, report: reports.append(report["exception"]))

    async def main():
        pending, cancelled, done = (loop.create_future() for _ in range(3))
        cancelled.cancel()
        done.set_result("first")
        futures = [
            pending,
            cancelled,
            done,
            asyncio.current_task(),
            asyncio.futures._PyFuture(loop=loop),
        ]
        for future in futures:
            loop.call_soon(end_sleep, future, "second")
        await asyncio.sleep(0)
        assert [pending.result(), done.result(), futures[-1].result()] == [
            "second",
            "first",
            "second",
        ]
        assert cancelled.cancelled()

    loop.run_until_complete(main())
    assert [type(report) for report in reports] == [asyncio.InvalidStateError, RuntimeError]


def test_a_sleep_ends_in_the_context_of_who_sleeps(loop):
    variable = contextvars.ContextVar("variable")

    async def main():
        variable.set("mine")
        assert await asyncio.sleep(0.001, "slept") == "slept"
        assert variable.get() == "mine"

    loop.run_until_complete(main())


def test_callbacks_of_futures_show_on_the_ready_queue_as_handles_that_can_be_cancelled(loop):
    called = []

    async def main():
        future = loop.create_future()
        for number in range(3):
            future.add_done_callback(lambda future, number=number: called.append(number))
        future.set_result(None)
        handles = list(loop._ready)
        assert handles == list(loop._ready)
        assert all(isinstance(handle, asyncio.Handle) for handle in handles)
        handles[1].cancel()
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert called == [0, 2]


def test_what_a_callback_of_a_future_raises_is_reported_with_its_handle(loop):
    reports = []
    loop.set_exception_handler(lambda loop, report: reports.append(report))

    async def main():
        future = loop.create_future()
        future.add_done_callback(lambda future: future.no_such_attribute)
        future.set_result(None)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    [report] = reports
    assert isinstance(report["exception"], AttributeError)
    assert isinstance(report["handle"], asyncio.Handle)
    assert report["message"].startswith("Exception in callback")


def test_no_task_is_current_in_callbacks_around_a_result_that_call_soon_sets(loop):
    found = []

    def look(*_):
        found.append(asyncio.current_task())

    async def main():
        future = loop.create_future()
        future.add_done_callback(look)
        loop.call_soon(look)
        loop.call_soon(future.set_result, "set")
        loop.call_soon(look)
        assert await future == "set"
        assert asyncio.current_task() is not None

    loop.run_until_complete(main())
    assert found == [None, None, None]


def test_a_result_that_call_soon_sets_too_late_is_reported(loop):
    reports = []
    loop.set_exception_handler(lambda loop, report: reports.append(report))

    async def main():
        future = loop.create_future()
        future.cancel()
        loop.call_soon(future.set_result, None)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    [report] = reports
    assert isinstance(report["exception"], asyncio.InvalidStateError)
    assert "set_result" in report["message"]
