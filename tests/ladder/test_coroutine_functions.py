"""coroutine() makes coroutine functions, which pass for what they are."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import types
import typing
import weakref

import pytest

from groundup import coroutine, run_all


def value_of(made):
    """What a coroutine returns that nothing has to wait for."""
    (value,) = run_all([made])
    return value


@coroutine
def square(x: int, *, plus: int = 0) -> types.GeneratorType:
    """Square a number."""
    yield
    return x * x + plus


class Shape:
    side = 3

    @coroutine
    def area(self, factor=1):
        yield
        return self.side**2 * factor

    @staticmethod
    @coroutine
    def static(x):
        yield
        return x

    @coroutine
    @staticmethod
    def static_below(x):
        yield
        return x

    @classmethod
    @coroutine
    def of_class(cls, x):
        yield
        return cls, x

    @coroutine
    @classmethod
    def of_class_below(cls, x):
        yield
        return cls, x


class TestAGeneratorFunction:
    def test_gives_coroutines_that_run_it(self):
        assert value_of(square(3)) == 9
        assert value_of(square(3, plus=1)) == 10

    def test_takes_its_arguments_at_the_call(self):
        with pytest.raises(TypeError, match=r"square\(\) missing 1 required positional argument"):
            square()
        with pytest.raises(TypeError, match="unexpected keyword argument 'minus'"):
            square(3, minus=1)

    def test_may_delegate_to_coroutines_of_every_kind(self):
        @types.coroutine
        def old():
            yield
            return 1

        async def new():
            return 2

        class Awaitable:
            def __await__(self):
                yield
                return 4

        @coroutine
        def total():
            return (
                (yield from old())
                + (yield from new())
                + (yield from Awaitable().__await__())
                + (yield from square(2, plus=4))
            )

        assert value_of(total()) == 15

    def test_stays_as_it_was(self):
        def function(a, b=2, *, c=3):
            yield a, b, c

        code = function.__code__
        attributes = dict(vars(function))
        decorated = coroutine(function)
        assert function.__code__ is code
        assert vars(function) == attributes
        assert inspect.isgenerator(function(1))
        assert next(decorated(1)) == (1, 2, 3)
        assert decorated.__wrapped__ is function

    def test_shares_its_closure_and_globals(self):
        def outer():
            nonlocal_value = 1

            @coroutine
            def read():
                yield nonlocal_value, Shape

            nonlocal_value = 2
            return read

        assert next(outer()()) == (2, Shape)

    def test_that_types_coroutine_has_marked_is_taken_as_it_is(self):
        @types.coroutine
        def old(x):
            yield
            return x

        decorated = coroutine(old)
        made = decorated(1)
        assert made.cr_code is old.__code__
        made.close()
        assert value_of(decorated(2)) == 2


class TestAnyOtherFunction:
    @pytest.mark.parametrize("value", [None, 5, "text", [1, 2], (1, 2), ValueError("as a value")])
    def test_may_return_a_value(self, value):
        returned = value_of(coroutine(lambda: value)())
        assert returned is value

    def test_may_return_an_awaitable_which_is_awaited(self):
        async def new(x):
            return x

        class Awaitable:
            def __await__(self):
                yield
                return 4

        assert value_of(coroutine(lambda: new(1))()) == 1
        assert value_of(coroutine(lambda: square(2))()) == 4
        assert value_of(coroutine(Awaitable)()) == 4

    def test_may_return_a_generator_which_is_run(self):
        def generate():
            yield
            return 3

        assert value_of(coroutine(lambda: generate())()) == 3
        assert value_of(coroutine(functools.partial(generate))()) == 3

    def test_may_return_a_future(self):
        async def main():
            future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(future.set_result, "later")
            return await coroutine(lambda: future)()

        assert asyncio.run(main()) == "later"

    def test_is_called_when_the_coroutine_is_first_resumed(self):
        calls = []

        @coroutine
        def function(*args, **kwargs):
            calls.append((args, kwargs))

        made = function(1, 2, three=3)
        assert calls == []
        value_of(made)
        assert calls == [((1, 2), {"three": 3})]

    def test_raises_when_the_coroutine_is_resumed(self):
        made = coroutine(lambda: 1 / 0)()
        with pytest.raises(ZeroDivisionError):
            made.send(None)

    def test_that_raises_stop_iteration_does_not_end_the_coroutine_quietly(self):
        made = coroutine(lambda: next(iter([])))()
        with pytest.raises(RuntimeError, match="coroutine raised StopIteration") as raised:
            made.send(None)
        assert isinstance(raised.value.__cause__, StopIteration)

    @pytest.mark.parametrize("answer", [5, "a coroutine"])
    def test_whose_awaitable_is_broken_raises_a_type_error(self, answer):
        async def new():
            pass

        class Broken:
            def __await__(self):
                return made if answer == "a coroutine" else answer

        made = new()
        with pytest.raises(TypeError, match="__await__"):
            coroutine(Broken)().send(None)
        made.close()

    def test_may_be_builtin_a_class_or_an_instance(self):
        class Callable:
            def __call__(self, x):
                return x

        assert value_of(coroutine(len)("abc")) == 3
        assert value_of(coroutine(int)("12")) == 12
        assert value_of(coroutine(Callable())(1)) == 1
        assert value_of(coroutine(Shape().area)(2)) == 18


class TestWhatIsReturnedAsItIs:
    def test_an_async_function(self):
        async def new():
            pass

        assert coroutine(new) is new

    def test_a_partial_of_an_async_function(self):
        async def new(x):
            pass

        partial = functools.partial(new, 1)
        assert coroutine(partial) is partial

    def test_a_coroutine_function_of_its_own(self):
        assert coroutine(square) is square


@pytest.mark.parametrize("bad", [5, None, "text", [len]])
def test_what_cannot_be_called_is_refused_by_name(bad):
    with pytest.raises(TypeError) as raised:
        coroutine(bad)
    assert str(raised.value) == f"coroutine() expects a callable, got {bad!r}"


def test_a_generator_instead_of_its_function_is_refused():
    with pytest.raises(TypeError, match="expects a callable, got <generator object"):
        coroutine(x for x in "ab")


class TestMethods:
    def test_get_their_instance(self):
        assert value_of(Shape().area()) == 9
        assert value_of(Shape().area(factor=2)) == 18
        assert value_of(Shape.area(Shape(), 2)) == 18

    def test_are_bound_as_functions_are(self):
        shape = Shape()
        assert isinstance(shape.area, types.MethodType)
        assert shape.area.__self__ is shape
        assert shape.area == shape.area
        assert Shape.area is vars(Shape)["area"]

    @pytest.mark.parametrize("name", ["static", "static_below"])
    def test_stack_with_staticmethod(self, name):
        assert isinstance(vars(Shape)[name], staticmethod)
        assert value_of(getattr(Shape, name)(1)) == 1
        assert value_of(getattr(Shape(), name)(1)) == 1

    @pytest.mark.parametrize("name", ["of_class", "of_class_below"])
    def test_stack_with_classmethod(self, name):
        assert isinstance(vars(Shape)[name], classmethod)
        assert value_of(getattr(Shape, name)(1)) == (Shape, 1)
        assert value_of(getattr(Shape(), name)(1)) == (Shape, 1)

    def test_can_be_overridden_and_called_by_super(self):
        class Square(Shape):
            @coroutine
            def area(self, factor=1):
                return (yield from super().area(factor)) + 1

        assert value_of(Square().area(2)) == 19


class TestWhatItPassesFor:
    @pytest.mark.parametrize(
        "function",
        [square, Shape.area, Shape().area, Shape.static],
        ids=["function", "in its class", "method", "staticmethod"],
    )
    def test_a_coroutine_function(self, function):
        assert inspect.iscoroutinefunction(function)
        assert not inspect.isgeneratorfunction(function)
        assert inspect.iscoroutinefunction(functools.partial(function, 1))

    def test_a_coroutine_function_of_asyncio(self, recwarn):
        assert asyncio.iscoroutinefunction(square)
        assert asyncio.iscoroutinefunction(coroutine(lambda: None))
        # 3.14 deprecates the question.
        assert all(warning.category is DeprecationWarning for warning in recwarn)

    def test_the_function_by_name_document_and_module(self):
        assert (square.__name__, square.__qualname__) == ("square", "square")
        assert Shape.area.__qualname__ == "Shape.area"
        assert square.__doc__ == "Square a number."
        assert square.__module__ == __name__

    def test_the_function_by_signature_and_annotations(self):
        assert str(inspect.signature(square)) == str(inspect.signature(square.__wrapped__))
        assert str(inspect.signature(Shape().area)) == "(factor=1)"
        assert typing.get_type_hints(square) == {
            "x": int,
            "plus": int,
            "return": types.GeneratorType,
        }

    def test_the_function_by_source(self):
        assert "return x * x + plus" in inspect.getsource(square)

    def test_the_function_by_its_own_attributes(self):
        def function():
            yield

        function.marked = True
        decorated = coroutine(function)
        assert decorated.marked
        decorated.marked = False
        assert function.marked

    def test_itself_by_repr(self):
        assert repr(Shape.area).startswith("<coroutine function Shape.area at 0x")

    def test_itself_where_the_callable_has_no_name(self):
        decorated = coroutine(functools.partial(len, "abc"))
        assert repr(decorated).startswith("<coroutine function partial at 0x")
        assert value_of(decorated()) == 3

    def test_itself_to_copy_and_pickle(self):
        assert pickle.loads(pickle.dumps(square)) is square
        assert pickle.loads(pickle.dumps(Shape.area)) is Shape.area
        assert copy.deepcopy({"function": square})["function"] is square


class TestMemory:
    def test_it_can_be_referred_to_weakly(self):
        decorated = coroutine(lambda: None)
        gone = weakref.ref(decorated)
        assert gone() is decorated
        del decorated
        assert gone() is None

    def test_a_function_that_refers_to_itself_is_collected(self):
        def make():
            @coroutine
            def recursive(n):
                yield
                return (yield from recursive(n - 1)) if n else "done"

            return recursive

        recursive = make()
        assert value_of(recursive(3)) == "done"
        gone = weakref.ref(recursive)
        del recursive
        gc.collect()
        assert gone() is None

    def test_a_cycle_through_its_attributes_is_collected(self):
        decorated = coroutine(len)
        decorated.itself = decorated
        gone = weakref.ref(decorated)
        del decorated
        gc.collect()
        assert gone() is None

    def test_the_collector_may_come_at_any_moment(self):
        thresholds = gc.get_threshold()
        gc.set_threshold(1)
        try:
            # The dicts in between shift the moment, and use up those that could be had for nothing.
            kept = [(coroutine(len), [{} for _ in range(1 + n % 7)]) for n in range(300)]
        finally:
            gc.set_threshold(*thresholds)
        assert {value_of(decorated("abc")) for decorated, _ in kept} == {3}

    def test_no_reference_is_left_behind(self):
        def function(x):
            yield

        def once():
            decorated = coroutine(function)
            next(decorated(token))
            value_of(decorated(x=token))
            value_of(coroutine(lambda x: x)(token))

        token = object()
        once()
        before = sys.getrefcount(token), sys.getrefcount(function), sys.getrefcount(len)
        for _ in range(50):
            once()
        gc.collect()
        after = sys.getrefcount(token), sys.getrefcount(function), sys.getrefcount(len)
        assert after == before
