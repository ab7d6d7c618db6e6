"""Tasks: they take turns, are made by factories, and can be cancelled."""

import asyncio
import contextvars
import sys

import pytest

from comparison import outcome

from_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")


def test_tasks_take_turns(same):
    async def body(loop):
        seen = []

        async def count(name, upto):
            for number in range(upto):
                seen.append((name, number))
                await asyncio.sleep(0)
            return name

        results = await asyncio.gather(count("a", 3), count("b", 2), count("c", 1))
        return results, seen

    assert same(body) == (
        ["a", "b", "c"], [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1), ("a", 2)],
    )  # fmt: skip


def test_tasks_and_futures_are_asyncios(loop):
    async def main():
        task = loop.create_task(asyncio.sleep(0), name="named")
        future = loop.create_future()
        assert isinstance(task, asyncio.Task)
        assert isinstance(future, asyncio.Future)
        assert task.get_name() == "named"
        assert task.get_loop() is future.get_loop() is loop
        assert asyncio.all_tasks() == {task, asyncio.current_task()}
        await task

    loop.run_until_complete(main())


@pytest.mark.parametrize("thing", [5, None, print, asyncio.sleep])
def test_a_task_needs_a_coroutine(same, thing):
    def body(loop):
        return outcome(loop.create_task, thing)

    assert same(body)[0] == "TypeError"


def test_a_closed_loop_starts_no_task(same):
    async def never():
        pass

    def body(loop):
        loop.close()
        coroutine = never()
        try:
            return outcome(loop.create_task, coroutine)
        finally:
            coroutine.close()

    assert same(body) == ("RuntimeError", "Event loop is closed")


def test_an_unknown_keyword_is_refused(loop):
    coroutine = asyncio.sleep(0)
    with pytest.raises(TypeError):
        loop.create_task(coroutine, colour="red")
    with pytest.raises(TypeError):
        loop.create_task(coroutine, "name")
    coroutine.close()


def test_a_task_factory_makes_the_tasks(same):
    class Task(asyncio.Task):
        pass

    def factory(loop, coroutine, **keywords):
        return Task(coroutine, loop=loop, **keywords)

    async def body(loop):
        before = loop.get_task_factory()
        loop.set_task_factory(factory)
        now = loop.get_task_factory() is factory
        task = loop.create_task(asyncio.sleep(0, 5))
        named = asyncio.create_task(asyncio.sleep(0), name="named")
        context = contextvars.Context()
        in_context = loop.create_task(asyncio.sleep(0), context=context)
        results = [type(task), type(named), named.get_name(), type(in_context)]
        await asyncio.gather(task, named, in_context)
        loop.set_task_factory(None)
        return before, now, results, await task, loop.get_task_factory()

    assert same(body)[:2] == (None, True)


def test_a_task_factory_is_given_what_it_is_in_the_running_version(same):
    async def body(loop):
        given = []

        def factory(*args, **keywords):
            given.append((len(args), keywords))
            return asyncio.Task(args[1], loop=args[0])

        loop.set_task_factory(factory)
        tasks = [
            loop.create_task(asyncio.sleep(0)),
            loop.create_task(asyncio.sleep(0), name="n"),
            loop.create_task(asyncio.sleep(0), context=None),
        ]
        await asyncio.gather(*tasks)
        loop.set_task_factory(None)
        return [(count, sorted(keywords)) for count, keywords in given]

    assert len(same(body)) == 3


def test_a_task_that_is_given_no_name_gets_one(loop):
    """With a factory as well, where some versions of asyncio name it 'None'."""

    async def main():
        for factory in (None, lambda loop, coroutine, **_: asyncio.Task(coroutine, loop=loop)):
            loop.set_task_factory(factory)
            for keywords in ({}, {"name": None}):
                task = loop.create_task(asyncio.sleep(0), **keywords)
                assert task.get_name().startswith("Task-")
                await task

    loop.run_until_complete(main())


@pytest.mark.parametrize("factory", [5, "factory"])
def test_a_task_factory_must_be_callable(same, factory):
    def body(loop):
        return outcome(loop.set_task_factory, factory)

    assert same(body) == ("TypeError", "task factory must be a callable or None")


@from_312
def test_eager_tasks_start_at_once(same):
    async def body(loop):
        seen = []

        async def child(name, value):
            seen.append(name)
            if value:
                await asyncio.sleep(0)
            seen.append((name, "end"))
            return value

        loop.set_task_factory(asyncio.eager_task_factory)
        done, waiting = loop.create_task(child("a", 0)), loop.create_task(child("b", 1))
        seen.append((done.done(), waiting.done()))
        result = await asyncio.gather(done, waiting)
        return seen, result

    assert same(body) == (["a", ("a", "end"), "b", (True, False), ("b", "end")], [0, 1])


@pytest.mark.skipif(sys.version_info < (3, 14), reason="new in Python 3.14")
def test_a_single_task_may_start_at_once(same):
    async def body(loop):
        seen = []

        async def child():
            seen.append("child")

        await loop.create_task(child(), eager_start=True)
        task = loop.create_task(child(), eager_start=False, name="n")
        seen.append("parent")
        await task
        return seen

    assert same(body) == ["child", "parent", "child"]


def test_cancelling(same):
    async def body(loop):
        seen = []

        async def child():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError as error:
                seen.append(error.args)
                raise
            finally:
                seen.append("finally")

        task = asyncio.create_task(child())
        await asyncio.sleep(0)
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError):
            await task
        return seen, task.cancelled()

    assert same(body) == ([("why",), "finally"], True)


def test_an_exception_keeps_its_traceback_and_its_notes(same):
    async def body(loop):
        async def deep():
            error = ValueError("deep")
            error.add_note("a note")
            raise error

        try:
            await asyncio.create_task(deep())
        except ValueError as error:
            names, traceback = [], error.__traceback__
            while traceback:
                names.append(traceback.tb_frame.f_code.co_name)
                traceback = traceback.tb_next
            return names, error.__notes__
        raise AssertionError

    assert same(body) == (["body", "deep"], ["a note"])


def test_a_task_can_be_described(loop):
    async def main():
        task = asyncio.create_task(loop.getaddrinfo("127.0.0.1", 80), name="look")
        text = repr(task)
        stack = task.get_stack()
        task.print_stack(file=sys.stderr)
        await task
        return text, stack

    text, stack = loop.run_until_complete(main())
    assert text.startswith("<Task pending name='look' coro=<EventLoop.getaddrinfo")
    assert stack == []
