"""Asynchronous generators that were begun on a loop are closed on it."""

import asyncio
import gc

import pytest

from comparison import plain, turn


def test_shutting_down_closes_what_is_being_iterated(same):
    async def generate(seen, name):
        try:
            for number in range(10):
                yield number
        finally:
            await asyncio.sleep(0)
            seen.append(name)

    def body(loop):
        seen = []
        kept = []

        async def main():
            for name in "ab":
                generator = generate(seen, name)
                kept.append(generator)
                seen.append(await anext(generator))

        loop.run_until_complete(main())
        result = loop.run_until_complete(loop.shutdown_asyncgens())
        return sorted(map(str, seen)), result, loop.run_until_complete(loop.shutdown_asyncgens())

    assert same(body) == (["0", "0", "a", "b"], None, None)


def test_a_generator_that_is_dropped_is_closed_by_a_task(same):
    async def generate(seen):
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    def body(loop):
        seen = []

        async def main():
            async for number in generate(seen):
                seen.append(number)
                break
            gc.collect()
            for _ in range(4):
                await asyncio.sleep(0)

        loop.run_until_complete(main())
        return seen

    assert same(body) == [1, "closed"]


def test_a_generator_that_fails_to_close_is_reported(same):
    async def generate():
        try:
            yield 1
        finally:
            raise LookupError("while closing")

    def body(loop):
        seen = []
        loop.set_exception_handler(
            lambda loop, context: seen.append(
                (plain(context["message"]), repr(context["exception"]), sorted(context))
            )
        )
        kept = []

        async def main():
            kept.append(generate())
            await anext(kept[0])

        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_asyncgens())
        return seen

    ((message, error, keys),) = same(body)
    assert message.startswith("an error occurred during closing of asynchronous generator <async_")
    assert (error, keys) == ("LookupError('while closing')", ["asyncgen", "exception", "message"])


def test_iterating_after_the_shutdown_is_warned_of(same):
    async def generate():
        yield 1

    def body(loop):
        loop.run_until_complete(loop.shutdown_asyncgens())

        async def main():
            return [number async for number in generate()]

        return loop.run_until_complete(main())

    assert same(body) == [1]


def test_the_warning_names_the_generator(loop):
    async def generate():
        yield 1

    async def main():
        return [number async for number in generate()]

    loop.run_until_complete(loop.shutdown_asyncgens())
    text = r"asynchronous generator <async_generator object .*generate at 0x.*> was scheduled after"
    with pytest.warns(ResourceWarning, match=text):
        loop.run_until_complete(main())


def test_generators_of_a_closed_loop_are_left_alone(loop):
    async def generate():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)

    kept = []

    async def main():
        kept.append(generate())
        await anext(kept[0])

    loop.run_until_complete(main())
    loop.close()
    kept.clear()
    gc.collect()


def test_a_generator_dropped_in_another_thread_is_closed_on_its_loop(loop):
    import threading

    seen = []

    async def generate():
        try:
            yield 1
        finally:
            seen.append(threading.get_ident())

    async def main():
        kept = [generate()]
        await anext(kept[0])
        thread = threading.Thread(target=kept.clear)
        thread.start()
        while not seen:
            await asyncio.sleep(0.001)
        thread.join()

    loop.run_until_complete(main())
    assert seen == [threading.get_ident()]
    turn(loop)
