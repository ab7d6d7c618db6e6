"""The pipes of a child: nothing is lost, whoever closes first, and protocols that raise."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from .connections import turns, until
from .processes import (
    CAT,
    MUCH,
    PIPE,
    SLEEP,
    ProcessRecorder,
    child,
    is_alive,
    python,
    run,
)


async def test_the_output_of_a_child_that_exits_at_once_is_not_lost():
    for _ in range(20):
        stdout, stderr = await run(
            "sh", "-c", "printf out; printf err >&2", stdout=PIPE, stderr=PIPE
        )
        assert (stdout, stderr) == (b"out", b"err")


async def test_output_that_nobody_has_read_before_the_exit_is_not_lost():
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", "head -c 60000 /dev/zero", stdout=PIPE, limit=1000
    )
    await asyncio.sleep(0.1)
    assert len(await process.stdout.read()) == 60000
    assert await process.wait() == 0


async def test_a_reader_that_does_not_read_holds_the_child_back():
    process = await asyncio.create_subprocess_exec(
        "head", "-c", f"{MUCH}", "/dev/zero", stdout=PIPE, limit=1 << 16
    )
    await asyncio.sleep(0.1)
    assert process.returncode is None
    assert len(await process.stdout.read()) == MUCH
    assert await process.wait() == 0


async def test_a_child_that_closes_its_output_early_lives_on():
    async with child("sh", "-c", "echo out; exec >&-; read line; exit 4") as (transport, protocol):
        await until(lambda: ("pipe_connection_lost", 1) in protocol.calls)
        assert protocol.received[1] == b"out\n"
        assert transport.get_returncode() is None
        transport.get_pipe_transport(0).close()
        assert await protocol.exited == 4


async def test_a_child_that_does_not_read_its_input_breaks_the_pipe_quietly():
    assert await run("true", input=b"x" * MUCH, stdin=PIPE, stdout=PIPE) == (b"", None)
    process = await asyncio.create_subprocess_exec("true", stdin=PIPE)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        await feed_forever(process.stdin)
    await process.wait()


async def feed_forever(stdin):
    while True:
        stdin.write(b"x" * 1024)
        await stdin.drain()


async def test_writing_to_a_child_is_held_back_while_it_does_not_read():
    class Paused(ProcessRecorder):
        def pause_writing(self):
            self.calls.append("pause_writing")

        def resume_writing(self):
            self.calls.append("resume_writing")

    async with child("sh", "-c", "sleep 0.1; cat >/dev/null", factory=Paused) as (
        transport,
        protocol,
    ):
        stdin = transport.get_pipe_transport(0)
        stdin.write(b"x" * MUCH)
        assert protocol.calls == ["connection_made", "pause_writing"]
        await until(
            lambda: stdin.get_write_buffer_size() == 0 or "resume_writing" in protocol.calls
        )
        stdin.close()
        assert await protocol.exited == 0
    assert protocol.calls.count("resume_writing") == 1


async def test_a_grandchild_that_keeps_the_output_keeps_the_connection():
    command = ("sh", "-c", "(sleep 0.2; echo late) & echo early")
    async with child(*command) as (_, protocol):
        assert await protocol.exited == 0
        await turns(5)
        assert not protocol.lost.done()
        await protocol.lost
    assert protocol.received[1] == b"early\nlate\n"
    assert protocol.calls[-1] == "connection_lost"


async def test_closing_does_not_wait_for_a_grandchild():
    command = ("sh", "-c", "sleep 60 & echo $!; wait")
    async with child(*command, start_new_session=True) as (transport, protocol):
        await until(lambda: protocol.received[1].endswith(b"\n"))
        transport.close()
        assert transport.is_closing()
        assert await protocol.exited == -signal.SIGKILL
        await protocol.lost
        os.killpg(transport.get_pid(), signal.SIGKILL)


async def test_closing_kills_the_child_and_closes_the_pipes():
    async with child(*CAT) as (transport, protocol):
        pipes = [transport.get_pipe_transport(fd) for fd in range(3)]
        transport.close()
        transport.close()
        assert await protocol.exited == -signal.SIGKILL
        assert await protocol.lost is None
        assert all(pipe.get_extra_info("pipe").closed for pipe in pipes)
        assert not is_alive(transport.get_pid())
    assert protocol.calls.count("process_exited") == 1


async def test_cancelling_communicate_leaves_a_process_that_can_be_ended():
    process = await asyncio.create_subprocess_exec(*CAT, stdin=PIPE, stdout=PIPE)
    with pytest.raises(TimeoutError):
        # It reads its own output back before it may end.
        await asyncio.wait_for(process.stdout.read(), 0.05)
    communicating = asyncio.create_task(process.communicate())
    await asyncio.sleep(0)
    communicating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await communicating
    if process.returncode is None:
        process.kill()
    assert await process.wait() in (0, -signal.SIGKILL)


@pytest.mark.parametrize("turn", range(6))
async def test_cancelling_the_start_at_any_time_leaves_no_child(turn):
    loop = asyncio.get_running_loop()
    popens = []

    class Notes(ProcessRecorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            popens.append(transport.get_extra_info("subprocess"))

    starting = asyncio.create_task(loop.subprocess_exec(Notes, *SLEEP))
    await turns(turn)
    starting.cancel()
    try:
        transport, protocol = await starting
    except asyncio.CancelledError:
        pass
    else:
        transport.close()
        await protocol.lost
    await turns(10)
    assert all(popen.returncode == -signal.SIGKILL for popen in popens)


@pytest.mark.groundup_only
@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
async def test_pipes_that_cannot_be_connected_end_the_child(method, monkeypatch):
    loop = asyncio.get_running_loop()
    started = []

    async def fail(factory, file):
        started.append(file)
        raise ZeroDivisionError

    monkeypatch.setattr(loop, method, fail, raising=False)
    calls = []

    class Notes(ProcessRecorder):
        def connection_made(self, transport):
            calls.append("connection_made")

    with pytest.raises(ZeroDivisionError):
        await loop.subprocess_exec(Notes, *SLEEP)
    await turns(5)
    assert calls == []
    assert [file.closed for file in started] == [True]


async def test_an_exception_in_connection_made_is_reported_and_the_process_runs(reports):
    class Stumbles(ProcessRecorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            raise ZeroDivisionError

    async with child("echo", "hello", factory=Stumbles) as (_, protocol):
        await protocol.lost
    assert protocol.received[1] == b"hello\n"
    [report] = reports
    assert isinstance(report["exception"], ZeroDivisionError)


@pytest.mark.parametrize(
    "method",
    ["pipe_data_received", "pipe_connection_lost", "process_exited", "connection_lost"],
)
async def test_an_exception_in_another_method_is_reported_and_nothing_else_changes(method, reports):
    def stumble(self, *args):
        getattr(ProcessRecorder, method)(self, *args)
        raise ZeroDivisionError

    stumble.__qualname__ = method
    stumbles = type("Stumbles", (ProcessRecorder,), {method: stumble})
    async with child("sh", "-c", "echo hello; exit 3", factory=stumbles) as (transport, protocol):
        assert await transport._wait() == 3
        await protocol.lost
        await turns(3)
    assert protocol.received[1] == b"hello\n"
    assert reports
    for report in reports:
        assert isinstance(report["exception"], ZeroDivisionError)
        assert f"{method}(" in report["message"] or "_call_connection_lost(" in report["message"]


async def test_the_child_of_a_protocol_that_lacks_methods_is_reaped(reports):
    class Lacks:
        def connection_made(self, transport):
            pass

    loop = asyncio.get_running_loop()
    transport, _ = await loop.subprocess_exec(Lacks, "echo", "hello", stdin=None, stderr=None)
    await until(lambda: transport.get_returncode() is not None)
    transport.close()
    await turns(5)
    assert transport.get_returncode() == 0
    assert {type(report["exception"]) for report in reports} == {AttributeError}


async def test_another_protocol_hears_of_what_follows():
    async with child(*CAT) as (transport, first):
        second = ProcessRecorder()
        second.transport = transport
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        stdin = transport.get_pipe_transport(0)
        stdin.write(b"data")
        stdin.close()
        await second.lost
    assert first.calls == ["connection_made"]
    assert second.received[1] == b"data"


async def test_bytes_of_two_streams_are_kept_apart():
    code = """
import os
for number in range(500):
    os.write(1 + number % 2, b"%d," % (1 + number % 2))
"""
    stdout, stderr = await run(*python(code), stdout=PIPE, stderr=PIPE)
    assert stdout == b"1," * 250
    assert stderr == b"2," * 250
