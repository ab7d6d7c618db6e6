"""The exit of a child: its return code, whoever takes its status, and signals."""

from __future__ import annotations

import asyncio
import signal
import sys
import time

import pytest

from .connections import turns, until
from .processes import (
    DEVNULL,
    PIPE,
    SLEEP,
    child,
    children,
    is_alive,
    python,
)


@pytest.mark.parametrize("code", [0, 1, 42, 255])
async def test_the_return_code_is_the_exit_code(code):
    process = await asyncio.create_subprocess_exec("sh", "-c", f"exit {code}")
    assert await process.wait() == code
    assert process.returncode == code
    assert await process.wait() == code


async def test_a_child_that_closes_its_input_and_lives_on_costs_no_time():
    async with child("sh", "-c", "exec <&-; exec sleep 60") as (_, protocol):
        await until(lambda: ("pipe_connection_lost", 0) in protocol.calls)
        spent = time.process_time()
        await asyncio.sleep(0.2)
        assert time.process_time() - spent < 0.1


async def test_many_can_wait_and_a_cancelled_one_disturbs_nobody():
    process = await asyncio.create_subprocess_exec(*SLEEP)
    waiting = [asyncio.create_task(process.wait()) for _ in range(3)]
    await turns(2)
    waiting[1].cancel()
    await turns(2)
    process.kill()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[0] == found[2] == -signal.SIGKILL
    assert isinstance(found[1], asyncio.CancelledError)


async def test_the_calls_come_in_order():
    async with child("sh", "-c", "echo out; echo err >&2; exit 3") as (transport, protocol):
        assert await protocol.lost is None
    assert protocol.calls[0] == "connection_made"
    assert protocol.calls[-1] == "connection_lost"
    for fd in (1, 2):
        received = protocol.calls.index(("pipe_data_received", fd))
        assert received < protocol.calls.index(("pipe_connection_lost", fd))
    assert sorted(map(str, protocol.calls[1:-1])) == [
        "('pipe_connection_lost', 0)",
        "('pipe_connection_lost', 1)",
        "('pipe_connection_lost', 2)",
        "('pipe_data_received', 1)",
        "('pipe_data_received', 2)",
        "process_exited",
    ]
    assert transport.get_returncode() == 3
    assert transport.get_protocol() is None


async def test_the_exit_of_a_child_that_has_closed_its_streams_before():
    command = python("import os, time\nfor fd in range(3): os.close(fd)\ntime.sleep(0.1)")
    async with child(*command) as (_, protocol):
        assert await protocol.exited == 0
        await protocol.lost
    assert protocol.calls == [
        "connection_made",
        *[("pipe_connection_lost", fd) for fd in (0, 1, 2)],
        "process_exited",
        "connection_lost",
    ]


async def test_whether_waiting_ends_while_a_grandchild_keeps_the_pipes():
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "sleep 0.2 & read line; exit 5", stdin=PIPE, stdout=PIPE
    )
    exited = asyncio.create_task(process.wait())
    await turns(2)
    process.stdin.write(b"\n")
    await until(lambda: process.returncode is not None)
    await turns(5)
    # Before Python 3.14, whoever waits for the exit waits for the loss of the pipes too.
    assert exited.done() == (sys.version_info >= (3, 14))
    assert await exited == 5
    assert await process.stdout.read() == b""
    process.stdin.close()
    await turns(3)


@pytest.mark.asyncio_since(3, 14)
async def test_a_child_can_be_ended_after_its_loop_was_closed(new_loop):
    def in_thread():
        loop = new_loop()
        transport, _ = loop.run_until_complete(
            loop.subprocess_exec(asyncio.SubprocessProtocol, *SLEEP)
        )
        loop.close()
        transport.kill()
        transport.get_extra_info("subprocess").wait()
        transport.close()
        for fd in range(3):
            transport.get_pipe_transport(fd)._pipe.close()
            transport.get_pipe_transport(fd)._pipe = None
        return transport.get_pid()

    assert not is_alive(await asyncio.to_thread(in_thread))


@pytest.mark.groundup_only
def test_a_transport_that_is_dropped_with_its_loop_kills_the_child(new_loop):
    loop = new_loop()
    transport, _ = loop.run_until_complete(
        loop.subprocess_exec(
            asyncio.SubprocessProtocol, *SLEEP, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
    )
    popen, pid = transport.get_extra_info("subprocess"), transport.get_pid()
    loop.close()
    last = [transport]
    del transport
    with pytest.warns(ResourceWarning, match=f"unclosed transport <.* pid={pid} running"):
        last.clear()
    assert popen.wait() == -signal.SIGKILL


async def test_loops_in_several_threads_run_children_at_once(new_loop):
    def in_thread():
        async def main():
            async def one(number):
                process = await asyncio.create_subprocess_exec("sh", "-c", f"exit {number}")
                return await process.wait()

            return await asyncio.gather(*[one(number) for number in range(20)])

        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(main())

    offspring = children()
    found = await asyncio.gather(*[asyncio.to_thread(in_thread) for _ in range(4)])
    assert found == [list(range(20))] * 4
    assert children() == offspring
