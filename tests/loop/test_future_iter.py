"""What `await` gets of a future behaves as asyncio's own, whatever is asked of it."""

from __future__ import annotations

import asyncio
import collections.abc
import gc
import itertools
import sys
import weakref

import pytest

ENDS = {
    "pending": lambda future: None,
    "None": lambda future: future.set_result(None),
    "a tuple": lambda future: future.set_result((1, 2)),
    "an exception for a result": lambda future: future.set_result(ValueError("a result")),
    "StopIteration for a result": lambda future: future.set_result(StopIteration(3)),
    "an exception": lambda future: future.set_exception(KeyError("told")),
    "cancelled": lambda future: future.cancel("told"),
}
ASKED = {
    "next": lambda iterator: next(iterator),
    "send": lambda iterator: iterator.send("ignored"),
    "throw": lambda iterator: iterator.throw(ValueError("thrown")),
    "throw a class": lambda iterator: iterator.throw(ValueError),
    "throw three": lambda iterator: iterator.throw(ValueError, "thrown", None),
    "throw nothing": lambda iterator: iterator.throw(),
    "throw what is none": lambda iterator: iterator.throw(5),
    "close": lambda iterator: iterator.close(),
}


def told(future, ask, iterator):
    try:
        answer = ask(iterator)
    except BaseException as error:
        value = getattr(error, "value", None)
        # Words about a wrong call are the interpreter's; StopIteration(None) may have no arguments.
        is_told_otherwise = isinstance(error, (TypeError, StopIteration))
        words = () if is_told_otherwise else tuple(map(repr, error.args))
        return type(error), words, repr(value)
    return "the future" if answer is future else (answer,)


def story(future, settle, questions):
    """What each question is answered until the iterator ends; the first settles the future.

    What an iterator that has ended is asked crashes some versions of Python with asyncio's own.
    """
    make_iterator = iter if questions[0] == "send" else lambda future: future.__await__()
    iterator = make_iterator(future)
    answers = []
    for question in questions:
        answers.append(told(future, ASKED[question], iterator))
        if answers[-1] != "the future" and answers[-1][0] not in (TypeError, RuntimeError):
            break
        if not future.done():
            settle(future)
    return answers, future._asyncio_future_blocking, future._log_traceback


@pytest.mark.filterwarnings("ignore:.*signature of throw:DeprecationWarning")
@pytest.mark.parametrize("end", ENDS)
def test_an_iterator_answers_as_asyncios(loop, end):
    for questions in itertools.product(ASKED, repeat=3):
        own, theirs = loop.create_future(), asyncio.Future(loop=loop)
        found, expected = (story(future, ENDS[end], questions) for future in (own, theirs))
        for future in (own, theirs):
            future._log_traceback = False
        assert found == expected, questions


@pytest.mark.skipif(sys.version_info < (3, 12), reason="deprecated in Python 3.12")
def test_throwing_more_than_an_exception_is_deprecated(loop):
    with pytest.warns(DeprecationWarning, match="single-arg signature"):
        told(None, ASKED["throw three"], loop.create_future().__await__())


@pytest.mark.parametrize("end", ["throw", "close"])
def test_an_iterator_that_has_ended_gives_nothing(loop, end):
    iterator = loop.create_future().__await__()
    told(None, ASKED[end], iterator)
    for ask in (next, lambda iterator: iterator.send(None)):
        with pytest.raises(StopIteration) as stop:
            ask(iterator)
        assert stop.value.value is None
    assert iterator.close() is None


def test_an_iterator_is_what_await_takes(loop):
    iterator = loop.create_future().__await__()
    assert isinstance(iterator, collections.abc.Generator)
    assert iter(iterator) is iterator
    with pytest.raises(TypeError):
        type(iterator)()


def test_a_future_without_a_loop_cannot_be_awaited(loop):
    future = type(loop.create_future())
    with pytest.raises(RuntimeError, match="not initialized"):
        iter(future.__new__(future))


@pytest.mark.parametrize("result", [None, 5, (), (1,), StopIteration(1)])
def test_an_await_returns_the_result(loop, result):
    async def main():
        future = loop.create_future()
        loop.call_soon(future.set_result, result)
        return await future, await future

    assert loop.run_until_complete(main()) == (result, result)


def test_a_generator_delegates_to_a_future(loop):
    def delegate(future):
        return (yield from future)

    async def main():
        future = loop.create_future()
        loop.call_soon(future.set_result, 5)
        steps = delegate(future)
        assert steps.send(None) is future
        future._asyncio_future_blocking = False
        await future
        with pytest.raises(StopIteration) as stop:
            steps.send(None)
        return stop.value.value

    assert loop.run_until_complete(main()) == 5


def test_a_task_and_the_future_it_waits_for_are_collected(loop):
    async def wait():
        future = loop.create_future()
        waiting.append(weakref.ref(future))
        await future

    async def main():
        task = loop.create_task(wait())
        await asyncio.sleep(0)
        task._log_destroy_pending = False

    waiting = []
    loop.run_until_complete(main())
    gc.collect()
    assert waiting[0]() is None
