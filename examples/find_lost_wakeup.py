"""A wake-up that nobody hears: an event is set and cleared while nobody waits for it.

It records itself; `groundup view lost_wakeup.weave` shows who waits for ever, for what, and where.
"""

import asyncio

import groundup


async def print_all(letters, arrived):
    while True:
        await arrived.wait()
        letter = letters.pop(0)
        await asyncio.sleep(0.01)  # whatever arrives meanwhile is not waited for
        print(letter)


async def send(letters, arrived):
    for letter in "ab":
        letters.append(letter)
        arrived.set()
        arrived.clear()  # better: let the one who took the last letter do that, or take a queue
        await asyncio.sleep(0)


async def main():
    letters, arrived = [], asyncio.Event()
    with groundup.record("lost_wakeup.weave"):
        printer = asyncio.create_task(print_all(letters, arrived), name="printer")
        await asyncio.sleep(0.02)
        await asyncio.create_task(send(letters, arrived), name="sender")
        await asyncio.sleep(0.05)
    printer.cancel()
    print("left over:", *letters)


groundup.run(main())
print("see: groundup view lost_wakeup.weave")
