"""Tasks and futures of the loop's own: what they have in common with asyncio's."""

import asyncio
import contextvars
import copy
import gc
import pickle
import sys
import weakref

import pytest

from groundup import _groundup


class PythonFuture(asyncio.futures._PyFuture):
    """A future that has nothing in C."""


@pytest.fixture(params=["own", "c", "python"])
def make_future(request, loop):
    """Futures of three kinds, on the loop."""
    kinds = {
        "own": loop.create_future,
        "c": lambda: asyncio.futures._CFuture(loop=loop),
        "python": lambda: PythonFuture(loop=loop),
    }
    return kinds[request.param]


async def nothing():
    return None


@pytest.mark.parametrize("debug", [False, True])
def test_methods_of_the_base_wake_who_waits(loop, debug):
    base = asyncio.futures._CFuture

    async def main():
        future = loop.create_future()
        loop.call_soon(base.set_result, future, "found")
        assert await future == "found"
        future = loop.create_future()
        loop.call_soon(base.set_exception, future, KeyError("lost"))
        with pytest.raises(KeyError, match="lost"):
            await future
        future = loop.create_future()
        loop.call_soon(base.cancel, future)
        with pytest.raises(asyncio.CancelledError):
            await future

    loop.run_until_complete(main())
    loop.set_debug(debug)
    loop.run_until_complete(main())


def test_a_task_is_no_callback(loop):
    reports = []
    loop.set_exception_handler(lambda loop, report: reports.append(report["exception"]))

    async def main():
        task = asyncio.current_task()
        loop.call_soon(task)
        loop.call_soon(task, 1)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert [type(report) for report in reports] == [TypeError, TypeError]


def test_the_loop_makes_its_own_subclasses_of_asyncios(loop):
    async def main():
        task = asyncio.current_task()
        future = loop.create_future()
        assert type(task) is _groundup.Task
        assert type(future) is _groundup.Future
        assert isinstance(task, (asyncio.Task, asyncio.Future, _groundup.Future))
        assert not isinstance(future, asyncio.Task)
        assert asyncio.isfuture(task)
        assert asyncio.isfuture(future)

    loop.run_until_complete(main())


def test_a_task_waits_for_any_kind_of_future(loop, make_future):
    async def main():
        future = make_future()
        loop.call_soon(future.set_result, "found")
        assert await future == "found"
        future = make_future()
        loop.call_soon(future.set_exception, KeyError("lost"))
        with pytest.raises(KeyError, match="lost"):
            await future

    loop.run_until_complete(main())


def test_cancelling_a_task_cancels_what_it_waits_for(loop, make_future):
    async def main():
        future = make_future()

        async def wait():
            await future

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        assert task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert future.cancelled()

    loop.run_until_complete(main())


@pytest.mark.parametrize("kind", ["_CTask", "_PyTask"])
def test_tasks_made_by_asyncio_wait_for_the_loops_and_the_other_way_round(loop, kind):
    make = getattr(asyncio.tasks, kind)

    async def double(number):
        await asyncio.sleep(0)
        return 2 * number

    async def main():
        assert await make(double(21), loop=loop) == 42
        task = asyncio.ensure_future(double(4))

        async def wait():
            return await task

        assert await make(wait(), loop=loop) == 8

    loop.run_until_complete(main())


def test_callbacks_are_called_in_their_order_among_the_tasks_that_wait(loop):
    order = []

    async def wait(future, name):
        await future
        order.append(name)

    async def main():
        future = loop.create_future()
        future.add_done_callback(lambda _: order.append("before"))
        tasks = [asyncio.ensure_future(wait(future, name)) for name in "ab"]
        await asyncio.sleep(0)
        future.add_done_callback(lambda _: order.append("after"))
        future.set_result(None)
        loop.call_soon(order.append, "soon")
        await asyncio.gather(*tasks)
        assert order == ["before", "a", "b", "after", "soon"]

    loop.run_until_complete(main())


def test_what_waits_shows_among_the_callbacks_as_a_callable(loop):
    async def main():
        future = loop.create_future()

        async def wait():
            await future

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        [(callback, _)] = future._callbacks
        assert callable(callback)
        assert callback.__self__ is task
        assert repr(future) == "<Future pending cb=[task_wakeup()]>"
        future.set_result(None)
        await task

    loop.run_until_complete(main())


def test_steps_show_on_the_ready_queue_as_handles_that_take_them(loop):
    async def main():
        task = asyncio.ensure_future(nothing())
        [handle] = [it for it in loop._ready if getattr(it._callback, "__self__", None) is task]
        assert isinstance(handle, asyncio.Handle)
        assert sys.version_info < (3, 12) or handle.get_context() is task.get_context()
        await task

    loop.run_until_complete(main())


def test_nobody_is_the_current_task_between_steps(loop):
    seen = []

    async def give_way():
        await asyncio.sleep(0)
        loop.call_soon(lambda: seen.append(asyncio.current_task(loop)))
        await asyncio.sleep(0)
        assert asyncio.current_task() is not None

    async def main():
        await asyncio.gather(give_way(), give_way())

    loop.run_until_complete(main())
    assert seen == [None, None]
    assert asyncio.current_task(loop) is None


def test_nobody_is_the_current_task_when_one_goes(loop):
    seen = []

    class Witness:
        def __del__(self):
            seen.append(asyncio.current_task(loop))

    async def main():
        task = asyncio.ensure_future(nothing())
        task.witness = Witness()
        del task
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert seen == [None]


def test_all_tasks_has_each_that_is_not_done(loop):
    async def main():
        pending = [asyncio.ensure_future(asyncio.sleep(3600)) for _ in range(100)]
        done = asyncio.ensure_future(nothing())
        await done
        assert asyncio.all_tasks() == {*pending, asyncio.current_task()}
        del pending[50:]
        gc.collect()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert asyncio.all_tasks(loop) == set()


def test_a_cycle_of_a_task_its_future_and_callbacks_is_collected(loop):
    class Marker:
        pass

    async def wait(future, marker):
        await future

    async def main():
        future, marker = loop.create_future(), Marker()
        task = asyncio.ensure_future(wait(future, marker))
        task._log_destroy_pending = False
        future.task = task
        future.add_done_callback(lambda _: marker)
        await asyncio.sleep(0)
        return weakref.ref(marker), weakref.ref(task), weakref.ref(future)

    references = loop.run_until_complete(main())
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]


@pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps])
def test_they_can_be_copied_no_more_than_asyncios(loop, act):
    theirs = asyncio.futures._CFuture(loop=loop)
    with pytest.raises(Exception) as expected:
        act(theirs)
    with pytest.raises(type(expected.value)):
        act(loop.create_future())


def test_awaiting_a_future_of_another_loop_is_an_error_as_in_asyncio(loop):
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        for other in [runner.get_loop().create_future(), _groundup.Future(loop=runner.get_loop())]:

            async def main(other=other):
                await other

            with pytest.raises(RuntimeError, match="attached to a different loop"):
                loop.run_until_complete(main())


def test_a_class_put_in_the_place_of_asyncios_task_is_what_the_loop_makes(loop, monkeypatch):
    monkeypatch.setattr(asyncio.tasks, "Task", asyncio.tasks._PyTask)

    async def main():
        assert type(asyncio.ensure_future(nothing())) is asyncio.tasks._PyTask
        await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_a_call_soon_put_in_the_place_of_the_loops_hears_of_each_step(loop):
    heard = []
    original = loop.call_soon

    def call_soon(callback, *args, context=None):
        heard.append(callback)
        return original(callback, *args, context=context)

    async def main():
        loop.call_soon = call_soon
        task = asyncio.ensure_future(asyncio.sleep(0, "done"))
        assert await task == "done"
        assert [getattr(callback, "__self__", None) for callback in heard].count(task) == 2
        del loop.call_soon

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")
def test_an_eager_task_has_run_when_it_is_made(loop):
    async def main():
        outer = asyncio.current_task()
        loop.set_task_factory(asyncio.eager_task_factory)

        async def tell():
            assert asyncio.current_task() is not outer
            return asyncio.current_task().get_name()

        task = asyncio.create_task(tell(), name="eager")
        assert type(task) is _groundup.Task
        assert task.done()
        assert asyncio.current_task() is outer
        assert task.get_name() == "eager"

    loop.run_until_complete(main())


def test_debug_mode_switched_on_meanwhile_hears_of_the_steps(loop, caplog):
    async def slow():
        await asyncio.sleep(0)
        loop.slow_callback_duration = 0
        await asyncio.sleep(0)

    async def main():
        task = asyncio.ensure_future(slow())
        loop.set_debug(True)
        await task

    loop.run_until_complete(main())
    assert "Executing <Task" in caplog.text


def test_keywords_of_create_task_are_taken_and_refused_as_by_the_class(loop):
    context = contextvars.copy_context()

    async def main():
        task = loop.create_task(nothing(), name="called", context=context)
        assert task.get_name() == "called"
        assert sys.version_info < (3, 12) or task.get_context() is context
        await task
        coroutine = nothing()
        for keywords in ({"no_such_keyword": 1}, {"context": 1}):
            with pytest.raises(TypeError):
                await loop.create_task(coroutine, **keywords)
        coroutine.close()

    loop.run_until_complete(main())


@pytest.mark.parametrize("name", ["cancelled", "done", "exception", "get_loop", "result"])
def test_methods_are_the_classes_own_which_the_interpreter_calls_quickly(loop, name):
    async def nothing():
        pass

    for future in [loop.create_future(), loop.create_task(nothing())]:
        assert getattr(type(future), name).__objclass__ is type(future)
    loop.run_until_complete(future)
