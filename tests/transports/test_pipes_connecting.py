"""Connecting to pipes: which files can be, what is refused, and what cancelling leaves."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import socket
import tempfile

import pytest

from .connections import Recorder, until
from .pipes import pipe, reading, terminal


async def test_the_pipe_no_longer_blocks():
    with pipe() as (ours, _):
        assert os.get_blocking(ours.fileno())
        async with reading(ours):
            assert not os.get_blocking(ours.fileno())


async def test_a_named_fifo_can_be_read():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "fifo")
        os.mkfifo(path)
        ours = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", 0)
        with ours, open(path, "wb", 0) as theirs:
            async with reading(ours) as (_, protocol):
                theirs.write(b"named")
                theirs.close()
                await protocol.lost
    assert protocol.received == b"named"


async def test_a_socket_can_be_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        async with reading(ours) as (_, protocol):
            theirs.send(b"socket")
            theirs.close()
            await protocol.lost
    assert protocol.received == b"socket"


async def test_a_terminal_can_be_read_and_its_hangup_is_not_reported():
    with terminal() as (ours, theirs):
        async with reading(ours) as (_, protocol):
            theirs.write(b"typed")
            await until(lambda: protocol.received == b"typed")
            theirs.close()
            lost = await protocol.lost
    assert isinstance(lost, OSError)
    assert lost.errno == errno.EIO


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("connect_read_pipe", "Pipe transport is for pipes/sockets only."),
        (
            "connect_write_pipe",
            "Pipe transport is only for pipes, sockets and character devices",
        ),
    ],
)
async def test_a_regular_file_is_refused_and_stays_open(method, message):
    connect = getattr(asyncio.get_running_loop(), method)
    with tempfile.TemporaryFile() as file:
        with pytest.raises(ValueError) as caught:
            await connect(asyncio.Protocol, file)
        assert not file.closed
    assert str(caught.value) == message


@pytest.mark.groundup_only
@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
async def test_what_is_no_file_is_refused(method):
    connect = getattr(asyncio.get_running_loop(), method)
    with pytest.raises(AttributeError, match="fileno"):
        await connect(asyncio.Protocol, 0)
    with pipe() as (ours, _):
        ours.close()
        with pytest.raises(ValueError, match="closed file"):
            await connect(asyncio.Protocol, ours)


@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
async def test_what_the_factory_raises_is_raised_and_the_pipe_stays_open(method):
    connect = getattr(asyncio.get_running_loop(), method)
    with pipe() as ends:
        with pytest.raises(ZeroDivisionError):
            await connect(lambda: 1 / 0, ends[method == "connect_write_pipe"])
        assert not any(end.closed for end in ends)


@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
async def test_cancelling_while_connecting_closes_the_pipe(method):
    with pipe() as ends:
        file = ends[method == "connect_write_pipe"]
        connect = getattr(asyncio.get_running_loop(), method)
        connecting = asyncio.create_task(connect(Recorder, file))
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await until(lambda: file.closed)


async def test_one_descriptor_can_be_read_and_written():
    with terminal() as (ours, theirs):
        os.set_blocking(theirs.fileno(), False)
        again = io.FileIO(ours.fileno(), "w", closefd=False)
        async with reading(ours) as (_, reader), writing_over(again) as (transport, _):
            theirs.write(b"from them")
            transport.write(b"to them")
            await until(lambda: reader.received == b"from them")
            received = b""
            while len(received) < 7:
                received += theirs.read(7) or b""
                await asyncio.sleep(0)
    assert received == b"to them"


@contextlib.asynccontextmanager
async def writing_over(file):
    connect = asyncio.get_running_loop().connect_write_pipe
    transport, protocol = await connect(Recorder, file)
    yield transport, protocol
    transport.abort()
    await protocol.lost
