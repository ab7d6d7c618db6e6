"""Files, pipes, sendfile and processes when they fail: full disks, interruptions, limits."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import tempfile

import pytest

from .apart import apart, idle, take_report, until
from .failing import Failure, install
from .peers import Note, connected

# In bytes; more than a connection takes at once.
SIZE = 32 << 20


@apart
async def test_a_full_disk_ends_a_writing_pipe():
    loop = asyncio.get_running_loop()
    full = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb", 0)
    transport, protocol = await loop.connect_write_pipe(Note, full)
    transport.write(b"data")
    assert (await protocol.lost).errno == errno.ENOSPC


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EPIPE])
@apart
async def test_what_writing_to_a_pipe_fails_with_is_the_reason(number):
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_write_pipe(Note, os.fdopen(writing, "wb", 0))
    install(Failure("writev", number, writing), Failure("write", number, writing))
    transport.write(b"data")
    assert (await protocol.lost).errno == number
    os.close(reading)


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN])
@apart
async def test_writing_to_a_pipe_is_tried_again(number):
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_write_pipe(Note, os.fdopen(writing, "wb", 0))
    failures = (Failure(call, number, writing, times=3) for call in ("write", "writev"))
    install(*failures)
    transport.write(b"data")
    await until(lambda: transport.get_write_buffer_size() == 0)
    assert os.read(reading, 10) == b"data"
    transport.close()
    await protocol.lost
    os.close(reading)


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN, errno.EIO, errno.ENOMEM])
@apart
async def test_reading_from_a_pipe(number):
    """What passes is tried again; what lasts is reported, and ends the connection."""
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_read_pipe(Note, os.fdopen(reading, "rb", 0))
    install(Failure("read", number, reading))
    os.write(writing, b"data")
    if number in (errno.EINTR, errno.EAGAIN):
        await until(lambda: protocol.received == b"data")
        transport.close()
        assert await protocol.lost is None
    else:
        assert (await protocol.lost).errno == number
        # EIO is what a terminal says that was hung up.
        if number != errno.EIO:
            assert take_report()["message"] == "Fatal read error on pipe transport"
    os.close(writing)


@contextlib.contextmanager
def file_of(size):
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        yield file


async def receive_all(far):
    received = 0
    while data := await asyncio.get_running_loop().sock_recv(far, 1 << 18):
        received += len(data)
    return received


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN])
@pytest.mark.parametrize("way", ["transport", "socket"])
@apart
async def test_sending_a_file_is_tried_again(number, way):
    loop = asyncio.get_running_loop()
    install(Failure("sendfile", number, times=4))
    with file_of(SIZE) as file:
        if way == "transport":
            async with connected() as (transport, protocol, far):
                receiving = loop.create_task(receive_all(far))
                assert await loop.sendfile(transport, file) == SIZE
                transport.close()
                assert await receiving == SIZE
                assert await protocol.lost is None
        else:
            near, far = socket.socketpair()
            with near, far:
                near.setblocking(False)
                far.setblocking(False)
                receiving = loop.create_task(receive_all(far))
                assert await loop.sock_sendfile(near, file) == SIZE
                near.close()
                assert await receiving == SIZE


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ENOBUFS, errno.ECONNRESET])
@apart
async def test_what_sending_a_file_fails_with_midway_is_raised_and_the_connection_goes_on(number):
    loop = asyncio.get_running_loop()
    with file_of(SIZE) as file:
        async with connected() as (transport, protocol, far):
            install(Failure("sendfile", number, after=1))
            receiving = loop.create_task(receive_all(far))
            with pytest.raises(OSError) as caught:
                await loop.sendfile(transport, file)
            assert caught.value.errno == number
            assert transport.is_reading()
            transport.write(b"more")
            transport.close()
            await protocol.lost
            assert 4 < await receiving < SIZE


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO, errno.ENOSYS])
@apart
async def test_a_file_that_the_kernel_does_not_begin_to_send_is_copied(number):
    loop = asyncio.get_running_loop()
    with file_of(SIZE) as file:
        async with connected() as (transport, protocol, far):
            install(Failure("sendfile", number, times=2))
            with pytest.raises(asyncio.SendfileNotAvailableError):
                await loop.sendfile(transport, file, fallback=False)
            receiving = loop.create_task(receive_all(far))
            assert await loop.sendfile(transport, file) == SIZE
            transport.close()
            assert await receiving == SIZE
            await protocol.lost


@apart
async def test_a_child_that_fills_its_quota_tells_by_its_status():
    """RLIMIT_FSIZE: the system ends a program that writes more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "quota")
        code = f"cat > {path}"

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        process = await asyncio.create_subprocess_shell(
            code, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, preexec_fn=limit
        )
        await process.communicate(bytes(1 << 20))
        assert process.returncode not in (0, None)
        assert os.path.getsize(path) <= 4096
    await idle()


@apart
async def test_a_process_that_cannot_be_made_is_an_error_and_leaves_nothing():
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    # Whichever of them this version of Python makes a process with.
    install(*(Failure(call, errno.EAGAIN) for call in ("clone", "vfork", "fork")))
    with pytest.raises(BlockingIOError):
        await asyncio.create_subprocess_exec("true", **pipes)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EMFILE, errno.EPERM])
@apart
async def test_without_a_descriptor_for_a_process_its_exit_is_heard_all_the_same(number):
    install(Failure("pidfd_open", number, times=2))
    processes = [
        await asyncio.create_subprocess_exec("sh", "-c", f"exit {code}") for code in (3, 0, 7)
    ]
    assert [await process.wait() for process in processes] == [3, 0, 7]


@apart
async def test_a_child_that_ignores_being_asked_to_end_is_waited_for_without_work():
    code = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    process = await asyncio.create_subprocess_shell(code, stdout=asyncio.subprocess.PIPE)
    assert await process.stdout.readline() == b"ready\n"
    process.terminate()
    await idle()
    assert process.returncode is None
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    # What it was running may hold its output for a moment more.
    await process.stdout.read()
