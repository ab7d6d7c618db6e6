"""A service that hashes passwords on the event loop: while it does, nobody else gets a turn.

It records itself; `groundup view blocking_call.weave` shows who blocked the loop.
"""

import asyncio
import hashlib

import groundup


def check_password(password):
    return hashlib.pbkdf2_hmac("sha256", password, b"salt", 1_000_000)


async def log_in(name):
    await asyncio.sleep(0.02)  # a query
    check_password(name.encode())  # better: await asyncio.to_thread(check_password, name.encode())


async def answer_pings():
    while True:
        await asyncio.sleep(0.005)


async def main():
    async with asyncio.TaskGroup() as tasks:
        pings = [tasks.create_task(answer_pings(), name=f"pings-{n}") for n in range(4)]
        await asyncio.sleep(0.05)
        await tasks.create_task(log_in("ann"), name="log in ann")
        await asyncio.sleep(0.05)
        for ping in pings:
            ping.cancel()


with groundup.record("blocking_call.weave"):
    groundup.run(main())
print("see: groundup view blocking_call.weave")
