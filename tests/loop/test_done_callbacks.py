"""The callbacks of futures: in which context they are called, and what is shown of that."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref

import pytest

import groundup
from comparison import turn

variable = contextvars.ContextVar("variable", default="unset")


def set_in(context, value):
    context.run(variable.set, value)
    return context


def test_a_callback_sees_the_variables_of_where_it_was_added(same):
    def body(loop):
        seen = []

        def add(value, *context):
            variable.set(value)
            keywords = dict(zip(["context"], context, strict=False))
            future.add_done_callback(lambda _: seen.append((value, variable.get())), **keywords)

        future = loop.create_future()
        contextvars.Context().run(add, "first")
        contextvars.Context().run(add, "second")
        contextvars.Context().run(add, "third", set_in(contextvars.Context(), "given"))
        contextvars.Context().run(future.set_result, None)
        turn(loop)
        contextvars.Context().run(add, "of one that is done")
        contextvars.Context().run(add, "given again", set_in(contextvars.Context(), "given"))
        turn(loop)
        return seen

    same(body)


def test_what_a_callback_sets_is_seen_by_nobody_else(same):
    def body(loop):
        seen = []

        def callback(future):
            seen.append(variable.get())
            variable.set("inside")
            tokens.append(variable.set("kept"))

        tokens: list[contextvars.Token] = []
        futures = [loop.create_future() for _ in range(3)]
        for future in futures:
            future.add_done_callback(callback)
            future.set_result(None)
        turn(loop)
        return seen, variable.get(), [token.old_value for token in tokens]

    contextvars.copy_context().run(same, body)


def test_a_future_shows_its_callbacks_with_their_contexts(loop):
    future = loop.create_future()
    variable.set("when added")
    future.add_done_callback(print)
    ((callback, context),) = future._callbacks
    assert callback is print
    assert isinstance(context, contextvars.Context)
    assert context[variable] == "when added"
    assert future._callbacks[0][1] is context


def test_a_callback_runs_in_the_context_that_was_shown(loop):
    future, seen = loop.create_future(), []
    future.add_done_callback(lambda _: (seen.append(variable.get()), variable.set("inside")))
    context = set_in(future._callbacks[0][1], "shown")
    future.set_result(None)
    turn(loop)
    assert (seen, context[variable]) == (["shown"], "inside")


def test_a_loop_with_a_call_soon_of_its_own_is_given_a_context():
    contexts = []

    class Loop(groundup.EventLoop):
        def call_soon(self, callback, *args, context=None):
            contexts.append(context)
            return super().call_soon(callback, *args, context=context)

    loop = Loop()
    future, seen = loop.create_future(), []
    variable.set("when added")
    future.add_done_callback(lambda _: seen.append(variable.get()))
    future.set_result(None)
    turn(loop)
    loop.close()
    assert seen == ["when added"]
    assert any(isinstance(context, contextvars.Context) for context in contexts)


def test_callbacks_that_were_added_before_debugging_are_called(loop):
    future, seen = loop.create_future(), []
    variable.set("when added")
    future.add_done_callback(lambda _: seen.append(variable.get()))
    loop.set_debug(True)
    future.set_result(None)
    turn(loop)
    assert seen == ["when added"]


def test_callbacks_of_a_task_that_began_while_debugging_are_called(loop):
    async def body():
        await asyncio.sleep(0)

    async def main():
        loop.set_debug(True)
        task = loop.create_task(body())
        loop.set_debug(False)
        variable.set("when added")
        task.add_done_callback(lambda _: seen.append(variable.get()))
        await task

    seen: list[str] = []
    loop.run_until_complete(main())
    turn(loop)
    assert seen == ["when added"]


def test_a_callback_that_is_removed_is_not_called(same):
    def body(loop):
        seen = []
        first, second = (lambda _, name=name: seen.append(name) for name in ("first", "second"))
        future = loop.create_future()
        future.add_done_callback(first)
        removed = [future.remove_done_callback(first)]
        future.add_done_callback(second)
        future.add_done_callback(first)
        removed += [future.remove_done_callback(second), future.remove_done_callback(second)]
        future.set_result(None)
        turn(loop)
        return seen, removed

    same(body)


@pytest.mark.parametrize(
    ("args", "keywords"),
    [
        ((), {}),
        ((print, print), {}),
        ((print,), {"other": 1}),
        ((print,), {"context": None, "other": 1}),
        ((), {"fn": print}),
    ],
)
def test_wrong_arguments_raise_what_asyncio_raises(loop, args, keywords):
    def error_of(future):
        with pytest.raises(TypeError) as error:
            future.add_done_callback(*args, **keywords)
        return str(error.value)

    assert error_of(loop.create_future()) == error_of(asyncio.Future(loop=loop))


def test_no_context_for_a_callback_means_a_copy(same):
    def body(loop):
        seen = []
        futures = [loop.create_future() for _ in range(2)]
        futures[0].set_result(None)
        for future in futures:
            future.add_done_callback(lambda _: seen.append(variable.get()), context=None)
        futures[1].set_result(None)
        turn(loop)
        return seen

    same(body)


def test_what_a_waiting_callback_sees_is_collected_with_it(loop):
    class Value:
        pass

    def add():
        value = Value()
        value.future = loop.create_future()
        variable.set(value)
        value.future.add_done_callback(print)
        return weakref.ref(value)

    gone = contextvars.Context().run(add)
    gc.collect()
    assert gone() is None
