"""What a coroutine function's calls give behaves as the coroutine of an async function does."""

import asyncio
import collections.abc
import gc
import inspect
import subprocess
import sys
import textwrap
import threading
import warnings
import weakref

import pytest

from groundup import coroutine


@coroutine
def echo(first):
    """Yields what it is sent, until it is sent None."""
    sent = first
    try:
        while True:
            sent = yield sent
            if sent is None:
                return first
    except LookupError as error:
        yield error
        return "caught"


@coroutine
def later(value):
    """Not a generator: returns an awaitable when it is called."""
    return echo(value)


each_kind = pytest.mark.parametrize("function", [echo, later])


@each_kind
class TestDriven:
    def test_by_send(self, function):
        made = function(1)
        assert made.send(None) == 1
        assert made.send(2) == 2
        with pytest.raises(StopIteration) as returned:
            made.send(None)
        assert returned.value.value == 1

    @pytest.mark.parametrize("result", [None, 5, (), (1, 2), ValueError("a value")])
    def test_to_any_result(self, function, result):
        made = function(result)
        made.send(None)
        with pytest.raises(StopIteration) as returned:
            made.send(None)
        assert returned.value.value is result

    def test_by_next(self, function):
        made = function(1)
        assert iter(made) is made
        assert list(made) == [1]

    def test_by_throw(self, function):
        made = function(1)
        made.send(None)
        error = LookupError("thrown")
        assert made.throw(error) is error
        with pytest.raises(StopIteration) as returned:
            made.send(None)
        assert returned.value.value == "caught"

    @pytest.mark.filterwarnings("ignore:.*signature of throw:DeprecationWarning")
    @pytest.mark.parametrize(
        "arguments", [(LookupError,), (LookupError, "message"), (LookupError, None, None)]
    )
    def test_by_throw_of_a_type(self, function, arguments):
        made = function(1)
        made.send(None)
        assert isinstance(made.throw(*arguments), LookupError)
        made.close()

    def test_by_throw_before_its_start_which_ends_it(self, function):
        made = function(1)
        error = LookupError("thrown")
        with pytest.raises(LookupError) as raised:
            made.throw(error)
        assert raised.value is error
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            made.send(None)

    def test_by_throw_of_no_exception_which_is_refused_and_changes_nothing(self, function):
        made = function(1)
        with pytest.raises(TypeError, match="exceptions must be classes or instances deriving"):
            made.throw(5)
        assert list(made) == [1]

    def test_by_throw_of_stop_iteration_which_does_not_end_it_quietly(self, function):
        made = function(1)
        made.send(None)
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            made.throw(StopIteration(5))

    def test_by_close(self, function):
        made = function(1)
        made.send(None)
        made.close()
        made.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            made.send(None)

    def test_by_close_before_its_start(self, function):
        made = function(1)
        made.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            made.send(None)

    def test_not_with_a_value_at_its_start(self, function):
        made = function(1)
        with pytest.raises(TypeError, match="can't send non-None value to a just-started"):
            made.send(5)
        assert list(made) == [1]

    @pytest.mark.parametrize("way", ["send", "throw", "next", "await"])
    def test_not_once_more_after_its_end(self, function, way):
        async def wait(made):
            await made

        made = function(1)
        assert list(made) == [1]
        again = {
            "send": lambda: made.send(None),
            "throw": lambda: made.throw(LookupError),
            "next": lambda: next(made),
            "await": lambda: wait(made).send(None),
        }
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            again[way]()

    def test_by_await_and_yield_from(self, function):
        async def new():
            return await function(1)

        def old():
            return (yield from function(1))

        for outer in (new(), old()):
            assert outer.send(None) == 1
            assert outer.send(2) == 2
            assert isinstance(outer.throw(LookupError("thrown")), LookupError)
            with pytest.raises(StopIteration) as returned:
                outer.send(None)
            assert returned.value.value == "caught"

    def test_to_its_end_by_the_close_of_what_awaits_it(self, function):
        async def new():
            await function(1)

        outer = new()
        outer.send(None)
        outer.close()


class TestClose:
    def test_raises_what_the_generator_raises_instead_of_ending(self):
        @coroutine
        def stubborn():
            try:
                yield
            finally:
                raise LookupError("closing")

        made = stubborn()
        made.send(None)
        with pytest.raises(LookupError, match="closing"):
            made.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            made.send(None)

    def test_says_when_the_generator_goes_on(self):
        @coroutine
        def stubborn():
            try:
                yield
            except GeneratorExit:
                yield

        made = stubborn()
        made.send(None)
        with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
            made.close()


class TestReentrance:
    @pytest.mark.parametrize("way", ["send", "throw", "close", "__next__"])
    @pytest.mark.parametrize("kind", ["generator", "function"])
    def test_is_refused_and_harms_nothing(self, way, kind):
        arguments = {"send": [None], "throw": [LookupError]}.get(way, [])

        def intrude():
            with pytest.raises(ValueError, match="coroutine already executing"):
                getattr(made, way)(*arguments)

        @coroutine
        def generator():
            intrude()
            yield 1

        @coroutine
        def function():
            intrude()
            return iter_of(1)

        made = generator() if kind == "generator" else function()
        assert list(made) == [1]

    def test_from_another_thread_is_refused(self):
        running, refused = threading.Event(), threading.Event()

        @coroutine
        def wait():
            running.set()
            assert refused.wait(30)
            yield "done"

        made = wait()
        values = []
        thread = threading.Thread(target=lambda: values.extend(made))
        thread.start()
        assert running.wait(30)
        with pytest.raises(ValueError, match="coroutine already executing"):
            made.send(None)
        refused.set()
        thread.join(30)
        assert values == ["done"]


def iter_of(value):
    yield value


class TestWhatItPassesFor:
    @each_kind
    def test_a_coroutine(self, function):
        made = function(1)
        assert asyncio.iscoroutine(made)
        assert inspect.isawaitable(made)
        assert isinstance(made, collections.abc.Coroutine)
        assert isinstance(made, collections.abc.Awaitable)
        made.close()

    def test_its_function_by_name(self):
        made = echo(1)
        assert (made.__name__, made.__qualname__) == ("echo", "echo")
        assert repr(made).startswith("<coroutine object echo at 0x")
        made.close()

    def test_a_coroutine_at_every_stage_to_inspect(self):
        @coroutine
        def look():
            states.append(inspect.getcoroutinestate(made))
            states.append(inspect.getgeneratorstate(made))
            yield

        states = []
        made = look()
        assert inspect.getcoroutinestate(made) == inspect.CORO_CREATED
        assert inspect.getgeneratorstate(made) == inspect.GEN_CREATED
        made.send(None)
        assert states == [inspect.CORO_RUNNING, inspect.GEN_RUNNING]
        assert inspect.getcoroutinestate(made) == inspect.CORO_SUSPENDED
        assert inspect.getgeneratorstate(made) == inspect.GEN_SUSPENDED
        made.close()
        assert inspect.getcoroutinestate(made) == inspect.CORO_CLOSED
        assert inspect.getgeneratorstate(made) == inspect.GEN_CLOSED

    @each_kind
    def test_the_frame_and_code_it_stopped_in(self, function):
        made = function(1)
        made.send(None)
        for frame, code in ((made.cr_frame, made.cr_code), (made.gi_frame, made.gi_code)):
            assert frame.f_code is code
            assert (code.co_name, code.co_filename) == ("echo", __file__)
            assert frame.f_locals["sent"] == 1
        assert inspect.getcoroutinelocals(made)["sent"] == 1
        made.close()
        assert (made.cr_frame, made.gi_frame) == (None, None)
        assert made.cr_code.co_name == made.gi_code.co_name == function.__name__

    def test_what_it_awaits(self):
        @coroutine
        def outer():
            return (yield from inner)

        inner = echo(1)
        made = outer()
        assert made.cr_await is None
        made.send(None)
        assert made.cr_await is made.gi_yieldfrom is inner
        made.close()

    def test_it_can_be_subscripted_in_annotations(self):
        made = echo(1)
        assert type(made)[int, int, int].__origin__ is type(made)
        made.close()


class TestNeverAwaited:
    @each_kind
    def test_is_warned_of_with_its_name_and_where_it_was_dropped(self, function):
        with pytest.warns(RuntimeWarning) as caught:
            function(1)
        (warning,) = caught
        assert str(warning.message) == f"coroutine '{function.__name__}' was never awaited"
        assert warning.filename == __file__

    def test_is_warned_of_when_it_is_garbage(self):
        class Cell:
            pass

        def drop():
            cell = Cell()
            cell.made = echo(cell)
            del cell
            gc.collect()

        with pytest.warns(RuntimeWarning, match="coroutine 'echo' was never awaited"):
            drop()

    @each_kind
    @pytest.mark.parametrize("way", ["send", "throw", "close"])
    def test_is_not_said_of_one_that_was_used(self, function, way):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = function(1)
            if way == "send":
                made.send(None)
            elif way == "throw":
                with pytest.raises(LookupError):
                    made.throw(LookupError)
            else:
                made.close()
            del made
        assert caught == []

    def test_as_an_error_is_reported_where_nobody_can_catch_it(self, unraisable):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            echo(1)
        ((error, _),) = unraisable
        assert isinstance(error, RuntimeWarning)

    def test_leaves_an_exception_that_is_on_its_way(self):
        def fail():
            made = echo(1)
            assert made
            raise LookupError("on its way")

        with (
            pytest.warns(RuntimeWarning, match="never awaited"),
            pytest.raises(LookupError, match="on its way"),
        ):
            fail()

    def test_is_warned_of_at_the_interpreters_end(self):
        program = """
            import groundup

            @groundup.coroutine
            def forgotten():
                yield

            kept = forgotten()
        """
        line = [sys.executable, "-W", "always", "-c", textwrap.dedent(program)]
        result = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)
        assert (result.returncode, result.stdout) == (0, "")
        assert "RuntimeWarning: coroutine 'forgotten' was never awaited" in result.stderr


class TestMemory:
    @each_kind
    def test_it_can_be_referred_to_weakly(self, function):
        made = function(1)
        gone = weakref.ref(made)
        list(made)
        del made
        assert gone() is None

    def test_dropping_a_started_one_ends_it(self):
        closed = []

        @coroutine
        def patient():
            try:
                yield
            finally:
                closed.append(True)

        made = patient()
        made.send(None)
        del made
        assert closed == [True]

    def test_what_it_holds_is_let_go_at_its_end(self):
        class Cell:
            pass

        cell = Cell()
        gone = weakref.ref(cell)
        made = echo(cell)
        made.send(None)
        del cell
        assert gone() is not None
        made.close()
        assert gone() is None

    @pytest.mark.parametrize("stage", ["new", "suspended"])
    @each_kind
    def test_a_cycle_is_collected(self, function, stage):
        class Cell:
            pass

        cell = Cell()
        cell.made = function(cell)
        if stage == "suspended":
            cell.made.send(None)
        gone, made_gone = weakref.ref(cell), weakref.ref(cell.made)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            del cell
            gc.collect()
        assert (gone(), made_gone()) == (None, None)

    @each_kind
    def test_no_reference_is_left_behind(self, function):
        def once():
            list(function(token))
            for end in ("close", "throw", "drop"):
                made = function(token)
                made.send(None)
                if end == "close":
                    made.close()
                elif end == "throw":
                    with pytest.raises(ValueError):
                        made.throw(ValueError(token))

        token = object()
        once()
        gc.collect()
        before = sys.getrefcount(token)
        for _ in range(50):
            once()
        gc.collect()
        assert sys.getrefcount(token) == before
