"""Generator-based coroutines are scheduled like others, on asyncio's loop and on ours."""

import asyncio
import contextvars
import io
import sys

import pytest

import groundup
from groundup import coroutine

pytestmark = pytest.mark.parametrize(
    "run", [asyncio.run, groundup.run], ids=["asyncio", "groundup"]
)


@coroutine
def wait_and_add(x, y):
    yield from asyncio.sleep(0)
    yield
    return x + y


def test_one_can_be_the_main_program(run):
    assert run(wait_and_add(1, 2)) == 3


def test_one_can_be_the_main_program_in_debug_mode(run):
    assert run(wait_and_add(1, 2), debug=True) == 3


def test_one_can_be_awaited_from_an_async_function(run):
    async def main():
        return await wait_and_add(1, 2)

    assert run(main()) == 3


@pytest.mark.parametrize("schedule", ["create_task", "ensure_future", "Task", "loop", "TaskGroup"])
def test_one_can_be_scheduled(run, schedule):
    async def main():
        made = wait_and_add(1, 2)
        if schedule == "create_task":
            task = asyncio.create_task(made)
        elif schedule == "ensure_future":
            task = asyncio.ensure_future(made)
        elif schedule == "Task":
            task = asyncio.Task(made)
        elif schedule == "loop":
            task = asyncio.get_running_loop().create_task(made)
        else:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(made)
        assert task.get_coro() is made
        return await task

    assert run(main()) == 3


def test_many_can_be_gathered(run):
    async def main():
        return await asyncio.gather(*(wait_and_add(n, n) for n in range(100)))

    assert run(main()) == [2 * n for n in range(100)]


def test_a_bare_yield_lets_others_run(run):
    seen = []

    @coroutine
    def take_turns(name):
        for _ in range(3):
            seen.append(name)
            yield

    async def main():
        await asyncio.gather(take_turns("a"), take_turns("b"))

    run(main())
    assert seen == ["a", "b"] * 3


def test_it_can_wait_for_futures_and_streams_of_coroutines(run):
    @coroutine
    def relay(future):
        value = yield from future
        first, second = yield from asyncio.gather(wait_and_add(value, 1), asyncio.sleep(0, "b"))
        return first, second

    async def main():
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(relay(future))
        asyncio.get_running_loop().call_soon(future.set_result, 4)
        return await task

    assert run(main()) == (5, "b")


def test_a_function_may_return_what_is_awaited(run):
    @coroutine
    def choose(x):
        return wait_and_add(x, x) if x else "nothing to wait for"

    assert run(choose(2)) == 4
    assert run(choose(0)) == "nothing to wait for"


def test_an_exception_comes_out_of_the_task_with_its_traceback(run):
    @coroutine
    def fail():
        yield from asyncio.sleep(0)
        raise LookupError("raised")

    async def main():
        await asyncio.create_task(fail())

    with pytest.raises(LookupError, match="raised") as raised:
        run(main())
    assert raised.traceback[-1].name == "fail"


def test_cancelling_reaches_the_yield_it_waits_at(run):
    seen = []

    @coroutine
    def patient():
        try:
            yield from asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            yield from asyncio.sleep(0)
            seen.append("cleaned up")
            raise

    async def main():
        task = asyncio.create_task(patient())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    run(main())
    assert seen == ["cancelled", "cleaned up"]


def test_a_time_limit_ends_it(run):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(coroutine(asyncio.sleep)(3600), 0.001)

    run(main())


def test_context_variables_are_the_tasks_own(run):
    name = contextvars.ContextVar("name", default="outside")

    @coroutine
    def change():
        name.set("inside")
        yield
        return name.get()

    async def main():
        assert await asyncio.create_task(change()) == "inside"
        assert name.get() == "outside"

    run(main())


def test_a_task_shows_where_it_stands(run):
    async def main():
        task = asyncio.create_task(wait_and_add(1, 2), name="adding")
        await asyncio.sleep(0)
        line = wait_and_add.__wrapped__.__code__.co_firstlineno + 2
        assert f"name='adding' coro=<wait_and_add() running at {__file__}:{line}>" in repr(task)
        (frame,) = task.get_stack()
        assert (frame.f_code.co_name, frame.f_lineno) == ("wait_and_add", line)
        printed = io.StringIO()
        task.print_stack(file=printed)
        assert f"line {line}, in wait_and_add" in printed.getvalue()
        await task
        assert f"coro=<wait_and_add() done, defined at {__file__}:{line - 2}>" in repr(task)

    run(main())


def test_a_running_task_shows_that_it_runs(run):
    @coroutine
    def look():
        yield
        seen.append(repr(asyncio.current_task()))

    seen = []
    run(look())
    assert "coro=<test_a_running_task_shows_that_it_runs.<locals>.look() running at " in seen[0]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="call graphs came with 3.14")
def test_a_call_graph_goes_through_it(run):
    @coroutine
    def middle(future):
        yield from inner(future)

    async def inner(future):
        await future

    async def outer(future):
        await middle(future)

    async def main():
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(outer(future))
        await asyncio.sleep(0)
        names = [
            entry.frame.f_code.co_name for entry in asyncio.capture_call_graph(task).call_stack
        ]
        future.set_result(None)
        await task
        return names

    assert run(main()) == ["inner", "middle", "outer"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_an_eager_task_runs_it_at_once(run):
    seen = []

    @coroutine
    def start():
        seen.append("started")
        yield
        seen.append("went on")

    async def main():
        task = asyncio.eager_task_factory(asyncio.get_running_loop(), start())
        assert seen == ["started"]
        await task

    run(main())
    assert seen == ["started", "went on"]
