"""Forks: a child of a process that has a loop makes one of its own."""

import asyncio
import os
import signal
import sys
import traceback

import pytest

import groundup

# From Python 3.12 on, forking is warned of where there are other threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def in_child(body):
    """Run a body in a forked child; what it raises fails the test."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(50)
            body()
            code = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


async def work():
    loop = asyncio.get_running_loop()
    reader, writer = os.pipe()
    future = loop.create_future()
    loop.add_reader(reader, future.set_result, "read")
    os.write(writer, b"x")
    results = [await asyncio.sleep(0.001, "slept"), await future]
    loop.remove_reader(reader)
    os.close(reader)
    os.close(writer)
    return [*results, await loop.run_in_executor(None, int, "5")]


def test_a_child_runs_a_loop_of_its_own(loop):
    loop.run_until_complete(asyncio.sleep(0))

    def body():
        assert groundup.run(work()) == ["slept", "read", 5]

    in_child(body)
    assert loop.run_until_complete(work()) == ["slept", "read", 5]


def test_a_child_of_a_running_loop_runs_one_too(loop):
    async def main():
        in_child(lambda: groundup.run(work()))
        return await work()

    assert loop.run_until_complete(main()) == ["slept", "read", 5]


def test_a_child_that_forgets_its_parents_loop_does_not_disturb_it(loop):
    called = []
    reader, writer = os.pipe()
    loop.add_reader(reader, called.append, "read")

    def body():
        groundup.run(work())

    in_child(body)
    os.write(writer, b"x")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.remove_reader(reader)
    os.close(reader)
    os.close(writer)
    assert called == ["read"]


def test_signals_of_the_child_are_its_own(loop):
    called = []
    loop.add_signal_handler(signal.SIGUSR1, called.append, 1)

    def body():
        async def main():
            event = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, event.set)
            os.kill(os.getpid(), signal.SIGUSR2)
            await asyncio.wait_for(event.wait(), 30)

        groundup.run(main())

    in_child(body)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert called == []
