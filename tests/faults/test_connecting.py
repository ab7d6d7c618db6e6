"""Making sockets, connecting and listening when it fails, and being short of descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import signal

import pytest

import groundup

from .apart import apart, descriptors
from .failing import Failure, install
from .peers import Note, caller, echo, serving


@pytest.mark.parametrize("number", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES])
@apart
async def test_a_socket_that_cannot_be_made_is_an_error(number):
    loop = asyncio.get_running_loop()
    async with serving() as (_, address):
        before = descriptors()
        install(Failure("socket", number))
        with pytest.raises(OSError) as caught:
            await loop.create_connection(Note, *address)
        assert caught.value.errno == number
        assert descriptors() == before
        transport, protocol = await loop.create_connection(Note, *address)
        transport.close()
        await protocol.lost


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.ENOBUFS])
@apart
async def test_a_connect_that_fails_is_an_error(number):
    loop = asyncio.get_running_loop()
    async with serving() as (_, address):
        before = descriptors()
        install(Failure("connect", number))
        with pytest.raises(OSError) as caught:
            await loop.create_connection(Note, *address)
        assert caught.value.errno == number
        assert descriptors() == before


@pytest.mark.parametrize(("call", "number"), [("bind", errno.ENOMEM), ("listen", errno.EADDRINUSE)])
@apart
async def test_a_server_that_cannot_be_made_is_an_error_and_leaves_nothing(call, number):
    loop = asyncio.get_running_loop()
    before = descriptors()
    install(Failure(call, number))
    with pytest.raises(OSError) as caught:
        await loop.create_server(Note, "127.0.0.1", 0)
    assert caught.value.errno == number
    assert descriptors() == before
    async with serving() as (_, address):
        with caller(address) as sock:
            await echo(sock)


async def new_loop(loop):
    groundup.new_event_loop().close()


async def connection(loop):
    await loop.create_connection(Note, "127.0.0.1", 1)


async def server(loop):
    (await loop.create_server(Note, "127.0.0.1", 0)).close()


async def unix_server(loop):
    (await loop.create_unix_server(Note, "\0groundup-faults")).close()


async def endpoint(loop):
    kind = asyncio.DatagramProtocol
    transport, _ = await loop.create_datagram_endpoint(kind, local_addr=("127.0.0.1", 0))
    transport.close()


async def signal_handler(loop):
    loop.add_signal_handler(signal.SIGUSR1, print)


async def process(loop):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    process = await asyncio.create_subprocess_exec("true", **pipes)
    assert await process.communicate() == (b"", b"")


async def executor(loop):
    await loop.run_in_executor(None, os.listdir, "/")


CALLS = [new_loop, connection, server, unix_server, endpoint, signal_handler, process, executor]


@pytest.mark.parametrize("call", [call.__name__ for call in CALLS])
@apart
async def test_without_descriptors_a_call_is_an_error_and_leaves_nothing(call):
    """Whichever of the descriptors that a call needs is the first that is not there."""
    loop = asyncio.get_running_loop()
    outcomes = []
    for free in range(12):
        with short_of_descriptors(free):
            try:
                await asyncio.wait_for(globals()[call](loop), 10)
                outcomes.append(None)
            except OSError as error:
                # As asyncio, it says of a server's addresses that none of them could be bound.
                outcomes.append(error.errno or errno.EMFILE)
        loop.remove_signal_handler(signal.SIGUSR1)
        await asyncio.sleep(0.01)
    assert outcomes[0] is not None
    assert set(outcomes[:-1]) <= {None, errno.EMFILE, errno.ECONNREFUSED}, outcomes
    assert outcomes[-1] in (None, errno.ECONNREFUSED)


@contextlib.contextmanager
def short_of_descriptors(free):
    """Leave so many descriptors to be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                fillers.append(os.open("/dev/null", os.O_RDONLY))
        for _ in range(free):
            os.close(fillers.pop())
        yield
    finally:
        for filler in fillers:
            os.close(filler)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
