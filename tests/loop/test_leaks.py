"""Nothing is kept that nobody needs: loops, callbacks, tasks, descriptors."""

import asyncio
import gc
import os
import socket
import sys
import weakref

import pytest

import groundup
from comparison import turn


def descriptors():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


class Owner:
    """Something that has a loop, and that the loop knows of, in every way there is."""

    def __init__(self):
        self.loop = groundup.new_event_loop()
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)

    def method(self, *args):
        pass

    async def wait(self, future):
        await future

    def call_soon(self):
        self.loop.call_soon(self.method)

    def call_soon_and_keep_the_handle(self):
        self.handle = self.loop.call_soon(self.method, self)

    def call_soon_threadsafe(self):
        self.loop.call_soon_threadsafe(self.method)

    def call_later(self):
        self.loop.call_later(60, self.method)

    def call_later_and_keep_the_handle(self):
        self.handles = [self.loop.call_later(60, self.method, self) for _ in range(300)]

    def add_reader(self):
        self.loop.add_reader(self.ours, self.method)

    def add_writer(self):
        self.loop.add_writer(self.ours, self.method)

    def set_exception_handler(self):
        self.loop.set_exception_handler(self.method)

    def set_task_factory(self):
        self.loop.set_task_factory(self.method)

    def set_attribute(self):
        self.loop.owner = self

    def create_future(self):
        self.future = self.loop.create_future()
        self.future.add_done_callback(self.method)

    def create_task(self):
        self.task = self.loop.create_task(self.wait(self.loop.create_future()))
        self.task._log_destroy_pending = False
        turn(self.loop, 2)

    def debug_mode(self):
        self.loop.set_debug(True)
        self.handle = self.loop.call_later(60, self.method)

    def close(self):
        self.ours.close()
        self.theirs.close()
        self.loop.close()


WAYS = [name for name in vars(Owner) if name not in ("method", "wait", "close", "__init__")]
WAYS = [name for name in WAYS if not name.startswith("__")]


@pytest.mark.parametrize("way", WAYS)
def test_a_closed_loop_goes_with_its_owner(way):
    owner = Owner()
    getattr(owner, way)()
    owner.close()
    references = weakref.ref(owner), weakref.ref(owner.loop)
    del owner
    gc.collect()
    assert [reference() for reference in references] == [None, None]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_a_loop_that_was_not_closed_goes_with_its_owner(way):
    gc.collect()
    before = descriptors()
    owner = Owner()
    getattr(owner, way)()
    references = weakref.ref(owner), weakref.ref(owner.loop)
    del owner
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    assert descriptors() == before


def test_loops_leave_no_descriptors():
    gc.collect()
    before = descriptors()
    for _ in range(500):
        groundup.run(asyncio.sleep(0))
    assert descriptors() == before


def test_closed_loops_that_are_kept_hold_no_descriptors():
    before = descriptors()
    loops = []
    for _ in range(20):
        loop = groundup.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        loops.append(loop)
    assert descriptors() == before


def test_executors_and_signals_leave_no_descriptors():
    import signal

    async def main():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, print)
        await loop.run_in_executor(None, int)

    before = descriptors()
    for _ in range(20):
        groundup.run(main())
    assert descriptors() == before


def stays(act, times=600):
    """Repeating an act again and again makes neither objects nor descriptors more.

    Caches may grow now and then, but what leaks grows each time.
    """
    growths = []
    for _ in range(4):
        before = counts()
        for _ in range(times):
            act()
        growths.append([after - count for after, count in zip(counts(), before, strict=True)])
    for smallest in map(min, zip(*growths, strict=True)):
        assert smallest < times / 2, growths


def counts():
    gc.collect()
    return len(gc.get_objects()), descriptors(), sys.getallocatedblocks()


def test_callbacks_are_let_go(loop):
    def act():
        loop.call_soon(int)
        loop.call_soon_threadsafe(int)
        loop.call_later(0, int)
        loop.call_later(60, int).cancel()
        turn(loop)

    stays(act)


def test_failing_callbacks_are_let_go(loop):
    loop.set_exception_handler(lambda loop, context: None)

    def act():
        loop.call_soon(int, "x")
        turn(loop)

    stays(act)


def test_callbacks_of_debug_mode_are_let_go(loop):
    loop.set_debug(True)

    def act():
        loop.call_soon(int).cancel()
        repr(loop.call_later(0, int))
        turn(loop)

    stays(act, 200)


def test_runs_and_tasks_are_let_go(loop):
    async def child():
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(child(), child())
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()

    stays(lambda: loop.run_until_complete(main()), 100)


def test_failing_runs_are_let_go(loop):
    async def main():
        raise ValueError

    def act():
        try:
            loop.run_until_complete(main())
        except ValueError:
            pass

    stays(act, 100)


def test_watches_are_let_go(loop, socketpair):
    ours, theirs = socketpair
    theirs.send(b"x")

    def act():
        loop.add_reader(ours, int)
        loop.add_writer(ours, int)
        loop.add_reader(ours, int)
        turn(loop)
        loop.remove_reader(ours)
        loop.remove_writer(ours)

    stays(act)


def test_waits_are_let_go(loop, socketpair):
    ours, theirs = socketpair

    async def main():
        loop.call_soon(theirs.send, b"x")
        await loop.sock_recv(ours, 10)
        task = loop.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    stays(lambda: loop.run_until_complete(main()), 100)


def test_jobs_are_let_go(loop):
    async def main():
        await loop.run_in_executor(None, int)

    stays(lambda: loop.run_until_complete(main()), 100)


def test_generators_are_let_go(loop):
    async def generate():
        yield 1
        yield 2

    async def main():
        async for _ in generate():
            pass
        async for _ in generate():
            break
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    stays(lambda: loop.run_until_complete(main()), 100)


def test_a_closed_loop_that_is_kept_holds_nothing_of_its_callbacks():
    class Thing:
        def method(self):
            pass

    loop = groundup.new_event_loop()
    thing = Thing()
    reference = weakref.ref(thing)
    handles = [loop.call_soon(thing.method), loop.call_later(60, thing.method)]
    loop.set_exception_handler(thing.method)
    loop.set_exception_handler(None)
    loop.close()
    del thing, handles
    assert reference() is None


def test_a_wait_that_is_given_up_lets_its_loop_go():
    """A task in the middle of a sock_ method, on a loop that is closed all the same."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        loop = groundup.new_event_loop()
        task = loop.create_task(loop.sock_recv(ours, 10))
        task._log_destroy_pending = False
        turn(loop, 2)
        loop.close()
        reference = weakref.ref(loop)
        del loop, task
        gc.collect()
        assert reference() is None
