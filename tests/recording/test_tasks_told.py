"""What tasks do is told step by step: when they run, by whom, and what they wait for."""

import asyncio
import sys

import pytest

from .stories import tell


async def sleeper():
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)


def test_a_task_that_sleeps(tmp_path):
    assert tell(sleeper, tmp_path) == [
        "sleeper runs, by nobody",
        "sleeper runs, by sleeper",
        "sleeper waits: timer",
        "_set_result_unless_cancelled runs, by a timer",
        "sleeper runs, by a timer",
        "sleeper has returned",
    ]


async def gatherer():
    async def one():
        await asyncio.sleep(0)

    async def two():
        return 2

    await asyncio.gather(one(), two())


def test_gathered_tasks(tmp_path):
    assert tell(gatherer, tmp_path) == [
        "gatherer runs, by nobody",
        "gatherer waits: gather",
        "one runs, by gatherer",
        "two runs, by gatherer",
        "two has returned",
        "one runs, by one",
        "one has returned",
        "_done_callback runs, by two",
        "_done_callback runs, by one",
        "gatherer runs, by _done_callback",
        "gatherer has returned",
    ]


async def producer_and_consumer():
    queue = asyncio.Queue(1)

    async def produce():
        for number in range(2):
            await queue.put(number)

    async def consume():
        for _ in range(2):
            await queue.get()

    async with asyncio.TaskGroup() as group:
        group.create_task(consume())
        group.create_task(produce())


def test_a_queue_between_two_tasks(tmp_path):
    assert tell(producer_and_consumer, tmp_path) == [
        "producer_and_consumer runs, by nobody",
        "producer_and_consumer waits: tasks",
        "consume runs, by producer_and_consumer",
        "consume waits: queue 1",
        "produce runs, by producer_and_consumer",
        "produce waits: queue 1",
        "consume runs, by produce",
        "consume waits: queue 1",
        "produce runs, by consume",
        "produce has returned",
        "consume runs, by produce",
        "consume has returned",
        "_on_task_done runs, by produce",
        "_on_task_done runs, by consume",
        "producer_and_consumer runs, by _on_task_done",
        "producer_and_consumer has returned",
    ]


async def canceller():
    async def victim():
        await asyncio.Event().wait()

    task = asyncio.create_task(victim())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


CANCELLED = [
    "canceller runs, by nobody",
    "victim runs, by canceller",
    "victim waits: event 1",
    "canceller runs, by canceller",
    "victim is to cancel itself",
    "canceller waits: tasks",
    "victim runs, by canceller",
    "victim has cancelled",
    "_on_completion runs, by victim",
    "canceller runs, by _on_completion",
    "canceller has returned",
]


def test_a_task_that_is_cancelled(tmp_path):
    assert tell(canceller, tmp_path) == CANCELLED


def test_debug_mode_where_asyncios_own_code_drives_tasks(tmp_path):
    assert tell(canceller, tmp_path, debug=True) == CANCELLED


async def late():
    try:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(60)
    except TimeoutError:
        raise ValueError("too late") from None


def test_a_timeout_and_an_exception(tmp_path):
    with pytest.raises(ValueError, match="too late"):
        tell(late, tmp_path)
    from groundup.view import weave

    from .stories import Story

    assert Story(weave.load(tmp_path / "run.weave")).lines == [
        "late runs, by nobody",
        "late waits: timer",
        "_on_timeout runs, by a timer",
        "late is to cancel itself",
        "late runs, by _on_timeout",
        "late has raised ValueError: too late",
    ]


async def with_tasks_of(make):
    async def nap():
        await asyncio.sleep(0.001)

    asyncio.get_running_loop().set_task_factory(make)
    await asyncio.create_task(nap())


class OwnTask(asyncio.Task):
    """A task class of a program's own."""


class OwnPythonTask(asyncio.tasks._PyTask):
    """One of asyncio's in Python."""


@pytest.mark.parametrize("kind", [OwnTask, OwnPythonTask])
def test_tasks_of_a_class_of_ones_own(tmp_path, kind):
    def make(loop, coroutine, **options):
        return kind(coroutine, loop=loop, **options)

    async def main():
        await with_tasks_of(make)

    assert tell(main, tmp_path) == [
        "main runs, by nobody",
        "main waits: task Task",
        "nap runs, by main",
        "nap waits: timer",
        "_set_result_unless_cancelled runs, by a timer",
        "nap runs, by _set_result_unless_cancelled",
        "nap has returned",
        "main runs, by nap",
        "main has returned",
    ]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks_take_their_first_step_within_their_makers(tmp_path):
    async def main():
        async def quick():
            return 1

        async def slow():
            await asyncio.sleep(0)

        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        done = asyncio.create_task(quick())
        await asyncio.create_task(slow())
        assert done.done()

    assert tell(main, tmp_path) == [
        "main runs, by nobody",
        "quick runs, by main",
        "quick has returned",
        "slow runs, by main",
        "main waits: task Task",
        "slow runs, by slow",
        "slow has returned",
        "main runs, by slow",
        "main has returned",
    ]
