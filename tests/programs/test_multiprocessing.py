"""multiprocessing and the loop: in the parent that waits, and in the children that work."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

import groundup

# From Python 3.12 on, forking is warned of where there are other threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

METHODS = ["fork", "forkserver", "spawn"]


async def reverse(text):
    """Send text to a server of one's own, and return its answer and what runs it."""

    async def serve(reader, writer):
        writer.write((await reader.read())[::-1])
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(text)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer, type(asyncio.get_running_loop()).__module__


def work(text):
    return *groundup.run(reverse(text)), os.getpid()


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_processes_runs_loops_while_the_parents_goes_on(run, method):
    async def main():
        loop = asyncio.get_running_loop()
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            calls = [loop.run_in_executor(pool, work, b"%d" % n) for n in range(10, 30)]
            while not all(call.done() for call in calls):
                assert await reverse(b"parent") == (b"tnerap", "groundup.event_loop")
            results = [await call for call in calls]
        assert [answer for answer, _, _ in results] == [(b"%d" % n)[::-1] for n in range(10, 30)]
        assert {module for _, module, _ in results} == {"groundup.event_loop"}
        assert os.getpid() not in {process for _, _, process in results}

    run(main())


def test_a_worker_that_dies_is_told(run):
    async def main():
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool, pytest.raises(BrokenProcessPool):
            await asyncio.get_running_loop().run_in_executor(pool, os._exit, 1)

    run(main())


def send_numbers(pipe):
    with pipe:
        for number in range(100):
            pipe.send(number)


def test_a_pipe_and_a_sentinel_are_watched(run):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=send_numbers, args=(theirs,))
        child.start()
        theirs.close()
        received, ended, exited = [], asyncio.Event(), asyncio.Event()

        def receive():
            try:
                received.append(ours.recv())
            except EOFError:
                ended.set()

        loop.add_reader(ours, receive)
        loop.add_reader(child.sentinel, exited.set)
        await asyncio.gather(ended.wait(), exited.wait())
        loop.remove_reader(ours)
        loop.remove_reader(child.sentinel)
        ours.close()
        child.join()
        assert received == list(range(100))

    run(main())
