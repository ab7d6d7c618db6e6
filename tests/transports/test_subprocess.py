"""Starting child processes: their streams, and everything else that Popen takes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import tempfile

import pytest

from .connections import open_descriptors, until
from .processes import (
    CAT,
    DEVNULL,
    MUCH,
    PIPE,
    SLEEP,
    STDOUT,
    ProcessRecorder,
    child,
    children,
    python,
    run,
)


async def test_a_program_reads_and_writes_through_pipes():
    process = await asyncio.create_subprocess_exec(*CAT, stdin=PIPE, stdout=PIPE)
    process.stdin.write(b"one\n")
    await process.stdin.drain()
    assert await process.stdout.readline() == b"one\n"
    process.stdin.write(b"two")
    process.stdin.close()
    await process.stdin.wait_closed()
    assert await process.stdout.read() == b"two"
    assert await process.wait() == 0
    assert process.returncode == 0


async def test_megabytes_go_both_ways_at_once():
    data = os.urandom(MUCH)
    stdout, stderr = await run(
        "tee", "/dev/stderr", input=data, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert stdout == data
    assert stderr == data


async def test_a_shell_runs_a_command():
    for command in ["echo $((6 * 7)); exit 3", b"echo $((6 * 7)); exit 3"]:
        process = await asyncio.create_subprocess_shell(command, stdout=PIPE)
        stdout, _ = await process.communicate()
        assert stdout == b"42\n"
        assert process.returncode == 3


async def test_the_raw_interface_makes_pipes_of_all_streams_by_default():
    loop = asyncio.get_running_loop()
    for start, command in [(loop.subprocess_exec, CAT), (loop.subprocess_shell, ["cat"])]:
        transport, protocol = await start(ProcessRecorder, *command)
        assert isinstance(protocol, ProcessRecorder)
        transport.get_pipe_transport(0).write(b"hello")
        await until(lambda received=protocol.received[1]: received == b"hello")
        assert transport.get_pipe_transport(2) is not None
        transport.get_pipe_transport(0).close()
        await protocol.lost
        transport.close()


async def test_error_output_can_join_the_output():
    command = ("sh", "-c", "echo out; echo err >&2")
    stdout, stderr = await run(*command, stdout=PIPE, stderr=STDOUT)
    assert (stdout, stderr) == (b"out\nerr\n", None)


async def test_without_pipes_there_are_no_transports():
    async with child("true", stdin=None, stdout=None, stderr=DEVNULL) as (transport, protocol):
        assert [transport.get_pipe_transport(fd) for fd in (0, 1, 2, 3, -1)] == [None] * 5
        assert await protocol.exited == 0
        assert await protocol.lost is None
    assert protocol.calls == ["connection_made", "process_exited", "connection_lost"]


async def test_nothing_is_read_from_devnull():
    stdout, _ = await run(*CAT, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    assert stdout == b""


async def test_streams_can_be_files_and_descriptors():
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(b"from a file")
        source.seek(0)
        assert await run(*CAT, stdin=source, stdout=target.fileno()) == (None, None)
        target.seek(0)
        assert target.read() == b"from a file"


async def test_streams_can_be_sockets():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        await run("echo", "hello", stdout=theirs)
        assert ours.recv(10) == b"hello\n"


async def test_popen_gets_its_other_arguments(tmp_path):
    stdout, _ = await run("pwd", stdout=PIPE, cwd=tmp_path)
    assert stdout.strip() == os.fsencode(tmp_path.resolve())
    stdout, _ = await run("/usr/bin/env", stdout=PIPE, env={"ONLY": "this"})
    assert stdout == b"ONLY=this\n"
    stdout, _ = await run("zero", "-c", "echo $0", stdout=PIPE, executable="/bin/sh")
    assert stdout == b"zero\n"
    stdout, _ = await run("sh", "-c", "umask", stdout=PIPE, umask=0o27)
    assert stdout == b"0027\n"


async def test_a_session_or_a_group_of_its_own():
    code = "import os; print(os.getsid(0), os.getpgid(0))"
    process = await asyncio.create_subprocess_exec(
        *python(code), stdout=PIPE, start_new_session=True
    )
    stdout, _ = await process.communicate()
    assert stdout.split() == [b"%d" % process.pid] * 2
    process = await asyncio.create_subprocess_exec(*python(code), stdout=PIPE, process_group=0)
    stdout, _ = await process.communicate()
    assert stdout.split() == [b"%d" % os.getsid(0), b"%d" % process.pid]


async def test_descriptors_are_passed_on_only_if_asked_for():
    reader, writer = os.pipe()
    try:
        command = python(f"import os; os.write({writer}, b'passed')")
        await run(*command, pass_fds=[writer])
        assert os.read(reader, 10) == b"passed"
        _, stderr = await run(*command, stderr=PIPE)
        assert b"Bad file descriptor" in stderr
    finally:
        os.close(reader)
        os.close(writer)


# It is what is tested: the interpreter warns of it, other threads being there.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_function_runs_in_the_child_before_the_program(tmp_path):
    stdout, _ = await run("pwd", stdout=PIPE, preexec_fn=lambda: os.chdir(tmp_path))
    assert stdout.strip() == os.fsencode(tmp_path.resolve())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
async def test_another_user_and_group():
    stdout, _ = await run(
        "sh",
        "-c",
        "id -u; id -g; id -G",
        stdout=PIPE,
        user=65534,
        group=65533,
        extra_groups=[65532],
    )
    assert stdout == b"65534\n65533\n65533 65532\n"


async def test_the_size_of_the_pipes_can_be_set():
    async with child(*CAT, pipesize=1 << 17) as (transport, _):
        pipe = transport.get_pipe_transport(0).get_extra_info("pipe")
        assert fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) == 1 << 17


async def test_the_child_gets_no_ends_of_other_pipes():
    # A child that kept the writing end of another's stdin would keep that one waiting.
    first = await asyncio.create_subprocess_exec(*CAT, stdin=PIPE, stdout=PIPE)
    async with child(*SLEEP):
        first.stdin.close()
        assert await first.stdout.read() == b""
        await first.wait()


async def test_a_program_that_is_not_there_leaves_nothing_behind():
    descriptors, offspring = open_descriptors(), children()
    for _ in range(10):
        with pytest.raises(FileNotFoundError) as caught:
            await run("/no/such/program", stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert caught.value.filename == "/no/such/program"
    with pytest.raises(PermissionError):
        await run("/etc/passwd", stdin=PIPE)
    assert open_descriptors() == descriptors
    assert children() == offspring


async def test_what_popen_refuses_is_raised():
    with pytest.raises(TypeError, match="no_such_argument"):
        await run("true", no_such_argument=1)
    with pytest.raises(ValueError, match="null byte"):
        await run("true\0")
    with pytest.raises(NotADirectoryError):
        await run("true", cwd="/etc/passwd")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("universal_newlines", True, "universal_newlines must be False"),
        ("bufsize", 1, "bufsize must be 0"),
        ("text", True, "text must be False"),
        ("encoding", "utf-8", "encoding must be None"),
        ("errors", "strict", "errors must be None"),
    ],
)
async def test_arguments_about_text_are_refused(option, value, message):
    loop = asyncio.get_running_loop()
    for start in [loop.subprocess_exec, loop.subprocess_shell]:
        with pytest.raises(ValueError) as caught:
            await start(ProcessRecorder, "true", **{option: value})
        assert str(caught.value) == message


async def test_arguments_that_contradict_the_method_are_refused():
    loop = asyncio.get_running_loop()
    with pytest.raises(ValueError, match="shell must be False"):
        await loop.subprocess_exec(ProcessRecorder, "true", shell=True)
    with pytest.raises(ValueError, match="shell must be True"):
        await loop.subprocess_shell(ProcessRecorder, "true", shell=False)
    for command in [["true"], 5, None]:
        with pytest.raises(ValueError, match="cmd must be a string"):
            await loop.subprocess_shell(ProcessRecorder, command)


async def test_the_popen_class_of_the_moment_is_used(monkeypatch):
    class Noted(subprocess.Popen):
        pass

    monkeypatch.setattr(subprocess, "Popen", Noted)
    async with child("true") as (transport, _):
        assert type(transport.get_extra_info("subprocess")) is Noted


async def test_children_start_in_the_order_of_the_calls():
    loop = asyncio.get_running_loop()
    made = []

    class Notes(ProcessRecorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            made.append(transport.get_pid())

    start = [loop.subprocess_exec(Notes, "true") for _ in range(5)]
    started = await asyncio.gather(*start)
    assert [transport.get_pid() for transport, _ in started] == made
    for transport, protocol in started:
        await protocol.lost
        transport.close()


async def test_a_loop_in_another_thread_runs_children(new_loop):
    def in_thread():
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(run(*CAT, input=b"hello", stdin=PIPE, stdout=PIPE))

    assert await asyncio.to_thread(in_thread) == (b"hello", None)


async def test_two_hundred_children_at_once():
    async def one(number):
        text = b"%d" % number
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", f"cat; exit {number}", stdin=PIPE, stdout=PIPE
        )
        stdout, _ = await process.communicate(text)
        return stdout == text and process.returncode == number

    offspring = children()
    assert all(await asyncio.gather(*[one(number) for number in range(200)]))
    assert children() == offspring


async def test_stopping_and_going_on_is_no_exit():
    async with child(*CAT) as (transport, protocol):
        transport.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.05)
        assert transport.get_returncode() is None
        transport.send_signal(signal.SIGCONT)
        transport.get_pipe_transport(0).write(b"awake")
        await until(lambda: protocol.received[1] == b"awake")
        assert "process_exited" not in protocol.calls
