"""Futures and tasks in the memory of old ones, and what is seen of that: nothing."""

import asyncio
import gc
import weakref

import pytest

from groundup import _groundup


async def nothing():
    return None


class PythonChild(_groundup.Future):
    """A subclass of the loop's own class."""


def test_new_futures_and_tasks_have_nothing_of_old_ones(loop):
    async def fail():
        raise KeyError("old")

    async def main():
        for _ in range(3):
            task, future = loop.create_task(fail(), name="old"), loop.create_future()
            task.attribute = future.attribute = "old"
            task.add_done_callback(future.set_result)
            with pytest.raises(KeyError):
                await task
            assert await future is task
            gone = [weakref.ref(task), weakref.ref(future)]
            del task, future
            await asyncio.sleep(0)
            assert [reference() for reference in gone] == [None, None]
        task, future = loop.create_task(nothing()), loop.create_future()
        for new in (task, future):
            assert not hasattr(new, "attribute")
            assert not new.done()
            assert not new._callbacks or new is task
            assert new._exception is None
            assert weakref.getweakrefcount(new) <= 1
            assert gc.is_tracked(new)
        assert task.get_name() != "old"
        assert task.cancelling() == 0
        await task

    loop.run_until_complete(main())


@pytest.mark.parametrize("kind", ["own", "child"])
def test_a_finalizer_that_a_program_has_given_a_class_is_called(loop, kind):
    def make():
        return PythonChild(loop=loop) if kind == "child" else loop.create_future()

    ended = []
    _groundup.Future.__del__ = lambda self: ended.append(self.done())
    try:
        make()
        done = make()
        done.set_result(None)
        del done
    finally:
        del _groundup.Future.__del__
    assert ended == [False, True]
    make()
    assert len(ended) == 2


def test_an_object_that_comes_back_at_its_end_lives_on(loop):
    back = []
    _groundup.Future.__del__ = lambda self: back.append(self)
    try:
        loop.create_future().set_result("kept")
    finally:
        del _groundup.Future.__del__
    assert back.pop().result() == "kept"
    assert loop.create_future() is not loop.create_future()


def test_weak_references_hear_of_the_end_of_futures_and_tasks(loop):
    heard = []
    reference = weakref.ref(loop.create_future(), heard.append)
    assert heard == [reference]
    task = loop.create_task(nothing())
    loop.run_until_complete(task)
    reference = weakref.ref(task, heard.append)
    del task
    assert heard[1:] == [reference]
