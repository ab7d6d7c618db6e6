"""A service with a black box: nothing is written down until something goes wrong.

One order in a hundred is large, and summing it up takes long. Then the box keeps what came before.
"""

import asyncio
import time

import groundup


def sum_up(order):
    if order == 100:
        time.sleep(0.2)  # a large one
    return order


async def serve(orders):
    while True:
        sum_up(await orders.get())
        orders.task_done()


async def main():
    orders = asyncio.Queue()
    serving = asyncio.create_task(serve(orders), name="serve")
    for order in range(1, 151):
        orders.put_nowait(order)
        await asyncio.sleep(0.001)
    await orders.join()
    serving.cancel()


with groundup.black_box("service.weave", step_limit=0.1) as box:
    groundup.run(main())
for path in box.paths:
    print("see: groundup view", path.name)
