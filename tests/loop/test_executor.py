"""Work for other threads: the default executor, one's own, and their end."""

import asyncio
import concurrent.futures
import threading
import time

import pytest

import groundup
from comparison import outcome, plain


def test_a_function_runs_in_another_thread(same):
    async def body(loop):
        def work(*args):
            return args, threading.current_thread() is threading.main_thread()

        future = loop.run_in_executor(None, work, 1, "x")
        return isinstance(future, asyncio.Future), await future

    assert same(body) == (True, ((1, "x"), False))


def test_an_exception_comes_back(same):
    async def body(loop):
        def fail():
            raise LookupError("from the thread")

        with pytest.raises(LookupError, match="from the thread"):
            await loop.run_in_executor(None, fail)
        return await loop.run_in_executor(None, int, "5")

    assert same(body) == 5


def test_a_hundred_jobs_all_come_back(loop):
    async def main():
        return await asyncio.gather(*(loop.run_in_executor(None, int, n) for n in range(100)))

    assert loop.run_until_complete(main()) == list(range(100))


def test_the_threads_are_named_after_asyncio(same):
    async def body(loop):
        def name():
            return threading.current_thread().name.rpartition("_")[0]

        return await loop.run_in_executor(None, name)

    assert same(body) == "asyncio"


def test_an_executor_of_ones_own_is_used(same):
    class Executor(concurrent.futures.Executor):
        def submit(self, function, *args):
            future = concurrent.futures.Future()
            future.set_result(("submitted", function, args))
            return future

    async def body(loop):
        return await loop.run_in_executor(Executor(), int, "5"), loop._default_executor

    assert same(body) == (("submitted", int, ("5",)), None)


def test_the_default_executor_can_be_set(same):
    async def body(loop):
        def name():
            return threading.current_thread().name

        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
            loop.set_default_executor(executor)
            return await loop.run_in_executor(None, name), loop._default_executor is executor

    assert same(body) == ("mine_0", True)


@pytest.mark.parametrize("executor", [None, 5, concurrent.futures.Executor()], ids=type)
def test_only_a_thread_pool_can_be_the_default_executor(same, executor):
    def body(loop):
        return outcome(loop.set_default_executor, executor)

    assert same(body) == ("TypeError", "executor must be ThreadPoolExecutor instance")


def test_a_closed_loop_gives_no_work(same):
    def body(loop):
        loop.close()
        return outcome(loop.run_in_executor, None, int)

    assert same(body)[0] == "RuntimeError"


def test_shutting_down_waits_for_the_jobs(same):
    async def body(loop):
        done = []

        def work():
            time.sleep(0.05)
            done.append("job")

        job = loop.run_in_executor(None, work)
        await asyncio.sleep(0)
        done.append(await loop.shutdown_default_executor())
        await job
        return (
            done,
            outcome(loop.run_in_executor, None, int),
            await loop.shutdown_default_executor(),
        )

    done, refused, again = same(body)
    assert done == ["job", None]
    assert refused == ("RuntimeError", "Executor shutdown has been called")
    assert again is None


def test_shutting_down_where_nothing_ran_is_quick(same):
    async def body(loop):
        threads = threading.active_count()
        result = await loop.shutdown_default_executor()
        return result, threading.active_count() - threads

    assert same(body) == (None, 0)


def test_shutting_down_has_a_time_limit(loop):
    """As asyncio has from Python 3.12 on."""
    release = threading.Event()

    async def main():
        job = loop.run_in_executor(None, release.wait, 30)
        text = r"The executor did not finishing joining its threads within 0\.05 seconds\."
        with pytest.warns(RuntimeWarning, match=text):
            await loop.shutdown_default_executor(0.05)
        release.set()
        return await job

    try:
        assert loop.run_until_complete(main())
    finally:
        release.set()


def test_shutting_down_within_the_limit_warns_of_nothing(loop):
    async def main():
        await loop.run_in_executor(None, int)
        await loop.shutdown_default_executor(timeout=30)

    loop.run_until_complete(main())


def test_a_cancelled_shutdown_stays_shut(loop):
    async def main():
        release = threading.Event()
        try:
            job = loop.run_in_executor(None, release.wait, 30)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(loop.shutdown_default_executor(), 0.02)
        finally:
            release.set()
        await job
        return outcome(loop.run_in_executor, None, int)

    text = "Executor shutdown has been called"
    assert loop.run_until_complete(main()) == ("RuntimeError", text)


def test_closing_does_not_wait_for_the_jobs():
    release = threading.Event()
    loop = groundup.new_event_loop()
    try:
        loop.run_until_complete(asyncio.sleep(0))
        job = loop.run_in_executor(None, release.wait, 30)
        begin = time.monotonic()
        loop.close()
        assert time.monotonic() - begin < 10
        assert loop.is_closed()
    finally:
        release.set()
    assert not job.done()


def test_a_job_that_ends_after_the_loop_was_closed_is_dropped(loop):
    """Its thread finds nobody to tell, and says so to nobody."""
    release, ended = threading.Event(), threading.Event()

    def work():
        release.wait(30)
        return 5

    job = loop.run_in_executor(None, work)
    loop.close()
    release.set()
    threading.Timer(0.05, ended.set).start()
    assert ended.wait(30)
    assert not job.done()


def test_cancelling_the_future_lets_the_job_be(same):
    async def body(loop):
        release, ended = threading.Event(), threading.Event()

        def work():
            release.wait(30)
            ended.set()

        job = loop.run_in_executor(None, work)
        await asyncio.sleep(0.01)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        release.set()
        return await loop.run_in_executor(None, ended.wait, 30)

    assert same(body) is True


def test_to_thread_keeps_the_context(same):
    import contextvars

    variable = contextvars.ContextVar("variable", default="unset")

    async def body(loop):
        variable.set("set")
        return await asyncio.to_thread(variable.get), await asyncio.to_thread(plain, text="x")

    assert same(body) == ("set", "x")
