"""accept() when it fails: what is lacking is waited for, the rest told or overlooked."""

from __future__ import annotations

import asyncio
import errno
import time

import pytest

from .apart import apart, idle, reports, take_report, until
from .failing import Failure, install
from .peers import Echo, caller, echo, serving


@pytest.mark.parametrize("number", [errno.ECONNABORTED, errno.EINTR, errno.EAGAIN])
@apart
async def test_a_connection_that_is_gone_or_an_interruption_is_overlooked(number):
    async with serving() as (server, address):
        install(Failure("accept4", number, server.sockets[0].fileno(), times=3))
        with caller(address) as first, caller(address) as second:
            await echo(first)
            await echo(second)
            await idle()


@pytest.mark.parametrize("number", [errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EMFILE])
@apart
async def test_what_is_lacking_is_waited_for_a_second(number):
    async with serving() as (server, address):
        with caller(address) as early:
            await echo(early)
            install(Failure("accept4", number, server.sockets[0].fileno()))
            with caller(address) as late:
                await until(lambda: reports)
                begun = time.monotonic()
                report = take_report()
                assert report["message"] == "socket.accept() out of system resource"
                assert report["exception"].errno == number
                assert report["socket"].fileno() == server.sockets[0].fileno()
                await echo(early)
                await idle()
                await echo(late)
                assert time.monotonic() - begun > 0.7


@pytest.mark.parametrize("number", [errno.EPROTO, errno.ENETDOWN, errno.EPERM])
@apart
async def test_another_error_is_reported_and_accepting_goes_on(number):
    async with serving() as (server, address):
        install(Failure("accept4", number, server.sockets[0].fileno()))
        with caller(address) as sock:
            await echo(sock)
        assert take_report()["exception"].errno == number


@apart
async def test_a_connection_that_cannot_be_watched_is_lost():
    """As when a user may watch no more descriptors: epoll has a limit of its own."""
    made = []

    def make():
        made.append(Echo())
        return made[-1]

    async with serving(make) as (_, address):
        with caller(address) as early:
            await echo(early)
            # The first is for the caller itself.
            install(Failure("epoll_ctl", errno.ENOSPC, after=1))
            with caller(address) as refused:
                assert await asyncio.get_running_loop().sock_recv(refused, 1) == b""
            assert (await made[-1].lost).errno == errno.ENOSPC
            await echo(early)
            with caller(address) as late:
                await echo(late)
