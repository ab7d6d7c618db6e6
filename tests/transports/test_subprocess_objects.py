"""Subprocess transports as objects: what they are, what they say, and that they leave nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import resource
import subprocess
import threading
import weakref

import pytest

from .connections import open_descriptors, turns, until
from .processes import CAT, DEVNULL, PIPE, SLEEP, ProcessRecorder, child, children, run


async def test_it_is_a_transport_of_asyncio():
    async with child("true") as (transport, _):
        assert isinstance(transport, asyncio.SubprocessTransport)
        assert isinstance(transport, asyncio.BaseTransport)
        assert isinstance(transport.get_pipe_transport(0), asyncio.WriteTransport)
        assert isinstance(transport.get_pipe_transport(1), asyncio.ReadTransport)
        assert weakref.ref(transport)() is transport
        transport.note = "kept"
        assert transport.note == "kept"


async def test_it_tells_of_its_process():
    async with child("true") as (transport, protocol):
        popen = transport.get_extra_info("subprocess")
        assert isinstance(popen, subprocess.Popen)
        assert transport.get_pid() == popen.pid
        assert transport.get_extra_info("peername", "nobody") == "nobody"
        assert transport._proc is popen
        await protocol.lost
        assert transport.get_extra_info("subprocess") is popen
        assert transport.get_pid() == popen.pid
        assert popen.returncode == 0
        assert transport._proc is None


@pytest.mark.groundup_only
async def test_it_says_how_it_is():
    async with child(*CAT, stderr=None) as (transport, protocol):
        stdin, stdout = map(transport.get_pipe_transport, (0, 1))
        assert repr(transport) == (
            f"<SubprocessTransport pid={transport.get_pid()} running "
            f"stdin={stdin!r} stdout={stdout!r}>"
        )
        stdin.close()
        await protocol.lost
        assert f"pid={transport.get_pid()} returncode=0 stdin=<" in repr(transport)
    assert repr(transport).startswith("<SubprocessTransport closed pid=")


async def test_asyncio_says_process_of_it():
    process = await asyncio.create_subprocess_exec("true")
    assert repr(process) == f"<Process {process.pid}>"
    await process.wait()


@pytest.mark.asyncio_since(3, 12)
async def test_it_is_freed_with_its_protocol_when_all_is_over():
    async with child("echo", "hello") as (transport, protocol):
        await protocol.lost
        pipe = transport.get_pipe_transport(1)
        popen = transport.get_extra_info("subprocess")
        freed = [weakref.ref(thing) for thing in (transport, protocol, pipe, popen)]
    del transport, protocol, pipe, popen
    await turns(3)
    gc.collect()
    assert [reference() for reference in freed] == [None] * 4


async def test_a_child_that_nobody_keeps_is_kept_by_its_loop():
    exited = asyncio.get_running_loop().create_future()

    class Notes(asyncio.SubprocessProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def process_exited(self):
            exited.set_result(self.transport.get_returncode())

        def connection_lost(self, exc):
            self.transport.close()

    await asyncio.get_running_loop().subprocess_exec(
        Notes, "sh", "-c", "sleep 0.05; exit 3", stdin=None, stdout=None, stderr=None
    )
    gc.collect()
    assert await exited == 3
    await turns(3)


@pytest.mark.asyncio_since(3, 12)
def test_debug_mode_logs_the_life_of_a_child(new_loop, caplog):
    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            ProcessRecorder,
            "sleep",
            "60",
            stdin=None,
            stdout=PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        transport.close()
        await protocol.lost
        transport, protocol = await loop.subprocess_shell(
            ProcessRecorder, "sleep 0.05; exit 3", stdin=DEVNULL, stdout=PIPE, stderr=None
        )
        await protocol.lost
        transport.close()

    with contextlib.closing(new_loop()) as loop, caplog.at_level(logging.DEBUG, logger="asyncio"):
        loop.set_debug(True)
        loop.slow_callback_duration = 10
        loop.run_until_complete(main())
    logged = [re.sub(r"<(_Unix)?(\w+) .*>", r"<\2>", message) for message in caplog.messages]
    logged = [re.sub(r"pid \d+", "pid N", message) for message in logged]
    assert [message for message in logged if "pipe N" not in message and "ipe" not in message] == [
        "process 'sleep' created: pid N",
        "execute program 'sleep': <SubprocessTransport>",
        "Close running child process: kill <SubprocessTransport>",
        "<SubprocessTransport> exited with return code -9",
        "process 'sleep 0.05; exit 3' created: pid N",
        "run shell command 'sleep 0.05; exit 3': <SubprocessTransport>",
        "<SubprocessTransport> exited with return code 3",
    ]
    assert "execute program 'sleep' stdout=stderr=<pipe>" in logged
    assert f"run shell command 'sleep 0.05; exit 3' stdin={DEVNULL} stdout=<pipe>" in logged


@pytest.mark.groundup_only
async def test_hundreds_of_children_leave_nothing_behind():
    async def storm(count):
        for _ in range(count):
            assert await run(*CAT, input=b"x", stdin=PIPE, stdout=PIPE) == (b"x", None)
        gc.collect()

    await storm(10)
    threads, descriptors, offspring = threading.active_count(), open_descriptors(), children()
    objects = len(gc.get_objects())
    await storm(200)
    assert threading.active_count() == threads
    assert open_descriptors() == descriptors
    assert children() == offspring
    assert abs(len(gc.get_objects()) - objects) < 100


@pytest.mark.groundup_only
async def test_starts_that_fail_in_the_middle_leave_nothing_behind(monkeypatch):
    loop = asyncio.get_running_loop()

    async def fail(factory, file):
        raise ZeroDivisionError

    monkeypatch.setattr(loop, "connect_read_pipe", fail, raising=False)

    async def storm(count):
        for _ in range(count):
            with pytest.raises(ZeroDivisionError):
                await run(*SLEEP, stdin=PIPE, stdout=PIPE)
        await turns(3)
        gc.collect()

    await storm(5)
    descriptors, offspring, objects = open_descriptors(), children(), len(gc.get_objects())
    await storm(50)
    assert open_descriptors() == descriptors
    assert children() == offspring
    assert abs(len(gc.get_objects()) - objects) < 100


async def test_no_descriptors_left_is_told_and_leaves_nothing_behind():
    offspring = children()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = max(int(line.split(" ")[0]) for line in open_descriptors()) + 1
    before = open_descriptors()
    for spare in range(1, 8):
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
        try:
            with contextlib.suppress(OSError):
                await run("true", stdin=PIPE, stdout=PIPE, stderr=PIPE)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await until(lambda: children() == offspring)
    assert open_descriptors() == before
