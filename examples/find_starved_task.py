"""A task that is ready and does not get its turn: all others go on as soon as they have paused.

It records itself; `groundup view starved_task.weave` shows how long it stood ready, and who ran.
"""

import asyncio

import groundup


async def crunch(rounds):
    for _ in range(rounds):
        sum(range(300_000))  # better: smaller rounds, or another process
        await asyncio.sleep(0)


async def beat(times):
    for _ in range(times):
        await asyncio.sleep(0.001)


async def main():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat(5), name="heart")
        for number in range(6):
            tasks.create_task(crunch(10), name=f"cruncher-{number}")


with groundup.record("starved_task.weave"):
    groundup.run(main())
print("see: groundup view starved_task.weave")
