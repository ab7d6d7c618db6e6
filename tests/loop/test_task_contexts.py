"""The contexts of tasks: what is seen of them, though they are made only when somebody asks."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref

import pytest

import groundup
from comparison import turn

variable = contextvars.ContextVar("variable", default="unset")

since_3_12 = pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")


def contexts():
    """How many there are."""
    return sum(type(it) is contextvars.Context for it in gc.get_objects())


def test_variables_are_kept_from_step_to_step_by_each_task_for_itself(same):
    async def body(loop):
        async def use(name):
            seen = [variable.get()]
            for step in range(3):
                variable.set(f"{name}{step}")
                await asyncio.sleep(0)
                seen.append(variable.get())
            return seen

        variable.set("outside")
        seen = await asyncio.gather(use("a"), use("b"), use("c"))
        return seen, variable.get()

    same(body)


def test_a_variable_may_be_reset_in_a_later_step(same):
    async def body(loop):
        async def use():
            token = variable.set("inside")
            await asyncio.sleep(0)
            before = variable.get()
            variable.reset(token)
            await asyncio.sleep(0)
            return before, variable.get()

        return await asyncio.gather(use(), use())

    same(body)


def test_a_token_of_one_task_is_no_token_of_another(same):
    async def body(loop):
        async def take():
            tokens.append(variable.set("taken"))

        async def reset():
            try:
                variable.reset(tokens[0])
            except ValueError:
                return "refused"

        tokens: list[contextvars.Token] = []
        await asyncio.create_task(take())
        return await asyncio.create_task(reset())

    same(body)


@since_3_12
def test_a_context_that_is_asked_for_is_the_one_that_all_steps_are_taken_in(same):
    async def body(loop):
        async def use():
            before = variable.get()
            variable.set("by the task")
            await asyncio.sleep(0)
            return before, variable.get()

        def ask(task):
            context = task.get_context()
            context.run(variable.set, "from outside")
            return context

        task = asyncio.create_task(use())
        context = ask(task)
        seen = await task
        return seen, context[variable], task.get_context() is context

    same(body)


@since_3_12
def test_a_task_asks_for_its_own_context(same):
    async def body(loop):
        async def use():
            task = asyncio.current_task()
            context = task.get_context()
            variable.set("inside")
            seen = [context[variable]]
            await asyncio.sleep(0)
            seen.append(task.get_context() is context)
            try:
                context.run(print)
            except RuntimeError:
                seen.append("entered already")
            return seen

        return await asyncio.gather(use(), use())

    same(body)


@since_3_12
def test_a_context_that_is_known_weakly_is_lent_to_no_other_task(same):
    async def body(loop):
        async def use(name):
            known = weakref.ref(asyncio.current_task().get_context())
            variable.set(name)
            await asyncio.sleep(0)
            return known()[variable], known() is asyncio.current_task().get_context()

        return await asyncio.gather(use("first"), use("second"))

    same(body)


def test_a_context_that_is_given_is_used(same):
    async def body(loop):
        async def use():
            seen = variable.get()
            variable.set("by the task")
            return seen

        context = contextvars.Context()
        context.run(variable.set, "given")
        return await loop.create_task(use(), context=context), context[variable]

    same(body)


def test_what_a_task_starts_has_its_variables(same):
    async def body(loop):
        async def inner(seen):
            seen.append(variable.get())

        async def outer(name, seen):
            variable.set(name)
            task = loop.create_task(inner(seen))
            loop.call_soon(lambda: seen.append(variable.get()))
            variable.set(f"{name} later")
            await task

        seen: list[str] = []
        await outer("first", seen)
        await asyncio.gather(outer("second", seen), outer("third", seen))
        return seen

    same(body)


@since_3_12
def test_eager_tasks_have_contexts_of_their_own(same):
    async def body(loop):
        async def inner():
            seen = variable.get()
            variable.set("inner")
            await asyncio.sleep(0)
            return seen, variable.get()

        async def outer(name):
            variable.set(name)
            tasks = [loop.create_task(inner()) for _ in range(2)]
            return variable.get(), await asyncio.gather(*tasks), variable.get()

        loop.set_task_factory(asyncio.eager_task_factory)
        return await asyncio.gather(outer("first"), outer("second"))

    same(body)


def test_what_is_waited_for_shows_the_context_of_the_task(loop):
    async def use(future):
        variable.set("of the task")
        await future

    future = loop.create_future()
    task = loop.create_task(use(future))
    turn(loop)
    ((_, context),) = future._callbacks
    assert context[variable] == "of the task"
    if sys.version_info >= (3, 12):
        assert task.get_context() is context
    future.set_result(None)
    loop.run_until_complete(task)


def test_a_call_soon_of_ones_own_is_given_the_context_of_the_task():
    class Loop(groundup.EventLoop):
        def call_soon(self, callback, *args, context=None):
            seen.append(context.get(variable) if context else None)
            return super().call_soon(callback, *args, context=context)

    async def use():
        variable.set("of the task")
        future = loop.create_future()
        super(Loop, loop).call_soon(future.set_result, None)
        seen.clear()
        await future
        return list(seen)

    seen: list[str | None] = []
    loop = Loop()
    assert loop.run_until_complete(use()) == ["of the task"]
    loop.close()


def test_a_task_that_the_function_of_the_base_wakes_goes_on_in_its_own_context(same):
    async def body(loop):
        async def use():
            variable.set("of the task")
            await future
            return variable.get()

        future = loop.create_future()
        task = loop.create_task(use())
        await asyncio.sleep(0)
        asyncio.Future.set_result(future, None)
        return await task

    same(body)


@since_3_12
def test_a_task_that_was_not_initialised_has_none(loop):
    kind = type(loop.create_task(asyncio.sleep(0)))
    assert kind.__new__(kind).get_context() is None
    turn(loop, 2)


def test_values_live_as_long_as_the_task(same):
    class Value:
        pass

    async def body(loop):
        async def use():
            value = Value()
            variable.set(value)
            seen.append(weakref.ref(value))
            del value
            await asyncio.sleep(0)

        seen: list[weakref.ref] = []
        tasks = [loop.create_task(use()) for _ in range(2)]
        await asyncio.wait(tasks)
        alive = [value() is not None for value in seen]
        tasks.clear()
        gc.collect()
        return alive, [value() for value in seen]

    same(body)


def test_a_task_in_a_cycle_through_its_variables_is_found_by_the_collector(loop):
    class Value:
        pass

    async def use():
        value = Value()
        value.task = asyncio.current_task()
        variable.set(value)
        known.append(weakref.ref(value))

    known: list[weakref.ref] = []
    loop.run_until_complete(use())
    gc.collect()
    assert known[0]() is None


def test_tasks_that_nobody_asks_for_their_contexts_have_none(loop):
    async def main():
        before = contexts()
        tasks = [loop.create_task(asyncio.sleep(0.001)) for _ in range(100)]
        await asyncio.sleep(0)
        made = contexts() - before
        await asyncio.wait(tasks)
        return made

    assert loop.run_until_complete(main()) <= 1


def test_a_task_that_fails_shows_its_variables_to_the_exception_handler(same):
    async def body(loop):
        async def fail():
            variable.set("of the task")
            raise KeyError("expected")

        def note(loop, details):
            seen.append((details["message"], variable.get()))

        seen: list[tuple[str, str]] = []
        loop.set_exception_handler(note)
        task = loop.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()
        return seen

    same(body)
