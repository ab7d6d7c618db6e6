"""The status of a child: it can be taken once, by the loop, by Popen, or by somebody else."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys

import pytest

from .connections import turns, until
from .processes import (
    SLEEP,
    ProcessRecorder,
    child,
    run,
)

TAKEN = "child process pid"


@pytest.mark.asyncio_since(3, 12)
async def test_a_status_that_was_taken_is_said_to_be_255(caplog):
    process = await asyncio.create_subprocess_exec(*SLEEP)
    process.kill()
    os.waitpid(process.pid, 0)
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        assert await process.wait() == 255
    [message] = caplog.messages
    assert f"{process.pid}" in message
    assert "will report returncode 255" in message


@pytest.mark.groundup_only
async def test_a_status_that_popen_has_taken_is_known():
    async with child(*SLEEP) as (transport, protocol):
        transport.terminate()
        assert transport.get_extra_info("subprocess").wait() == -signal.SIGTERM
        assert transport.get_returncode() is None
        assert await protocol.exited == -signal.SIGTERM


@pytest.mark.groundup_only
async def test_a_thread_that_waits_through_popen_does_not_take_the_status_away():
    for _ in range(10):
        async with child("sh", "-c", "read line; exit 7") as (transport, protocol):
            popen = transport.get_extra_info("subprocess")
            waiting = asyncio.create_task(asyncio.to_thread(popen.wait))
            await asyncio.sleep(0.01)
            transport.get_pipe_transport(0).close()
            assert await waiting == 7
            assert await protocol.exited == 7


@pytest.mark.groundup_only
async def test_closing_before_the_exit_is_noticed_keeps_the_return_code():
    transport, protocol = await asyncio.get_running_loop().subprocess_exec(ProcessRecorder, *SLEEP)
    transport.terminate()
    os.waitid(os.P_PID, transport.get_pid(), os.WEXITED | os.WNOWAIT)
    assert transport.get_returncode() is None
    transport.close()
    assert await protocol.exited == -signal.SIGTERM
    await protocol.lost


@pytest.mark.groundup_only
@pytest.mark.parametrize("delay", ["", "sleep 0.1;"])
def test_where_sigchld_is_ignored_the_return_code_is_255(new_loop, caplog, delay):
    async def main():
        return await (await asyncio.create_subprocess_shell(f"{delay} exit 7")).wait()

    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            assert runner.run(main()) == 255
    finally:
        signal.signal(signal.SIGCHLD, previous)
    assert any(TAKEN in message for message in caplog.messages)


def test_a_handler_of_sigchld_hears_of_children_and_disturbs_nobody(new_loop):
    heard = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, heard.append, "child")
        process = await asyncio.create_subprocess_shell("exit 7")
        assert await process.wait() == 7
        await until(lambda: heard)
        loop.remove_signal_handler(signal.SIGCHLD)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
    assert heard == ["child"]


async def test_children_of_others_are_left_alone():
    with subprocess.Popen(["sh", "-c", "exit 9"]) as other:
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        await run("true")
        await turns(5)
        assert other.wait() == 9


SECCOMP = """
import ctypes, struct, sys
PIDFD_OPEN, EPERM = 434, 1
program = b"".join(struct.pack("HBBI", *instruction) for instruction in [
    (0x20, 0, 0, 0),                   # load the number of the system call
    (0x15, 0, 1, PIDFD_OPEN),
    (0x06, 0, 0, 0x00050000 | EPERM),  # fail
    (0x06, 0, 0, 0x7FFF0000),          # allow
])
buffer = ctypes.create_string_buffer(program)
filter = struct.pack("HxxxxxxP", 4, ctypes.addressof(buffer))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
if libc.prctl(22, 2, ctypes.create_string_buffer(filter)) != 0:
    sys.exit(77)
"""


WITHOUT_PIDFD = (
    SECCOMP
    + """
import asyncio, os, signal, threading
import groundup

try:
    os.pidfd_open(os.getpid())
except PermissionError:
    pass
else:
    sys.exit("there are pidfds")

async def main():
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "cat; exit 7", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert await process.communicate(b"data") == (b"data", None)
    assert process.returncode == 7
    process = await asyncio.create_subprocess_exec("sleep", "60")
    assert threading.active_count() == 2
    process.terminate()
    assert await process.wait() == -signal.SIGTERM
    process = await asyncio.create_subprocess_exec("sleep", "60")
    process.kill()
    os.waitpid(process.pid, 0)
    assert await process.wait() == 255
    started, threading.Thread.start = threading.Thread.start, None
    try:
        await asyncio.create_subprocess_exec("sleep", "60", stdin=asyncio.subprocess.PIPE)
    except TypeError:
        print("refused")
    threading.Thread.start = started

groundup.run(main())
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(10)

loop = groundup.new_event_loop()
transport, _ = loop.run_until_complete(loop.subprocess_exec(
    asyncio.SubprocessProtocol, "sleep", "60", stdin=None, stdout=None, stderr=None))
[waiting] = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
loop.close()
transport.kill()
waiting.join(10)
try:
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
except ChildProcessError:
    print("no zombies")
transport.close()
"""
)


def test_without_pidfds_threads_wait():
    command = [sys.executable, "-W", "error", "-c", WITHOUT_PIDFD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if done.returncode == 77:
        pytest.skip("the kernel has no filters for system calls")
    assert done.stdout == "refused\nno zombies\n", done.stderr
    assert done.returncode == 0, done.stderr
    assert "that handles pid" in done.stderr
