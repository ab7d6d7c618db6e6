"""Sockets that stay registered between the waits of sock_ methods: nobody is to notice."""

import asyncio
import os
import re
import socket

import pytest


def watched():
    """How often each descriptor is registered, as the system has it."""
    numbers = []
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}") == "anon_inode:[eventpoll]":
                with open(f"/proc/self/fdinfo/{number}") as file:
                    numbers += map(int, re.findall(r"tfd:\s*(\d+)", file.read()))
        except FileNotFoundError:
            pass
    return numbers


async def wait_once(loop, ours, theirs):
    """Have a socket be waited for, which leaves its registration behind."""
    loop.call_soon(theirs.send, b"first")
    assert await loop.sock_recv(ours, 10) == b"first"


async def received(loop, ours, theirs):
    """What is received by waiting."""
    loop.call_later(0.01, theirs.send, b"x")
    return await asyncio.wait_for(loop.sock_recv(ours, 10), 5)


def test_a_socket_is_registered_once_for_all_its_waits(loop, pair):
    async def main():
        ours, theirs = pair()
        for _ in range(3):
            await wait_once(loop, ours, theirs)
            assert watched().count(ours.fileno()) == 1

    loop.run_until_complete(main())


@pytest.mark.parametrize("ending", ["close", "detach"])
def test_a_number_that_is_used_again_is_waited_for(loop, pair, ending):
    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        number = ours.fileno()
        if ending == "close":
            ours.close()
        else:
            os.close(ours.detach())
        one, other = pair()
        again, peer = (one, other) if one.fileno() == number else (other, one)
        assert again.fileno() == number
        assert await received(loop, again, peer) == b"x"

    loop.run_until_complete(main())


def test_another_object_for_the_same_socket_is_waited_for(loop, pair):
    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        with socket.socket(fileno=ours.detach()) as ours:
            assert await received(loop, ours, theirs) == b"x"
            assert await received(loop, ours, theirs) == b"x"

    loop.run_until_complete(main())


def test_a_duplicate_goes_on_when_the_first_is_closed(loop, pair):
    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        with ours.dup() as duplicate:
            ours.close()
            assert await received(loop, duplicate, theirs) == b"x"

    loop.run_until_complete(main())


def test_a_callback_is_called_for_as_long_as_there_is_something(loop, pair):
    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        called = []
        loop.add_reader(ours, called.append, None)
        theirs.send(b"x")
        while len(called) < 3:
            await asyncio.sleep(0)
        assert loop.remove_reader(ours)
        assert await loop.sock_recv(ours, 10) == b"x"
        assert await received(loop, ours, theirs) == b"x"

    loop.run_until_complete(main())


def test_a_transport_takes_a_socket_over(loop, pair):
    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs.send(b"line\n")
        assert await asyncio.wait_for(reader.readline(), 5) == b"line\n"
        writer.close()
        await writer.wait_closed()

    loop.run_until_complete(main())


def test_a_socket_is_not_watched_for_nobody(loop, pair):
    """What others read is theirs: the loop wakes for it twice, and then no more."""

    async def main():
        ours, theirs = pair()
        await wait_once(loop, ours, theirs)
        for _ in range(2):
            theirs.send(b"x")
            await asyncio.sleep(0.01)
        assert ours.fileno() not in watched()
        assert await loop.sock_recv(ours, 10) == b"xx"
        assert await received(loop, ours, theirs) == b"x"

    loop.run_until_complete(main())


def test_what_came_while_nobody_waited_is_received(loop, pair):
    async def main():
        ours, theirs = pair()
        for _ in range(3):
            await wait_once(loop, ours, theirs)
            theirs.send(b"x")
            await asyncio.sleep(0.01)
            assert await loop.sock_recv(ours, 10) == b"x"
        theirs.close()
        await asyncio.sleep(0.01)
        assert await loop.sock_recv(ours, 10) == b""

    loop.run_until_complete(main())


def test_both_directions_are_waited_for_at_once(loop, pair):
    async def main():
        ours, theirs = pair()
        data = bytes(4 << 20)
        sending = loop.create_task(loop.sock_sendall(ours, data))
        for _ in range(3):
            assert await received(loop, ours, theirs) == b"x"
        left = len(data)
        while left:
            left -= len(await asyncio.wait_for(loop.sock_recv(theirs, 1 << 16), 5))
        await sending
        assert await received(loop, ours, theirs) == b"x"

    loop.run_until_complete(main())


def test_what_nobody_waits_for_is_not_in_the_selectors_map(loop, pair):
    async def main():
        ours, theirs = pair()
        task = loop.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        assert ours.fileno() in loop._selector.get_map()
        theirs.send(b"x")
        await task
        assert ours.fileno() not in loop._selector.get_map()
        assert not loop.remove_reader(ours)

    loop.run_until_complete(main())


def test_sockets_are_freed_while_their_loop_runs(loop, pair):
    async def main():
        before = len(watched())
        for _ in range(20):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.setblocking(False)
                await wait_once(loop, ours, theirs)
        assert len(watched()) == before

    loop.run_until_complete(main())
