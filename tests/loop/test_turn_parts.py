"""The parts of a turn, by asyncio's names: to look at, to replace, and to make turns of."""

import asyncio
import heapq
import selectors
import socket
import threading

import pytest

import groundup


def test_what_is_ready_shows_as_a_deque_of_handles(same):
    def body(loop):
        first, second = loop.call_soon(print), loop.call_soon(print)
        ready = loop._ready
        return (
            bool(ready),
            len(ready),
            list(ready) == [first, second],
            ready[0] is first,
            ready[-1] is second,
            first in ready,
            loop.call_later(1, print) in ready,
            all(isinstance(handle, asyncio.Handle) for handle in ready),
        )

    assert same(body)


def test_the_ready_queue_is_changed_by_hand(same):
    def body(loop):
        called = []
        handles = [loop.call_soon(called.append, number) for number in range(6)]
        ready = loop._ready
        ready.appendleft(ready.pop())
        ready.append(ready.popleft())
        ready.remove(handles[2])
        ready.extend([handles[2], handles[2]])
        ready.extendleft([ready.popleft(), ready.popleft()])
        ready.popleft()._run()
        loop._run_once()
        loop.call_soon(called.append, "dropped")
        ready.clear()
        loop.stop()
        loop._run_once()
        return called, len(ready)

    assert same(body) == ([1, 0, 3, 4, 5, 2, 2], 0)


def test_handles_are_put_before_others(same):
    def body(loop):
        called = []
        for number in range(3):
            loop.call_soon(called.append, number)
        ready = loop._ready
        ready.extendleft([ready.popleft(), ready.popleft()])
        loop.stop()
        loop._run_once()
        return called

    assert same(body) == [1, 0, 2]


def test_taking_from_an_empty_ready_queue_raises_what_a_deque_does(loop):
    for take in [loop._ready.pop, loop._ready.popleft]:
        with pytest.raises(IndexError):
            take()
    with pytest.raises(ValueError):
        loop._ready.remove(loop.call_later(1, print))
    with pytest.raises(TypeError, match="not a handle: 5"):
        loop._ready.append(5)


def test_a_handle_of_asyncios_own_is_called(same):
    def body(loop):
        called = []
        for cancel in [False, True]:
            handle = asyncio.Handle(called.append, (cancel,), loop)
            loop._ready.append(handle)
            if cancel:
                handle.cancel()
        loop._add_callback(asyncio.Handle(called.append, ("added",), loop))
        loop._run_once()
        return called

    assert same(body) == [False, "added"]


def test_a_timer_put_on_the_ready_queue_is_called_once_and_now(same):
    def body(loop):
        called = []
        timer = loop.call_later(0.01, called.append, 1)
        scheduled = loop._scheduled
        ready = timer._scheduled
        handle = heapq.heappop(scheduled)
        handle._scheduled = False
        loop._ready.append(handle)
        loop._run_once()
        loop.run_until_complete(asyncio.sleep(0.02))
        return called, ready, timer._scheduled

    assert same(body) == ([1], True, False)


def test_timers_show_as_a_heap_of_handles(same):
    def body(loop):
        timers = [loop.call_later(seconds, print) for seconds in (30, 10, 20)]
        scheduled = loop._scheduled
        due = [heapq.heappop(scheduled) for _ in range(3)]
        return [timers.index(timer) for timer in due]

    assert same(body) == [1, 2, 0]


def test_an_io_event_shows_as_a_handle_that_runs_once(loop, pair):
    ours, theirs = pair()
    read = []
    loop.add_reader(ours, lambda: read.append(ours.recv(10)))
    theirs.send(b"data")
    assert loop._selector.select(1) == []
    handle = loop._ready.popleft()
    assert isinstance(handle, asyncio.Handle)
    assert not handle._cancelled
    handle._run()
    handle._run()
    assert read == [b"data"]
    assert handle.cancelled()
    loop.remove_reader(ours)


def test_what_was_taken_out_can_be_put_back(loop, pair):
    ours, theirs = pair()
    read = []
    loop.add_reader(ours, lambda: read.append(ours.recv(10)))
    theirs.send(b"data")
    loop._selector.select(1)
    loop._ready.append(loop._ready.popleft())
    loop._run_once()
    assert read == [b"data"]
    loop.remove_reader(ours)


def test_a_program_takes_turns_of_its_own(same):
    """As nest_asyncio does."""

    def turn(loop):
        ready, scheduled = loop._ready, loop._scheduled
        timeout = 0 if ready or loop._stopping else None
        if timeout is None and scheduled:
            timeout = max(0, scheduled[0]._when - loop.time())
        loop._process_events(loop._selector.select(timeout))
        end = loop.time() + loop._clock_resolution
        while scheduled and scheduled[0]._when < end:
            ready.append(heapq.heappop(scheduled))
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    async def talk():
        async def answer(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"line\n")
            await asyncio.sleep(0.01)
            line = await asyncio.to_thread(lambda: "from a thread")
            result = await reader.readline(), line
            writer.close()
            await writer.wait_closed()
            return result

    def body(loop):
        loop._check_closed()
        asyncio._set_running_loop(loop)
        loop._thread_id = threading.get_ident()
        try:
            task = loop.create_task(talk())
            while not task.done():
                turn(loop)
        finally:
            loop._thread_id = None
            asyncio._set_running_loop(None)
        assert not loop.is_running()
        loop.run_until_complete(loop.shutdown_default_executor())
        return task.result()

    assert same(body) == (b"line\n", "from a thread")


def test_turns_are_taken_inside_a_turn(same):
    async def body(loop):
        called = []
        loop.call_soon(called.append, 1)
        loop.call_soon(lambda: called.append(len(loop._ready)))
        while loop._ready:
            loop._run_once()
        return called

    assert same(body) == [1, 0]


class OnItsOwnTime:
    """Steps over what a selector would sleep."""

    def __init__(self, loop):
        self.now, self.slept = 1000.0, []
        self._select = loop._selector.select

    def time(self):
        return self.now

    def select(self, timeout):
        self.slept.append(timeout)
        self.now += timeout or 0
        return self._select(0)


def test_patched_time_is_what_timers_go_by(same):
    def body(loop):
        simulation = OnItsOwnTime(loop)
        loop.time, loop._selector.select = simulation.time, simulation.select
        called = []
        for hours in [3, 1, 2]:
            loop.call_later(hours * 3600, lambda hours=hours: called.append((hours, loop.time())))
        loop.call_at(1000.0 + 4 * 3600, loop.stop)
        loop.run_forever()
        del loop.time, loop._selector.select
        before = loop.time()
        loop.run_until_complete(asyncio.sleep(0.01))
        return called, simulation.now, loop.time() - before < 5

    called, now, _ = same(body)
    assert (called, now) == ([(1, 4600.0), (2, 8200.0), (3, 11800.0)], 15400.0)


def test_time_that_is_patched_in_a_run_holds_at_once(same):
    async def body(loop):
        simulation = OnItsOwnTime(loop)
        loop.time, loop._selector.select = simulation.time, simulation.select
        await asyncio.sleep(1000)
        del loop.time, loop._selector.select
        return simulation.now

    assert same(body) == 2000.0


@pytest.mark.parametrize("base", [asyncio.SelectorEventLoop, groundup.EventLoop])
def test_a_subclass_replaces_parts(base):
    class Loop(base):
        now, turns, timers = 0.0, 0, ()

        def time(self):
            return self.now

        def call_at(self, when, callback, *args, context=None):
            self.timers += (when,)
            return super().call_at(when, callback, *args, context=context)

        def _run_once(self):
            self.turns += 1
            self.now += 0.05
            super()._run_once()

    loop = Loop()
    loop.run_until_complete(asyncio.sleep(0.1))
    assert (loop.timers, 2 <= loop.turns <= 5) == ((0.05 + 0.1,), True)
    loop.close()


def test_a_selector_of_ones_own_polls(same):
    class Selector:
        def __init__(self):
            self.asked = []

        def select(self, timeout):
            self.asked.append(timeout)
            return []

        def close(self):
            pass

    def body(loop):
        own, loop._selector = loop._selector, Selector()
        loop.call_soon(print)
        loop._run_once()
        loop.call_at(loop.time() - 1, print)
        loop._run_once()
        asked, loop._selector = loop._selector.asked, own
        loop.run_until_complete(asyncio.sleep(0))
        return asked

    assert same(body) == [0, 0]


def test_events_of_a_selector_of_ones_own_are_processed(loop):
    called = []
    handles = [asyncio.Handle(called.append, (name,), loop) for name in ("reader", "writer")]
    key = selectors.SelectorKey(5, 5, 3, tuple(handles))
    loop._process_events([(key, selectors.EVENT_WRITE), (key, selectors.EVENT_READ)])
    loop._run_once()
    assert called == ["writer", "reader"]


def test_the_selector_tells_what_is_watched(same):
    def body(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            before = len(loop._selector.get_map())
            loop.add_reader(ours, print, "reader")
            loop.add_writer(ours, print, "writer")
            key = loop._selector.get_key(ours)
            reader, writer = key.data
            found = key.fd == ours.fileno(), key.events, reader._args, writer._args
            after = len(loop._selector.get_map())
            loop.remove_reader(ours)
            loop.remove_writer(ours)
            with pytest.raises(KeyError):
                loop._selector.get_key(ours)
            return found, after - before

    assert same(body) == ((True, 3, ("reader",), ("writer",)), 1)


def test_watching_gives_a_handle(same):
    def body(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"data")
            called = []
            reader = loop._add_reader(ours.fileno(), called.append, "reader")
            writer = loop._add_writer(ours.fileno(), called.append, "writer")
            loop._run_once()
            writer.cancel()
            loop._run_once()
            removed = loop._remove_reader(ours.fileno())
            loop._remove_writer(ours.fileno())
            return called[:2], isinstance(reader, asyncio.Handle), removed

    assert same(body) == (["reader", "writer"], True, True)


def test_stopping_is_seen_and_set(same):
    def body(loop):
        seen = [loop._stopping]
        loop.stop()
        seen.append(loop._stopping)
        loop._stopping = False
        seen.append(loop._stopping)
        loop.call_soon(setattr, loop, "_stopping", True)
        loop.run_forever()
        return [*seen, loop._stopping]

    assert same(body) == [False, True, False, False]


def test_a_loop_runs_by_setup_and_cleanup(same):
    if not hasattr(asyncio.BaseEventLoop, "_run_forever_setup"):
        pytest.skip("new in Python 3.13")

    def body(loop):
        seen = []
        loop.call_soon(lambda: seen.append(asyncio.get_running_loop() is loop))
        loop._run_forever_setup()
        try:
            seen.append((loop.is_running(), loop._thread_id == threading.get_ident()))
            loop._run_once()
        finally:
            loop._run_forever_cleanup()
        return seen, loop.is_running(), loop._thread_id, loop._old_agen_hooks

    assert same(body) == ([(True, True), True], False, None, None)


def test_private_state_is_what_the_methods_say(same):
    def body(loop):
        def handler(loop, context): ...
        def factory(loop, coroutine): ...

        states = [loop._debug, loop._closed, loop._exception_handler, loop._task_factory]
        states += [loop._default_executor, len(loop._asyncgens), loop._signal_handlers]
        loop._debug, loop._exception_handler, loop._task_factory = True, handler, factory
        states += [loop.get_debug(), loop.get_exception_handler() is handler]
        states += [loop.get_task_factory() is factory, 0 < loop._clock_resolution < 1e-3]
        loop.close()
        return [*states, loop._closed]

    assert same(body) == [False, False, None, None, None, 0, {}, True, True, True, True, True]


def test_a_loop_is_one_of_asyncios_base_class(loop):
    assert isinstance(loop, asyncio.BaseEventLoop)
