"""What is raised in a task that waits for what fails or is cancelled."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from comparison import outcome


def told(error):
    """What an exception tells."""
    context = type(error.__context__).__name__ if error.__context__ else None
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return type(error).__name__, error.args, context, frames


async def caught(awaitable):
    try:
        await awaitable
    except BaseException as error:
        return error


@pytest.mark.parametrize(
    "arguments",
    [((), {}), (("why",), {}), ((), {"msg": "why"}), ((None,), {}), ((), {"msg": 7})],
    ids=str,
)
@pytest.mark.parametrize("kind", ["future", "task", "task that has not begun"])
def test_cancelling_is_told_with_its_message(same, kind, arguments):
    args, keywords = arguments

    async def body(loop):
        future = loop.create_future()
        if kind != "future":
            future = loop.create_task(caught_again(future))
        if kind == "task":
            await asyncio.sleep(0)
        waits = loop.create_task(caught(future))
        await asyncio.sleep(0)
        answers = [future.cancel(*args, **keywords), future.cancelled()]
        error = await waits
        answers += [future.cancel(), future.cancelled(), getattr(future, "cancelling", int)()]
        return answers, told(error), future._cancel_message

    async def caught_again(future):
        try:
            await future
        except asyncio.CancelledError as error:
            error.seen = True
            raise

    same(body)


@pytest.mark.parametrize("arguments", [((1, 2), {}), ((), {"message": 1}), ((1,), {"msg": 2})])
@pytest.mark.parametrize("kind", ["future", "task"])
def test_cancelling_with_other_arguments_is_refused(same, kind, arguments):
    args, keywords = arguments

    async def body(loop):
        future = loop.create_future()
        it = future if kind == "future" else loop.create_task(caught(future))
        refused, _ = outcome(it.cancel, *args, **keywords)
        future.cancel()
        if kind == "task":
            await it
        return refused, future.done()

    same(body)


def test_a_task_that_is_cancelled_twice_before_it_goes_on_is_cancelled_once(same):
    async def body(loop):
        async def wait():
            errors.append(await caught(loop.create_future()))
            errors.append(await caught(asyncio.sleep(0)))

        errors: list[BaseException | None] = []
        task = loop.create_task(wait())
        await asyncio.sleep(0)
        task.cancel("first")
        task.cancel("second")
        await task
        return [error and told(error) for error in errors], getattr(task, "cancelling", int)()

    same(body)


def test_a_future_that_refuses_to_be_cancelled_leaves_it_to_the_task(same):
    class Stubborn(asyncio.Future):
        def cancel(self, msg=None):
            return False

    async def body(loop):
        future = Stubborn(loop=loop)
        task = loop.create_task(caught(future))
        await asyncio.sleep(0)
        cancelled = task.cancel("why")
        future.set_result(None)
        return cancelled, told(await task)

    same(body)


@pytest.mark.parametrize("fail", ["cancel", "set_exception"])
def test_what_is_handled_where_the_loop_is_run_shows_as_it_does_in_asyncio(same, fail):
    def body(loop):
        async def main():
            future = loop.create_future()
            task = loop.create_task(caught(future))
            await asyncio.sleep(0)
            future.cancel("why") if fail == "cancel" else future.set_exception(KeyError("why"))
            return told(await task)

        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            return loop.run_until_complete(main())

    same(body)


def test_an_exception_that_several_tasks_wait_for_has_the_traceback_that_it_was_set_with(same):
    async def body(loop):
        def fail():
            raise KeyError("why")

        future = loop.create_future()
        tasks = [loop.create_task(caught(future)) for _ in range(3)]
        await asyncio.sleep(0)
        try:
            fail()
        except KeyError as error:
            future.set_exception(error)
        lengths = []
        for task in tasks:
            error = await task
            lengths.append(len(told(error)[3]))
        return lengths, told(future.exception()), future._log_traceback

    same(body)


def test_the_error_that_a_task_was_cancelled_with_is_the_one_that_is_told(same):
    async def body(loop):
        async def wait():
            try:
                await loop.create_future()
            except asyncio.CancelledError as error:
                errors.append(error)
                raise

        errors: list[BaseException] = []
        task = loop.create_task(wait())
        await asyncio.sleep(0)
        task.cancel("why")
        first = await caught(task)
        second = await caught(task)
        return first is errors[0], second is errors[0], told(first), second.args

    same(body)


def test_a_subclass_is_asked_for_what_it_raises(same):
    class Cancelled(asyncio.Future):
        def _make_cancelled_error(self):
            return asyncio.CancelledError("of its own")

    async def body(loop):
        future = Cancelled(loop=loop)
        task = loop.create_task(caught(future))
        await asyncio.sleep(0)
        future.cancel()
        return told(await task)

    same(body)


def test_a_future_without_a_loop_cannot_be_cancelled(loop):
    kind = type(loop.create_future())
    future = kind.__new__(kind)
    with pytest.raises(RuntimeError):
        future.cancel()
