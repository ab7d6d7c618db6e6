"""What asyncio builds on tasks behaves on this loop as on its own."""

import asyncio

import pytest


def test_a_task_group_waits_and_cancels(same):
    async def body(loop):
        seen = []

        async def child(delay, fail):
            try:
                await asyncio.sleep(delay)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            if fail:
                raise ValueError(fail)
            return delay

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(child(delay / 1000, None)) for delay in range(3)]
        seen.append([task.result() for task in tasks])

        async def failing():
            async with asyncio.TaskGroup() as group:
                group.create_task(child(60, None))
                group.create_task(child(0, "failed"))

        with pytest.raises(ExceptionGroup) as caught:
            await failing()
        seen.append([repr(error) for error in caught.value.exceptions])
        return seen

    assert same(body) == [[0.0, 0.001, 0.002], "cancelled", ["ValueError('failed')"]]


def test_timeouts(same):
    async def body(loop):
        seen = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        async with asyncio.timeout(60) as scope:
            await asyncio.sleep(0)
            seen.append(scope.when() > loop.time())
            scope.reschedule(None)
        async with asyncio.timeout(None):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(loop.time() - 1):
                await asyncio.sleep(60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.create_future(), 0.01)
        seen.append(await asyncio.wait_for(asyncio.sleep(0, "x"), 60))
        return seen

    assert same(body) == [True, "x"]


def test_waiting_for_several(same):
    async def body(loop):
        async def child(delay):
            await asyncio.sleep(delay)
            return delay

        tasks = [asyncio.create_task(child(delay)) for delay in (0.02, 0, 60)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = {task.result() for task in done}, len(pending)
        done, pending = await asyncio.wait(tasks, timeout=0.1)
        second = {task.result() for task in done}, len(pending)
        tasks[2].cancel()
        order = [await next_ for next_ in asyncio.as_completed([child(0.02), child(0)])]
        await asyncio.gather(*tasks, return_exceptions=True)
        return first, second, order

    assert same(body) == (({0}, 2), ({0, 0.02}, 1), [0, 0.02])


def test_gathering_exceptions(same):
    async def body(loop):
        async def fail(text):
            raise ValueError(text)

        results = await asyncio.gather(fail("a"), asyncio.sleep(0, 1), return_exceptions=True)
        with pytest.raises(ValueError, match="b"):
            await asyncio.gather(fail("b"), asyncio.sleep(0))
        return [repr(result) for result in results]

    assert same(body) == ["ValueError('a')", "1"]


def test_queues(same):
    async def body(loop):
        queue = asyncio.Queue(2)
        seen = []

        async def produce():
            for number in range(10):
                await queue.put(number)
            await queue.join()
            seen.append("joined")

        async def consume():
            while True:
                seen.append(await queue.get())
                queue.task_done()
                await asyncio.sleep(0)

        consumer = asyncio.create_task(consume())
        await produce()
        consumer.cancel()
        return seen

    assert same(body) == [*range(10), "joined"]


def test_locks_events_semaphores_and_conditions(same):
    async def body(loop):
        seen = []
        lock, event, semaphore = asyncio.Lock(), asyncio.Event(), asyncio.Semaphore(2)
        condition = asyncio.Condition()

        async def work(number):
            async with lock:
                seen.append(("locked", number))
                await asyncio.sleep(0)
            await event.wait()
            async with semaphore:
                seen.append(("in", number))
                await asyncio.sleep(0)
                seen.append(("out", number))
            async with condition:
                await condition.wait_for(lambda: len(seen) >= 12)

        async def set_off():
            await asyncio.sleep(0.01)
            event.set()
            while len(seen) < 12:
                await asyncio.sleep(0)
            async with condition:
                condition.notify_all()

        await asyncio.gather(*map(work, range(4)), set_off())
        return seen

    assert len(same(body)) == 12
