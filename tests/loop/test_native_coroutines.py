"""The loop's own coroutines are written in Rust and behave like any other coroutine."""

import asyncio
import collections.abc
import gc
import inspect
import sys
import weakref

import pytest

from comparison import outcome


class Lookup:
    """Has the loop await something of the test's own, inside one of its coroutines."""

    def __init__(self, loop, awaitable):
        self.coroutine = loop.getaddrinfo("host", 80)
        loop.run_in_executor = lambda *args: awaitable


class Steps:
    """An awaitable that yields, and says what comes back."""

    def __init__(self, *steps):
        self.steps = steps
        self.seen = []

    def __await__(self):
        for step in self.steps:
            try:
                self.seen.append((yield step))
            except Exception as error:
                self.seen.append(repr(error))
        return "result"


def test_it_is_a_coroutine(loop):
    coroutine = loop.getaddrinfo("host", 80)
    assert isinstance(coroutine, collections.abc.Coroutine)
    assert asyncio.iscoroutine(coroutine)
    assert inspect.isawaitable(coroutine)
    assert coroutine.__name__ == "getaddrinfo"
    assert coroutine.__qualname__ == "EventLoop.getaddrinfo"
    assert repr(coroutine).startswith("<coroutine object EventLoop.getaddrinfo at 0x")
    assert not coroutine.cr_running
    assert weakref.ref(coroutine)() is coroutine
    coroutine.close()


def test_it_yields_and_returns_what_it_awaits_does(loop):
    steps = Steps(1, 2)
    coroutine = Lookup(loop, steps).coroutine
    assert coroutine.send(None) == 1
    assert coroutine.send("a") == 2
    assert outcome(coroutine.send, "b") == ("StopIteration", "result")
    assert steps.seen == ["a", "b"]


def test_a_result_may_be_any_object(loop):
    for result in (None, (), (1, 2), StopIteration(5), ValueError("v")):

        class Returns:
            def __init__(self, result):
                self.result = result

            def __await__(self):
                return self.result
                yield

        coroutine = Lookup(loop, Returns(result)).coroutine
        with pytest.raises(StopIteration) as caught:
            coroutine.send(None)
        assert caught.value.value is result


def test_what_is_thrown_in_reaches_what_it_awaits(loop):
    steps = Steps(1, 2)
    coroutine = Lookup(loop, steps).coroutine
    coroutine.send(None)
    assert coroutine.throw(ValueError("v")) == 2
    assert outcome(coroutine.throw, KeyboardInterrupt()) == ("KeyboardInterrupt", "")
    assert steps.seen == ["ValueError('v')"]
    assert outcome(coroutine.send, None) == (
        "RuntimeError", "cannot reuse already awaited coroutine",
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*signature of throw:DeprecationWarning")
def test_throwing_takes_the_old_forms_too(loop):
    for arguments in ((ValueError,), (ValueError, "v"), (ValueError, ValueError("v"), None)):
        steps = Steps(1, 2)
        coroutine = Lookup(loop, steps).coroutine
        coroutine.send(None)
        coroutine.throw(*arguments)
        assert steps.seen[0].startswith("ValueError(")
        coroutine.close()
    coroutine = Lookup(loop, Steps(1)).coroutine
    coroutine.send(None)
    for arguments in ((5,), ("text",), (ValueError("v"), 5), (int,)):
        assert outcome(coroutine.throw, *arguments)[0] == "TypeError"
    coroutine.close()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="deprecated in Python 3.12")
def test_the_old_forms_of_throwing_are_deprecated(loop):
    coroutine = Lookup(loop, Steps(1)).coroutine
    with pytest.warns(DeprecationWarning, match="single-arg signature"):
        assert outcome(coroutine.throw, ValueError, "v") == ("ValueError", "v")


def test_before_its_first_step_nothing_can_be_sent(loop):
    coroutine = loop.getaddrinfo("host", 80)
    text = "can't send non-None value to a just-started coroutine"
    assert outcome(coroutine.send, 5) == ("TypeError", text)
    coroutine.close()


def test_thrown_into_before_its_first_step_it_never_starts(loop):
    coroutine = Lookup(loop, Steps(1)).coroutine
    assert outcome(coroutine.throw, ValueError("v")) == ("ValueError", "v")
    assert outcome(coroutine.send, None)[0] == "RuntimeError"


def test_closing(loop):
    steps = Steps(1)
    coroutine = Lookup(loop, steps).coroutine
    coroutine.send(None)
    assert coroutine.close() is None
    assert coroutine.close() is None
    assert outcome(coroutine.send, None)[0] == "RuntimeError"

    class Stubborn:
        def __await__(self):
            while True:
                try:
                    yield 1
                except GeneratorExit:
                    if not gives_up:
                        continue
                    return

    gives_up = []
    coroutine = Lookup(loop, Stubborn()).coroutine
    coroutine.send(None)
    assert outcome(coroutine.close) == ("RuntimeError", "coroutine ignored GeneratorExit")
    gives_up.append(True)
    coroutine.close()


def test_it_cannot_be_resumed_while_it_runs(loop):
    class Inside:
        def __await__(self):
            errors.extend([outcome(coroutine.send, None), outcome(coroutine.close)])
            errors.append(coroutine.cr_running)
            return None
            yield

    errors = []
    coroutine = Lookup(loop, Inside()).coroutine
    outcome(coroutine.send, None)
    assert errors == [("ValueError", "coroutine already executing")] * 2 + [True]


def test_a_stop_iteration_does_not_pass_for_a_result(loop):
    class Stops:
        def __await__(self):
            return self

        def __iter__(self):
            return self

        def __next__(self):
            return 1

        def throw(self, *args):
            raise KeyError

    def fail(*args):
        raise StopIteration(5)

    coroutine = loop.getaddrinfo("host", 80)
    loop.run_in_executor = fail
    with pytest.raises(RuntimeError, match="coroutine raised StopIteration") as caught:
        coroutine.send(None)
    assert isinstance(caught.value.__cause__, StopIteration)
    coroutine = Lookup(loop, Stops()).coroutine
    assert coroutine.send(None) == 1
    assert outcome(coroutine.throw, ValueError)[0] == "KeyError"


def test_it_can_be_awaited_gathered_and_made_a_task(loop):
    async def main():
        host = ("127.0.0.1", 80)
        alone = await loop.getaddrinfo(*host)
        task = asyncio.create_task(loop.getaddrinfo(*host))
        both = await asyncio.gather(loop.getaddrinfo(*host), task)
        limited = await asyncio.wait_for(loop.getaddrinfo(*host), 30)
        return [alone, *both, limited]

    answers = loop.run_until_complete(main())
    assert all(answer == answers[0] for answer in answers)


def test_awaiting_it_twice_is_refused(loop):
    async def main():
        coroutine = loop.shutdown_asyncgens()
        await coroutine
        await coroutine

    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        loop.run_until_complete(main())


def test_what_cannot_be_awaited_is_refused_inside(loop):
    coroutine = Lookup(loop, 5).coroutine
    assert outcome(coroutine.send, None) == ("TypeError", "int object can't be awaited")


def test_one_that_is_never_awaited_is_warned_of(loop):
    text = r"coroutine 'EventLoop\.getaddrinfo' was never awaited"
    with pytest.warns(RuntimeWarning, match=text):
        loop.getaddrinfo("host", 80)


def test_one_that_is_dropped_midway_lets_go_of_what_it_awaits(loop):
    class Held(Steps):
        pass

    held = Held(1)
    reference = weakref.ref(held)
    coroutine = Lookup(loop, held).coroutine
    coroutine.send(None)
    del held, loop.run_in_executor
    assert reference() is not None
    del coroutine
    gc.collect()
    assert reference() is None


def test_references_are_not_leaked(loop):
    async def main():
        for _ in range(100):
            await loop.getaddrinfo("127.0.0.1", 80)

    loop.run_until_complete(main())
    gc.collect()
    before = sys.getrefcount(loop)
    loop.run_until_complete(main())
    gc.collect()
    assert sys.getrefcount(loop) <= before + 1
