"""A program that runs loops inside of the loop: patched by the module that its argument names."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading

import groundup

nest_asyncio = importlib.import_module(sys.argv[1])


async def double(number):
    await asyncio.sleep(0.001)
    return 2 * number


async def talk(text):
    """Send text to a server and return what it answers."""

    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(text)
    answer = await reader.read()
    writer.close()
    server.close()
    return answer


def deeper(loop, depth):
    """Run the loop inside of itself that many times."""
    if depth:
        loop.call_soon(deeper, loop, depth - 1)
        loop.run_until_complete(double(depth))


async def main():
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert isinstance(loop, groundup.EventLoop)
    ticks = asyncio.create_task(tick())
    assert [loop.run_until_complete(double(number)) for number in range(3)] == [0, 2, 4]
    assert asyncio.run(double(21)) == 42
    assert loop.run_until_complete(talk(b"hello\n")) == b"HELLO\n"
    assert loop.run_until_complete(loop.run_in_executor(None, sum, [1, 2])) == 3
    future = loop.create_future()
    threading.Timer(0.01, loop.call_soon_threadsafe, (future.set_result, "woken")).start()
    assert loop.run_until_complete(future) == "woken"
    deeper(loop, 5)
    assert asyncio.current_task() is task
    assert asyncio.get_running_loop() is loop
    ticks.cancel()
    await asyncio.gather(ticks, return_exceptions=True)
    await asyncio.sleep(0.001)


async def tick():
    """Go on while others nest."""
    while True:
        await asyncio.sleep(0)


loop = groundup.new_event_loop()
asyncio.set_event_loop(loop)
nest_asyncio.apply(loop)
loop.run_until_complete(main())
loop.close()
print("done")
