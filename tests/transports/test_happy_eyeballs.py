"""Several addresses raced (RFC 8305): the quickest wins, the others leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys

import pytest

from .connections import (
    Recorder,
    deaf_port,
    open_descriptors,
    resolving_to,
    serving,
    turns,
    until,
)

# In seconds: far less than an attempt without an answer would take.
DELAY = 0.02


async def connect(**options):
    """Return the peer's name of a connection to whatever the name resolves to."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Recorder, "example.test", 1, **options)
    peername = transport.get_extra_info("peername")
    transport.abort()
    await protocol.lost
    return peername


async def test_an_address_that_does_not_answer_is_overtaken(full_backlog):
    async with serving() as (_, address):
        with resolving_to(full_backlog, address):
            before = open_descriptors()
            assert await connect(happy_eyeballs_delay=DELAY) == address
            await turns(2)
            assert not any("socket" in line for line in own_sockets(open_descriptors() - before))


def own_sockets(descriptors):
    """Leave out what the server accepted: it is closed a little later."""
    return {line for line in descriptors if is_connecting(int(line.split()[0]))}


def is_connecting(descriptor: int) -> bool:
    with contextlib.suppress(OSError), socket.socket(fileno=descriptor) as sock:
        try:
            sock.getpeername()
        except OSError:
            return True
        finally:
            sock.detach()
    return False


async def test_a_refusal_is_not_waited_for():
    """The next attempt begins at once, however long the delay is."""
    async with serving() as (_, address):
        with deaf_port() as port, resolving_to(("127.0.0.1", port), address):
            assert await connect(happy_eyeballs_delay=1000) == address


async def test_the_first_address_wins_when_it_answers():
    async with serving() as (_, first), serving() as (_, second):
        with resolving_to(first, second):
            assert await connect(happy_eyeballs_delay=1000) == first


async def test_without_a_delay_there_is_no_race(full_backlog):
    async with serving() as (_, address):
        with resolving_to(full_backlog, address):
            loop = asyncio.get_running_loop()
            attempt = loop.create_task(loop.create_connection(Recorder, "example.test", 1))
            done, _ = await asyncio.wait([attempt], timeout=0.1)
            assert not done
            attempt.cancel()
            with pytest.raises(asyncio.CancelledError):
                await attempt


@pytest.mark.asyncio_since(3, 12)
async def test_all_failures_are_told():
    first, second = ("127.0.0.1", 1), ("127.0.0.1", 2)
    with resolving_to(first, second):
        with pytest.raises(OSError, match=rf"^Multiple exceptions: .*{first}.*{second}"):
            await connect(happy_eyeballs_delay=DELAY)
        with pytest.raises(ExceptionGroup) as caught:
            await connect(happy_eyeballs_delay=DELAY, all_errors=True)
    assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError] * 2


@pytest.mark.groundup_only
async def test_an_address_that_is_no_address_is_told():
    """asyncio tells of an empty list, or of a timeout."""
    message = "port must be 0-65535"
    with resolving_to(("127.0.0.1", 70000)), pytest.raises(OverflowError, match=message):
        await connect(happy_eyeballs_delay=DELAY)


# Before 3.14 asyncio's own part of a race holds its failures in a cycle.
WAYS = {"one by one": {}}
if sys.version_info >= (3, 14):
    WAYS["race"] = {"happy_eyeballs_delay": DELAY}


@pytest.mark.groundup_only
@pytest.mark.parametrize("options", list(WAYS.values()), ids=list(WAYS))
async def test_a_failure_is_held_by_nobody_else(options):
    """So that it goes with what it holds, without waiting for a garbage collection."""
    error = None
    with resolving_to(("127.0.0.1", 1)):
        try:
            await connect(**options)
        except ConnectionRefusedError as refused:
            error = refused
    holders = [type(holder).__name__ for holder in gc.get_referrers(error)]
    assert "list" not in holders


async def test_a_race_can_be_cancelled(full_backlog):
    loop = asyncio.get_running_loop()
    with resolving_to(full_backlog, full_backlog, full_backlog):
        before = open_descriptors()
        attempt = loop.create_task(connect(happy_eyeballs_delay=DELAY))
        await until(lambda: len(open_descriptors() - before) == 3)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        await turns(3)
        assert open_descriptors() - before == set()


async def test_a_race_can_have_a_time_limit(full_backlog):
    with resolving_to(full_backlog, full_backlog):
        before = open_descriptors()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await connect(happy_eyeballs_delay=DELAY)
        await turns(3)
        assert open_descriptors() - before == set()


def tried(monkeypatch):
    """Return the list of hosts that sockets are connected to, in order; all refuse."""
    hosts = []

    def refuse(sock, address):
        hosts.append(address[0])
        raise ConnectionRefusedError(f"{address[0]} refuses")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return hosts


FOURS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
SIXES = ["::1", "::2", "::3"]


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, [*FOURS, *SIXES]),
        (
            {"happy_eyeballs_delay": 1000},
            ["127.0.0.1", "::1", "127.0.0.2", "::2", "127.0.0.3", "::3"],
        ),
        ({"happy_eyeballs_delay": 1000, "interleave": 0}, [*FOURS, *SIXES]),
        ({"interleave": 1}, ["127.0.0.1", "::1", "127.0.0.2", "::2", "127.0.0.3", "::3"]),
        ({"interleave": 2}, ["127.0.0.1", "127.0.0.2", "::1", "127.0.0.3", "::2", "::3"]),
        ({"interleave": 9}, ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1", "::2", "::3"]),
    ],
)
async def test_families_are_interleaved(monkeypatch, options, order):
    hosts = tried(monkeypatch)
    message = r"^Multiple exceptions: "
    with (
        resolving_to(*((host, 1) for host in [*FOURS, *SIXES])),
        pytest.raises(OSError, match=message),
    ):
        await connect(**options)
    assert hosts == order
