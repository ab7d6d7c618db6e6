"""Contexts: a callback sees the variables it was scheduled with."""

import asyncio
import contextvars
import socket
import sys

import pytest

from comparison import entry, log, outcome, turn

variable = contextvars.ContextVar("variable", default="unset")


def test_a_callback_runs_in_a_copy_of_the_context_it_was_scheduled_in(same):
    def body(loop):
        seen = []
        variable.set("before")
        loop.call_soon(lambda: (seen.append(variable.get()), variable.set("inside")))
        loop.call_soon_threadsafe(lambda: seen.append(variable.get()))
        loop.call_later(0, lambda: seen.append(variable.get()))
        loop.call_at(0, lambda: seen.append(variable.get()))
        variable.set("after")
        loop.call_soon(lambda: seen.append(variable.get()))
        turn(loop)
        return seen, variable.get()

    assert contextvars.Context().run(same, body) == (
        ["before", "before", "after", "before", "before"],
        "after",
    )


def test_each_callback_has_a_context_of_its_own_though_many_are_scheduled_in_one(same):
    def body(loop):
        seen = []

        def callback(number):
            seen.append((number, variable.get()))
            variable.set(number)
            loop.call_soon(lambda: seen.append(("then", variable.get())))
            variable.set(f"{number} again")
            loop.call_soon(lambda: seen.append(("last", variable.get())))

        def schedule():
            variable.set("scheduled")
            for number in range(3):
                loop.call_soon(callback, number)
                loop.call_later(0, callback, number + 10)
            kept.append(loop.call_soon(callback, 3))
            kept[0]._context.run(variable.set, "for one")
            variable.set("unseen")

        kept: list[asyncio.Handle] = []
        loop.call_soon(schedule)
        turn(loop, 4)
        return seen, kept[0]._context[variable], variable.get("unset")

    contextvars.copy_context().run(same, body)


def test_handles_tell_different_contexts_and_always_the_same_one(loop):
    async def main():
        handles = [loop.call_soon(int) for _ in range(3)] + [loop.call_later(60, int)]
        contexts = [handle.get_context() for handle in handles]
        assert len({id(context) for context in contexts}) == len(contexts)
        assert [handle.get_context() for handle in handles] == contexts
        await asyncio.sleep(0)
        assert all(
            handle.get_context() is context
            for handle, context in zip(handles, contexts, strict=True)
        )
        handles[-1].cancel()

    loop.run_until_complete(main())


def test_a_callback_runs_in_the_context_that_its_handle_has_told(loop):
    async def main():
        seen = []
        first, second = [
            loop.call_soon(lambda: seen.append((variable.get(), variable.set("inside"))[0]))
            for _ in range(2)
        ]
        context = second.get_context()
        context.run(variable.set, "told")
        await asyncio.sleep(0)
        assert (seen, context[variable]) == (["unset", "told"], "inside")
        assert first.get_context()[variable] == "inside"

    loop.run_until_complete(main())


def test_threads_that_send_callbacks_have_their_own_variables(loop):
    async def main():
        seen = []

        def send(name):
            variable.set(name)
            for _ in range(100):
                loop.call_soon_threadsafe(lambda: seen.append(variable.get()))

        await asyncio.gather(*(loop.run_in_executor(None, send, name) for name in range(4)))
        await asyncio.sleep(0)
        assert sorted(seen) == sorted([0, 1, 2, 3] * 100)

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", ["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def test_a_callback_runs_in_the_context_it_is_given(same, method):
    def body(loop):
        context = contextvars.Context()
        context.run(variable.set, "given")
        seen = []

        def callback(value):
            seen.append(variable.get())
            variable.set(value)

        time = (0,) if method in ("call_later", "call_at") else ()
        getattr(loop, method)(*time, callback, "changed", context=context)
        turn(loop, 2)
        return seen, context[variable]

    assert same(body) == (["given"], "changed")


def test_a_handle_tells_its_context(loop):
    context = contextvars.Context()
    assert loop.call_soon(int, context=context).get_context() is context
    assert loop.call_later(0, int, context=context).get_context() is context
    assert isinstance(loop.call_soon(int).get_context(), contextvars.Context)
    turn(loop)


def test_no_context_means_a_copy(loop):
    handle = loop.call_soon(int, context=None)
    assert isinstance(handle.get_context(), contextvars.Context)
    turn(loop)


def test_what_is_no_context_is_refused(loop):
    with pytest.raises(TypeError):
        loop.call_soon(int, context={})


def test_a_context_that_is_entered_already_is_reported(same):
    def body(loop):
        context = contextvars.copy_context()
        loop.call_soon(int, context=context)
        with log() as records:
            context.run(turn, loop)
        return [entry(record) for record in records]

    logged = same(body)
    assert logged[0].startswith("ERROR: Exception in callback int()")
    assert "cannot enter context" in logged[0]


def test_readers_and_signals_run_in_the_context_they_were_added_in(same):
    def body(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"x")
            seen = []
            variable.set("added")
            loop.add_reader(ours, lambda: (seen.append(variable.get()), loop.remove_reader(ours)))
            variable.set("later")
            turn(loop, 2)
            return seen

    assert contextvars.Context().run(same, body) == ["added"]


def test_tasks_have_a_context_of_their_own(same):
    async def body(loop):
        async def child():
            before = variable.get()
            variable.set("child")
            await asyncio.sleep(0)
            return before, variable.get()

        variable.set("parent")
        given = contextvars.Context()
        results = await asyncio.gather(
            loop.create_task(child()), loop.create_task(child(), context=given)
        )
        return results, variable.get(), given[variable]

    assert same(body) == ([("parent", "child"), ("unset", "child")], "parent", "child")


def test_the_handler_of_exceptions_runs_in_the_context_of_what_failed(loop):
    """From Python 3.12 on asyncio does so too."""
    seen = []
    loop.set_exception_handler(lambda loop, report: seen.append(variable.get()))
    context = contextvars.Context()
    context.run(variable.set, "of the handle")
    loop.call_soon(lambda: 1 / 0, context=context)
    turn(loop)
    assert seen == ["of the handle"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio calls the handler outside")
def test_the_handler_runs_where_asyncio_runs_it(same):
    def body(loop):
        seen = []
        loop.set_exception_handler(lambda loop, report: seen.append(variable.get()))
        context = contextvars.Context()
        context.run(variable.set, "given")

        class Thing:
            def get_context(self):
                return context

        class Odd:
            def get_context(self):
                return 5

        for report in (
            {"task": Thing()}, {"future": Thing()}, {"handle": Thing()}, {"handle": Odd()},
            {"future": object(), "handle": Thing()}, {"task": None, "handle": Thing()}, {},
        ):  # fmt: skip
            loop.call_exception_handler(report)
        return seen

    expected = ["given", "given", "given", "unset", "unset", "given", "unset"]
    assert contextvars.Context().run(same, body) == expected


def test_outcome_of_a_bad_context_is_a_type_error(loop):
    assert outcome(loop.call_later, 1, int, context="x")[0] == "TypeError"


def test_what_runs_a_function_as_a_context_does_is_taken_for_one(same):
    class Recorder:
        def __init__(self):
            self.ran = []

        def run(self, callback, *args):
            self.ran.append(args)
            callback(*args)

    def body(loop):
        called, recorder = [], Recorder()
        handle = loop.call_soon(called.append, 1, context=recorder)
        loop.call_later(0, called.append, 2, context=recorder)
        loop.call_later(0.001, loop.stop)
        loop.run_forever()
        return called, recorder.ran, handle._context is recorder

    assert same(body) == ([1, 2], [(1,), (2,)], True)


def test_a_context_that_runs_nothing_is_refused(loop):
    with pytest.raises(TypeError, match=r"context must be a contextvars\.Context, not int"):
        loop.call_soon(print, context=5)
