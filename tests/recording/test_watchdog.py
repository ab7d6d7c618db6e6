"""Steps that take long: their stacks are in the recording, taken while they did."""

import asyncio
import gc
import socket
import sys
import threading
import time
import weakref
from pathlib import Path
from textwrap import dedent

import pytest

import groundup

from .reading import Weave, run

LIMIT = 0.02


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.weave"


@pytest.fixture
def stacks(path):
    """Record a coroutine, and return the stacks of its steps: whose, and their lines."""

    def stacks(main, limit=LIMIT):
        with groundup.record(path, megabytes=1, step_limit=limit):
            groundup.run(main)
        return Weave(path).stacks

    return stacks


def block(seconds=6 * LIMIT):
    time.sleep(seconds)


def here(function, line):
    return f"{function} ({__file__}:{line})"


async def blocking():
    await asyncio.sleep(0)
    block()
    await asyncio.sleep(0)


BLOCKING = blocking.__code__.co_firstlineno


def test_the_stack_of_a_step_that_blocks_is_taken_while_it_does(stacks):
    [(who, lines)] = stacks(blocking())
    block_line = block.__code__.co_firstlineno + 1
    assert who == "blocking"
    assert lines[-2:] == [here("blocking", BLOCKING + 2), here("block", block_line)]
    assert lines[0].startswith(("<module> (", "_run_module_as_main ("))


def test_a_step_within_the_limit_has_no_stack(stacks):
    assert stacks(blocking(), limit=60) == []
    assert stacks(blocking(), limit=None) == []


def test_a_step_has_one_stack_however_long_it_takes(stacks):
    async def twice():
        block(10 * LIMIT)
        await asyncio.sleep(0)
        block(10 * LIMIT)

    assert [lines[-1].partition(" ")[0] for _, lines in stacks(twice())] == ["block", "block"]


def test_python_that_computes_is_seen(stacks):
    async def compute():
        end = time.perf_counter() + 6 * LIMIT
        while time.perf_counter() < end:
            sum(range(100))

    [(who, lines)] = stacks(compute())
    assert (who, "compute" in lines[-1]) == ("compute", True)


def test_a_function_in_c_that_keeps_the_lock_is_seen_by_its_caller(stacks):
    async def count(most):
        # Neither lets go of the lock nor looks whether anybody wants it.
        sum(range(most))
        for _ in range(1000):
            await asyncio.sleep(0)

    # On a machine that is too busy to let the watchdog run meanwhile, it takes more.
    for most in [10_000_000, 40_000_000, 160_000_000]:
        [(who, lines)] = stacks(count(most))
        assert who == "count"
        if not lines[-1].startswith("(no stack"):
            break
    assert lines[-1].endswith(f"count ({__file__}:{count.__code__.co_firstlineno + 2})")


def test_what_holds_the_lock_to_the_end_of_the_step_is_said(stacks):
    async def main():
        asyncio.get_running_loop().call_soon(sum, range(20_000_000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert stacks(main()) == [
        ("sum", ["(no stack: the step held the interpreter lock to its end)"])
    ]


def test_callbacks_and_protocols_are_seen(stacks):
    class Protocol(asyncio.Protocol):
        def data_received(self, data):
            block()
            done.set()

    async def main():
        nonlocal done
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_soon(block)
        ours, theirs = socket.socketpair()
        transport, _ = await loop.create_connection(Protocol, sock=ours)
        theirs.send(b"x")
        await done.wait()
        transport.close()
        theirs.close()

    done = None
    ends = [lines[-1].partition(" ")[0] for _, lines in stacks(main())]
    assert ends == ["block", "block"]


def test_an_eager_task_within_a_step_does_not_hide_it(stacks):
    if sys.version_info < (3, 12):
        pytest.skip("Python 3.11 has no eager tasks")

    async def quick():
        pass

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await asyncio.create_task(quick())
        block()

    [(who, lines)] = stacks(main())
    assert (who, lines[-1].partition(" ")[0]) == ("main", "block")


def test_a_deep_stack_keeps_its_innermost_lines(stacks):
    def deep(depth):
        return block() if depth == 0 else deep(depth - 1)

    async def main():
        deep(400)

    [(_, lines)] = stacks(main())
    assert len("\n".join(lines)) <= 8000
    assert [line.partition(" ")[0].rpartition(".")[2] for line in lines[-2:]] == ["deep", "block"]


def test_loops_of_several_threads_are_watched(tmp_path):
    def work():
        groundup.run(blocking())

    with groundup.record(tmp_path / "run.weave", megabytes=1, step_limit=LIMIT) as recording:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = [Weave(path).stacks for path in recording.paths]
    assert [[who for who, _ in stacks] for stacks in found] == [["blocking"]] * 3
    assert all("work" in "".join(lines) for stacks in found for _, lines in stacks)


def test_the_thread_is_there_only_while_something_is_recorded(path):
    def threads():
        names = [it.read_text() for it in Path("/proc/self/task").glob("*/comm")]
        return names.count("groundup-watch\n")

    async def become(count):
        # A thread names itself, a moment after it began.
        async with asyncio.timeout(10):
            while threads() != count:
                await asyncio.sleep(0.01)

    with groundup.record(path, megabytes=1):
        groundup.run(become(1))
    with groundup.record(path, megabytes=1, step_limit=None):
        groundup.run(become(0))
    with groundup.record(path, megabytes=1):
        groundup.run(become(1))
    groundup.run(become(0))


def test_signals_are_not_taken_from_the_program(tmp_path):
    program = """
        import signal

        async def main():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(0.05)
            print(signal.sigwait([signal.SIGUSR1]).name)

        with groundup.record("run.weave", megabytes=1):
            groundup.run(main())
    """
    assert run(program, tmp_path).stdout == "SIGUSR1\n"


def test_a_recording_leaves_nothing_behind(path):
    async def main():
        block(3 * LIMIT)

    with groundup.record(path, megabytes=1, step_limit=LIMIT) as recording:
        loop = groundup.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
    left = weakref.ref(loop)
    del loop, recording
    gc.collect()
    assert left() is None


@pytest.mark.parametrize("limit", [0, -1, 0.0009, float("nan"), float("inf")])
def test_a_limit_out_of_range_is_named(path, limit):
    with pytest.raises(ValueError, match=rf"step_limit must be .*, got {limit!r}"):
        groundup.record(path, step_limit=limit)


ENDS = {
    "while it blocks": """
        async def main():
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.03)
            time.sleep(0.03)
    """,
    "in a daemon thread": """
        import threading
        async def forever():
            while True:
                time.sleep(0.003)
                await asyncio.sleep(0)
        threading.Thread(target=lambda: groundup.run(forever()), daemon=True).start()
        async def main():
            await asyncio.sleep(0.02)
    """,
    "of a fork": """
        async def main():
            time.sleep(0.003)
        # As long as it is not closed, it is watched.
        loop = groundup.new_event_loop()
        loop.run_until_complete(main())
        if os.fork():
            os.wait()
    """,
    "at once": """
        async def main():
            time.sleep(0.003)
            asyncio.get_running_loop().call_later(0.001, sys.exit)
            time.sleep(0.003)
            await asyncio.sleep(10)
    """,
}


@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_ends_as_ever(tmp_path, end):
    start = "groundup.record('%p.weave', megabytes=1 / 16, step_limit=0.001).start()\n"
    source = f"{start}{dedent(ENDS[end])}\ngroundup.run(main())\n"
    for _ in range(15):
        result = run(source, tmp_path, "-W", "ignore")
        assert (result.returncode, result.stderr) == (0, "")
