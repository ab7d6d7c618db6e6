"""What tasks use to wait for each other."""

from __future__ import annotations

import asyncio

from ..in_process import counted


@counted("synchronisation/queue", per="item")
async def queue(count):
    """A producer and a consumer with a queue of a hundred places between them."""
    items = asyncio.Queue(100)

    async def produce():
        for number in range(count):
            await items.put(number)

    producer = asyncio.create_task(produce())
    for _ in range(count):
        await items.get()
    await producer


@counted("synchronisation/queue-handover", per="item")
async def queue_handover(count):
    """A producer and a consumer with one place between them: each item changes tasks."""
    items = asyncio.Queue(1)

    async def produce():
        for number in range(count):
            await items.put(number)

    producer = asyncio.create_task(produce())
    for _ in range(count):
        await items.get()
    await producer


@counted("synchronisation/lock", per="turn")
async def lock(count):
    """Ten tasks that want one lock, and give way while they hold it."""
    wanted = asyncio.Lock()

    async def hold():
        for _ in range(-(-count // 10)):
            async with wanted:
                await asyncio.sleep(0)

    await asyncio.gather(*(hold() for _ in range(10)))


@counted("synchronisation/event", per="event")
async def event(count):
    """Two tasks that wake each other with events."""
    here, there = asyncio.Event(), asyncio.Event()

    async def answer():
        for _ in range(count):
            await here.wait()
            here.clear()
            there.set()

    answering = asyncio.create_task(answer())
    for _ in range(count):
        here.set()
        await there.wait()
        there.clear()
    await answering


@counted("synchronisation/semaphore", per="turn")
async def semaphore(count):
    """Ten tasks of which two at a time may go on."""
    places = asyncio.Semaphore(2)

    async def go():
        for _ in range(-(-count // 10)):
            async with places:
                await asyncio.sleep(0)

    await asyncio.gather(*(go() for _ in range(10)))
