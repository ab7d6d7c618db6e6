"""Locks, queues and the like are told apart, by numbers that last."""

import asyncio
import gc
import weakref

import groundup
from groundup.view import weave

from .stories import recorded


def reasons(shown, coroutine):
    """What the tasks that run a function have waited for, each once, in order."""
    found = {}
    for lane, what in shown.rows("waits", "lane", "what"):
        if shown.text("lanes.coroutine", int(lane)).rpartition(".")[2] == coroutine:
            found[shown.strings[int(what)]] = None
    return list(found)


def test_each_kind_of_thing_is_numbered_in_the_order_in_which_they_are_seen(tmp_path):
    async def main():
        locks = [asyncio.Lock(), asyncio.Lock()]
        for lock in locks:
            await lock.acquire()
        condition = asyncio.Condition()

        async def notified():
            async with condition:
                await condition.wait()

        async def waiter(wait):
            await wait()

        waits = [
            *(lock.acquire for lock in reversed(locks)),
            asyncio.Queue().get,
            asyncio.Event().wait,
            notified,
            asyncio.Semaphore(0).acquire,
            asyncio.Barrier(2).wait,
            locks[0].acquire,
        ]
        tasks = [asyncio.create_task(waiter(wait)) for wait in waits]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    assert reasons(recorded(main, tmp_path), "waiter") == [
        "lock 1",
        "lock 2",
        "queue 1",
        "event 1",
        "condition 1",
        "semaphore 1",
        "barrier 1",
    ]


def test_a_thing_keeps_its_number_when_the_oldest_records_have_gone(tmp_path):
    async def main():
        lock = asyncio.Lock()
        await lock.acquire()

        async def wait():
            async with lock:
                pass

        tasks = [asyncio.create_task(wait())]
        for _ in range(5000):
            await asyncio.create_task(asyncio.sleep(0))
        tasks.append(asyncio.create_task(wait()))
        await asyncio.sleep(0)
        lock.release()
        await asyncio.wait(tasks)

    path = tmp_path / "run.weave"
    with groundup.record(path, megabytes=1 / 16):
        groundup.run(main())
    shown = weave.load(path)
    assert shown.lost > 0
    lanes = [int(it) for it in shown.columns["waits.lane"]]
    waits = [it for it, lane in enumerate(lanes) if "wait" in shown.text("lanes.coroutine", lane)]
    assert [shown.text("waits.what", it) for it in waits] == ["lock 1", "lock 1"]


def test_what_is_waited_for_is_not_kept_alive_and_leaves_its_number_to_nobody(tmp_path):
    async def main():
        async def wait(event):
            await event.wait()

        for _ in range(3000):
            event = asyncio.Event()
            task = asyncio.create_task(wait(event))
            await asyncio.sleep(0)
            event.set()
            await task
            alive = weakref.ref(event)
            del event, task
            gc.collect(0)
            assert alive() is None

    shown = recorded(main, tmp_path)
    assert reasons(shown, "wait") == [f"event {number}" for number in range(1, 3001)]


def test_what_cannot_be_referred_to_weakly_has_no_number(tmp_path):
    class Slotted:
        __slots__ = ("waiter",)

    class Lock(asyncio.Lock):
        pass

    async def main():
        lock = Lock()
        await lock.acquire()
        acquire = asyncio.Lock.acquire

        class Stand(Slotted):
            __slots__ = ("_locked", "_loop", "_waiters")

            def _get_loop(self):
                return asyncio.get_running_loop()

        stand = Stand()
        stand._locked, stand._waiters = True, None

        async def wait():
            await acquire(stand)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    assert reasons(recorded(main, tmp_path), "wait") == ["lock"]
