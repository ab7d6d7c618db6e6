"""interweave() takes turns among coroutines, generators and iterables."""

import asyncio
import gc
import itertools
import sys
import threading
import types
import weakref

import pytest

import groundup
from groundup import interweave


def count(start, stop, result=None):
    yield from range(start, stop)
    return result


@types.coroutine
def pause(value):
    return (yield value)


async def pause_twice(first, second):
    await pause(first)
    await pause(second)
    return first + second


def test_turns_go_round_first_in_first_out():
    assert list(interweave([count(0, 3), count(10, 13)])) == [0, 10, 1, 11, 2, 12]


def test_the_longer_one_goes_on_alone():
    assert list(interweave([count(0, 4), count(10, 12), count(20, 21)])) == [
        *(0, 10, 20),
        *(1, 11),
        *(2, 3),
    ]


def test_everything_that_can_be_iterated_or_awaited_takes_part():
    class Awaitable:
        def __await__(self):
            return (yield "awaitable")

    items = [
        "ab",
        iter([1, 2]),
        {"key": "value"},
        count(10, 11),
        pause("types.coroutine"),
        pause_twice("async", "def"),
        groundup.coroutine(count)(20, 21),
        Awaitable(),
    ]
    assert list(interweave(items)) == [
        *("a", 1, "key", 10, "types.coroutine", "async", 20, "awaitable"),
        *("b", 2, "def"),
    ]


def test_the_items_may_come_from_any_iterable():
    assert list(interweave(word for word in ("ab", "cd"))) == ["a", "c", "b", "d"]
    assert list(interweave("ab")) == ["a", "b"]
    assert list(interweave([])) == []


def test_nothing_runs_before_the_first_turn():
    ran = []

    def run():
        ran.append(True)
        yield

    weave = interweave([run()])
    assert not ran
    next(weave)
    assert ran


def test_the_iterator_is_its_own_and_stays_at_its_end():
    weave = interweave(["a"])
    assert iter(weave) is weave
    assert list(weave) == ["a"]
    assert [next(weave, "end"), next(weave, "end")] == ["end", "end"]


def test_a_value_may_be_none():
    assert list(interweave([[None, 1], [2]])) == [None, 2, 1]


def test_one_generator_given_twice_has_two_turns_a_round():
    generator = count(0, 5)
    assert list(interweave([generator, "ab", generator])) == [0, "a", 1, 2, "b", 3, 4]


def test_index_tells_whose_turn_was_last():
    weave = interweave([count(0, 1), count(10, 12)])
    assert weave.index is None
    assert [(weave.index, value) for value in weave] == [(0, 0), (1, 10), (1, 11)]


def test_results_fill_as_coroutines_return():
    weave = interweave([count(0, 2, "long"), count(10, 11, "short"), "x"])
    results = weave.results
    assert results == {}
    assert [next(weave) for _ in range(3)] == [0, 10, "x"]
    assert results == {}
    assert next(weave) == 1
    assert next(weave, "end") == "end"
    assert list(results.items()) == [(1, "short"), (2, None), (0, "long")]
    assert weave.results == results


def test_results_cannot_be_changed():
    weave = interweave([count(0, 0, "result")])
    with pytest.raises(TypeError):
        weave.results[0] = "another"


def test_the_length_is_the_number_of_unfinished():
    weave = interweave(["ab", "c"])
    assert len(weave) == 2
    assert [(value, len(weave)) for value in weave] == [("a", 2), ("c", 2), ("b", 2)]
    assert len(weave) == 0


def test_inside_a_turn_the_one_that_runs_still_counts():
    seen = []

    def look():
        seen.append((len(weave), weave.index, dict(weave.results)))
        yield
        seen.append((len(weave), weave.index, dict(weave.results)))

    weave = interweave([count(0, 0, "result"), look()])
    list(weave)
    assert seen == [(1, 0, {0: "result"}), (1, 1, {0: "result"})]


def test_its_repr_tells_how_far_it_is():
    weave = interweave(["a", "b"])
    assert repr(weave).startswith("<groundup.Interweave of 2, 2 unfinished, at 0x")
    list(weave)
    assert "of 2, 0 unfinished" in repr(weave)


def test_it_can_be_subscripted_in_annotations():
    assert groundup.Interweave[int].__origin__ is groundup.Interweave


class TestBadItems:
    @pytest.mark.parametrize("bad", [5, None, 1.5, object, count])
    def test_are_refused_at_the_call_by_name(self, bad):
        with pytest.raises(TypeError) as raised:
            interweave([[1], bad])
        assert str(raised.value) == (
            f"a coroutine, a generator or an iterable was expected, got {bad!r}"
        )

    def test_async_generators_are_refused(self):
        async def generator():
            yield

        with pytest.raises(TypeError, match="got <async_generator object"):
            interweave([generator()])

    def test_coroutines_beside_a_bad_item_are_closed_so_that_none_warns(self):
        class Awaitable:
            def __await__(self):
                return pause_twice(1, 2).__await__()

        before, after = pause_twice(1, 2), groundup.coroutine(count)(0, 2)
        with pytest.raises(TypeError, match="got 5"):
            interweave([before, Awaitable(), 5, after])
        for coroutine in (before, after):
            with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
                coroutine.send(None)

    def test_generators_beside_a_bad_item_are_left_alone(self):
        generator = count(0, 2)
        with pytest.raises(TypeError, match="got 5"):
            interweave([generator, 5])
        assert list(generator) == [0, 1]

    def test_no_iterable_at_all_is_refused_by_name(self):
        with pytest.raises(TypeError, match=r"an iterable of coroutines.* was expected, got 5"):
            interweave(5)

    @pytest.mark.parametrize("function", [pause_twice, groundup.coroutine(count)])
    def test_a_coroutine_without_its_list_is_refused_and_closed(self, function):
        coroutine = function(1, 2)
        with pytest.raises(TypeError, match=r"an iterable of .* was expected, got <coroutine"):
            interweave(coroutine)
        with pytest.raises(RuntimeError, match="cannot reuse"):
            coroutine.send(None)

    def test_what_making_the_items_raises_comes_out_and_the_made_are_closed(self):
        coroutine = pause_twice(1, 2)

        def items():
            yield coroutine
            raise LookupError("no more")

        with pytest.raises(LookupError, match="no more"):
            interweave(items())
        with pytest.raises(RuntimeError, match="cannot reuse"):
            coroutine.send(None)

    def test_what_an_items_own_iter_raises_comes_out(self):
        class Broken:
            def __iter__(self):
                raise LookupError("broken")

        with pytest.raises(LookupError, match="broken"):
            interweave([Broken()])
        with pytest.raises(LookupError, match="broken"):
            interweave(Broken())

    @pytest.mark.parametrize(
        ("result", "message"),
        [(5, "__await__.* returned non-iterator of type 'int'"), ("coroutine", "a coroutine")],
    )
    def test_an_await_method_that_gives_no_iterator_is_refused(self, result, message):
        class Awaitable:
            def __await__(self):
                return self.made if result == "coroutine" else result

        item = Awaitable()
        item.made = pause_twice(1, 2)
        with pytest.raises(TypeError, match=message):
            interweave([item])
        item.made.close()


class TestAnException:
    def test_comes_out_of_next_as_it_was_raised(self):
        error = ValueError("raised")

        def fail():
            yield 1
            raise error

        weave = interweave([fail(), "ab"])
        assert [next(weave), next(weave)] == [1, "a"]
        with pytest.raises(ValueError) as raised:
            next(weave)
        assert raised.value is error
        assert raised.traceback[-1].name == "fail"
        assert error.__context__ is None
        assert weave.index == 0

    def test_closes_the_others_next_in_turn_first_before_it_comes_out(self):
        closed = []

        def patient(name):
            try:
                yield
                yield
            finally:
                closed.append(name)

        async def patient_async(name):
            try:
                await pause(None)
                await pause(None)
            finally:
                closed.append(name)

        def fail():
            yield
            raise ValueError

        weave = interweave([patient("a"), fail(), patient_async("b"), [1, 2], patient("c")])
        with pytest.raises(ValueError):
            list(weave)
        # a has had its second turn already, so it is the last in the queue.
        assert closed == ["b", "c", "a"]

    def test_leaves_the_interweave_at_its_end(self):
        def fail():
            raise ValueError
            yield

        weave = interweave([count(0, 0, "result"), fail(), "ab"])
        with pytest.raises(ValueError):
            next(weave)
        assert next(weave, "end") == "end"
        assert len(weave) == 0
        assert weave.results == {0: "result"}

    def test_ends_coroutines_that_had_no_turn_yet_without_a_warning(self):
        def fail():
            raise ValueError
            yield

        with pytest.raises(ValueError):
            next(interweave([fail(), pause_twice(1, 2), groundup.coroutine(count)(0, 2)]))

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_that_is_no_ordinary_one_is_treated_alike(self, kind):
        closed = []

        def patient():
            try:
                yield 1
            finally:
                closed.append(True)

        def fail():
            yield 2
            raise kind

        weave = interweave([fail(), patient()])
        assert [next(weave), next(weave)] == [2, 1]
        assert not closed
        with pytest.raises(kind):
            next(weave)
        assert closed == [True]

    def test_in_closing_another_is_reported_and_does_not_hide_the_first(self, unraisable):
        closing = [LookupError("first"), TypeError("second")]

        def stubborn(error):
            try:
                yield
            finally:
                raise error

        def fail():
            yield
            raise ValueError("original")

        others = [stubborn(error) for error in closing]
        weave = interweave([fail(), *others])
        with pytest.raises(ValueError, match="original") as raised:
            list(weave)
        assert raised.value.__context__ is None
        assert unraisable == list(zip(closing, others, strict=True))

    def test_that_interrupts_the_closing_goes_first_and_the_original_is_reported(self, unraisable):
        original, interrupt = ValueError("original"), KeyboardInterrupt()
        closed = []

        def interrupted():
            try:
                yield
            finally:
                raise interrupt

        def patient():
            try:
                yield
            finally:
                closed.append(True)

        def fail():
            yield
            raise original

        with pytest.raises(KeyboardInterrupt) as raised:
            list(interweave([fail(), interrupted(), patient()]))
        assert raised.value is interrupt
        assert [error for error, _ in unraisable] == [original]
        assert closed == [True]

    def test_a_generator_that_goes_on_when_closed_is_reported(self, unraisable):
        def stubborn():
            while True:
                try:
                    yield
                except GeneratorExit:
                    if closing:
                        continue
                    raise

        def fail():
            yield
            raise ValueError("original")

        closing = [True]
        with pytest.raises(ValueError, match="original"):
            list(interweave([fail(), stubborn()]))
        assert isinstance(unraisable[0][0], RuntimeError)
        assert "ignored GeneratorExit" in str(unraisable[0][0])
        closing.clear()

    def test_from_a_plain_iterator_comes_out_too(self):
        with pytest.raises(ValueError):
            list(interweave([map(int, ["1", "x"]), "ab"]))


class TestClose:
    def test_closes_what_is_left_in_turn_and_ends_the_interweave(self):
        closed = []

        def patient(name):
            try:
                yield name
                yield name
            finally:
                closed.append(name)

        weave = interweave([patient("a"), patient("b")])
        assert [next(weave), next(weave), next(weave)] == ["a", "b", "a"]
        weave.close()
        assert closed == ["b", "a"]
        assert (len(weave), next(weave, "end")) == (0, "end")
        weave.close()

    def test_ends_coroutines_that_had_no_turn_without_a_warning(self):
        interweave([pause_twice(1, 2), groundup.coroutine(count)(0, 2)]).close()

    def test_raises_the_first_exception_and_reports_the_others(self, unraisable):
        def stubborn(error):
            try:
                yield
            finally:
                raise error

        first, second = ValueError("first"), LookupError("second")
        weave = interweave([stubborn(first), stubborn(second)])
        next(weave)
        next(weave)
        with pytest.raises(ValueError) as raised:
            weave.close()
        assert raised.value is first
        assert [error for error, _ in unraisable] == [second]
        assert len(weave) == 0


class TestReentrance:
    @pytest.mark.parametrize("enter", ["__next__", "close"])
    def test_from_a_coroutine_it_runs_is_refused_and_harms_nothing(self, enter):
        def intrude():
            with pytest.raises(ValueError, match="interweave already executing"):
                getattr(weave, enter)()
            yield "still here"

        weave = interweave([intrude(), "ab"])
        assert list(weave) == ["still here", "a", "b"]

    def test_from_a_coroutine_it_closes_is_refused(self):
        def intrude():
            try:
                yield
            finally:
                with pytest.raises(ValueError, match="interweave already executing"):
                    next(weave)

        weave = interweave([intrude(), intrude()])
        next(weave)
        next(weave)
        weave.close()

    def test_from_another_thread_while_a_coroutine_runs_is_refused(self):
        running, refused = threading.Event(), threading.Event()

        def wait():
            running.set()
            assert refused.wait(30)
            yield "done"

        weave = interweave([wait()])
        values = []
        thread = threading.Thread(target=lambda: values.extend(weave))
        thread.start()
        assert running.wait(30)
        with pytest.raises(ValueError, match="interweave already executing"):
            next(weave)
        refused.set()
        thread.join(30)
        assert values == ["done"]

    def test_from_a_destructor_of_what_it_lets_go_is_refused(self, unraisable):
        class Intruder:
            def __iter__(self):
                return self

            def __next__(self):
                raise StopIteration

            def __del__(self):
                next(weave)

        weave = interweave([Intruder(), "ab"])
        assert list(weave) == ["a", "b"]
        assert [str(error) for error, _ in unraisable] == ["interweave already executing"]


class TestMemory:
    def test_dropping_it_lets_go_of_the_coroutines_which_ends_them(self):
        closed = []

        def patient():
            try:
                yield
            finally:
                closed.append(True)

        weave = interweave([patient(), patient()])
        next(weave)
        del weave
        assert closed == [True]

    def test_a_coroutine_that_returned_is_let_go_at_once(self):
        generator = count(0, 1)
        gone = weakref.ref(generator)
        weave = interweave([generator, "abc"])
        del generator
        assert [next(weave), next(weave)] == [0, "a"]
        assert gone() is not None
        assert next(weave) == "b"
        assert gone() is None

    def test_a_cycle_through_a_waiting_coroutine_is_collected(self):
        class Cell:
            pass

        def hold(cell):
            yield cell
            yield cell

        cell = Cell()
        cell.weave = interweave([hold(cell), iter([cell])])
        next(cell.weave)
        gone, weave_gone = weakref.ref(cell), weakref.ref(cell.weave)
        del cell
        assert gone() is not None
        gc.collect()
        assert gone() is None
        assert weave_gone() is None

    def test_a_cycle_through_a_result_is_collected(self):
        class Cell:
            pass

        cell = Cell()
        cell.weave = interweave([count(0, 0, cell)])
        assert next(cell.weave, None) is None
        gone = weakref.ref(cell)
        del cell
        gc.collect()
        assert gone() is None

    def test_collecting_while_a_coroutine_runs_takes_nothing_away(self):
        def collect():
            gc.collect()
            yield "collected"

        assert list(interweave([collect(), count(0, 2)])) == ["collected", 0, 1]

    @pytest.mark.parametrize("end", ["exhaust", "fail", "close", "drop"])
    def test_no_reference_is_left_behind(self, end):
        def hold(value):
            yield value
            if end == "fail":
                raise ValueError(value)
            return value

        def once():
            weave = interweave([hold(token), iter([token, token]), pause_twice(token, token)])
            assert [next(weave), next(weave), next(weave)] == [token, token, token]
            if end == "close":
                weave.close()
            elif end == "fail":
                with pytest.raises(ValueError):
                    next(weave)
            elif end == "exhaust":
                assert list(weave) == [token, token]

        token = []
        assert growth(token, once) == 0

    def test_no_reference_is_left_behind_by_refused_items(self):
        def once():
            with pytest.raises(TypeError):
                interweave([count(token, token), iter([token]), pause_twice(token, token), 5])

        token = []
        assert growth(token, once) == 0


def growth(token, once):
    """How many references to `token` calls of `once` leave behind."""
    once()
    gc.collect()
    before = sys.getrefcount(token)
    for _ in range(50):
        once()
    gc.collect()
    return sys.getrefcount(token) - before


def test_many_coroutines_take_turns():
    numbers = list(interweave(count(n, n + 2) for n in range(10_000)))
    assert numbers == [n + m for m in (0, 1) for n in range(10_000)]


def test_an_endless_iterator_goes_on_for_ever():
    weave = interweave([itertools.count(), "a"])
    assert list(itertools.islice(weave, 4)) == [0, "a", 1, 2]
