"""A program that is recorded does not notice it."""

import asyncio
import gc
import os
import warnings
import weakref

import groundup
from groundup.view import weave

from .stories import tell


def test_a_loop_that_is_left_goes_and_its_recording_is_whole(tmp_path):
    path = tmp_path / "run.weave"
    with groundup.record(path):
        loop = groundup.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        left = weakref.ref(loop)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del loop
            gc.collect()
        assert left() is None
        assert path.stat().st_size < 65_536
        assert weave.load(path).lost == 0


def test_a_closed_loop_that_is_kept_holds_no_descriptor(tmp_path):
    with groundup.record(tmp_path / "run.weave"):
        before = os.listdir("/proc/self/fd")
        loops = [groundup.new_event_loop() for _ in range(3)]
        for loop in loops:
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_a_task_that_goes_after_its_step_is_not_the_current_one(tmp_path):
    seen = []

    class Witness:
        def __del__(self):
            seen.append(asyncio.current_task())

    async def nothing():
        pass

    async def main():
        asyncio.create_task(nothing()).witness = Witness()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    tell(main, tmp_path)
    assert seen == [None]


def test_what_is_called_back_is_not_asked_for_its_name(tmp_path):
    asked = []

    class Called:
        def __call__(self, *args):
            pass

        def __getattr__(self, name):
            asked.append(name)
            raise AttributeError(name)

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_soon(Called())
        future = loop.create_future()
        future.add_done_callback(Called())
        future.set_result(None)
        await asyncio.sleep(0)

    lines = tell(main, tmp_path)
    assert (asked, lines.count("Called runs, by main")) == ([], 2)
