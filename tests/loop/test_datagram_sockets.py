"""sock_recvfrom, sock_recvfrom_into and sock_sendto: what they receive and send."""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import socket

import pytest

from .datagrams import bound, on_both_loops, run


def addresses(folder):
    number = os.getpid()
    return {
        "IPv4": (socket.AF_INET, ("127.0.0.1", 0), ("127.0.0.1", 0)),
        "IPv6": (socket.AF_INET6, ("::1", 0), ("::1", 0)),
        "path": (socket.AF_UNIX, str(folder / "one"), str(folder / "two")),
        "abstract": (socket.AF_UNIX, b"\0groundup-%d-1" % number, b"\0groundup-%d-2" % number),
    }


@on_both_loops
@pytest.mark.parametrize("kind", ["IPv4", "IPv6", "path", "abstract"])
@pytest.mark.parametrize("waits", [True, False], ids=["waits", "at once"])
def test_datagrams_and_addresses_are_exchanged(new_loop, kind, waits, tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        family, first, second = addresses(tmp_path)[kind]
        with bound(family, first) as one, bound(family, second) as other:
            here, there = one.getsockname(), other.getsockname()
            receive = loop.sock_recvfrom(other, 100)
            if waits:
                receive = asyncio.ensure_future(receive)
                await asyncio.sleep(0)
            assert await loop.sock_sendto(one, b"question", there) == 8
            assert await receive == (b"question", here)
            buffer = bytearray(10)
            receive = loop.sock_recvfrom_into(one, buffer)
            if waits:
                receive = asyncio.ensure_future(receive)
                await asyncio.sleep(0)
            assert await loop.sock_sendto(other, b"answer", here) == 6
            assert await receive == (6, there)
            assert buffer == b"answer\0\0\0\0"

    run(new_loop, main())


@on_both_loops
def test_a_sender_without_a_name_has_no_address(new_loop):
    async def main():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            ours.setblocking(False)
            theirs.send(b"hello")
            loop = asyncio.get_running_loop()
            assert await loop.sock_recvfrom(ours, 100) == (b"hello", None)

    run(new_loop, main())


@on_both_loops
@pytest.mark.parametrize("size", [0, 1, 65_507])
def test_datagrams_arrive_whole(new_loop, size):
    async def main():
        loop, data = asyncio.get_running_loop(), os.urandom(size)
        with bound() as sock:
            assert await loop.sock_sendto(sock, data, sock.getsockname()) == size
            assert (await loop.sock_recvfrom(sock, 1 << 17))[0] == data
            await loop.sock_sendto(sock, data, sock.getsockname())
            buffer = bytearray(1 << 17)
            length, _ = await loop.sock_recvfrom_into(sock, buffer)
            assert buffer[:length] == data

    run(new_loop, main())


@on_both_loops
def test_a_datagram_larger_than_any_buffer_of_the_loop_arrives_whole(new_loop):
    async def main():
        loop, data = asyncio.get_running_loop(), os.urandom(300_000)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            ours.setblocking(False)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            theirs.send(data)
            assert await loop.sock_recvfrom(ours, 1 << 20) == (data, None)

    run(new_loop, main())


@on_both_loops
def test_what_there_is_no_room_for_is_cut_off(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound() as sock:
            name = sock.getsockname()
            for _ in range(5):
                sock.sendto(b"0123456789", name)
            assert await loop.sock_recvfrom(sock, 4) == (b"0123", name)
            assert await loop.sock_recvfrom(sock, 0) == (b"", name)
            buffer = bytearray(6)
            assert await loop.sock_recvfrom_into(sock, buffer) == (6, name)
            assert await loop.sock_recvfrom_into(sock, buffer, 2) == (2, name)
            assert await loop.sock_recvfrom_into(sock, memoryview(buffer)[2:], nbytes=1) == (
                1,
                name,
            )
            assert buffer == b"010345"

    run(new_loop, main())


@on_both_loops
def test_buffers_of_any_kind_are_taken(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound() as sock:
            name, numbers = sock.getsockname(), array.array("I", [1, 2, 3, 4])
            assert await loop.sock_sendto(sock, numbers, name) == 16
            room = array.array("I", [0] * 4)
            # As many bytes are received as there are items.
            assert await loop.sock_recvfrom_into(sock, room) == (4, name)
            assert room.tolist() == [1, 0, 0, 0]
            assert await loop.sock_sendto(sock, memoryview(b"view"), name) == 4

    run(new_loop, main())


@on_both_loops
def test_hosts_are_looked_up_as_the_socket_does_it(new_loop):
    async def main():
        with bound() as sock:
            loop, port = asyncio.get_running_loop(), sock.getsockname()[1]
            for host in ("localhost", "", b"127.0.0.1"):
                assert await loop.sock_sendto(sock, b"x", (host, port)) == 1
                assert (await loop.sock_recvfrom(sock, 1))[0] == b"x"

    run(new_loop, main())


@on_both_loops
def test_addresses_of_other_families_are_the_sockets_own(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound(socket.AF_NETLINK, (0, 0)) as sock:
            header = bytes([16, 0, 0, 0, 1, 0, 5, 0]) + bytes(8)
            for _ in range(2):
                assert await loop.sock_sendto(sock, header, (0, 0)) == 16
            answer, sender = await loop.sock_recvfrom(sock, 1000)
            buffer = bytearray(1000)
            length, same = await loop.sock_recvfrom_into(sock, buffer)
            assert sender == same == (0, 0)
            assert buffer[:length] == answer

    run(new_loop, main())


@on_both_loops
def test_thousands_are_exchanged(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound() as one, bound() as other:

            async def echo():
                while True:
                    data, address = await loop.sock_recvfrom(other, 100)
                    if not data:
                        return
                    await loop.sock_sendto(other, data, address)

            task, address = asyncio.ensure_future(echo()), other.getsockname()
            for number in range(3000):
                await loop.sock_sendto(one, b"%d" % number, address)
                assert await loop.sock_recvfrom(one, 100) == (b"%d" % number, address)
            await loop.sock_sendto(one, b"", address)
            await task

    run(new_loop, main())


@on_both_loops
def test_senders_are_told_apart_and_answered(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound(socket.AF_INET, ("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(bound(socket.AF_INET, ("127.0.0.1", 0))) for _ in range(70)
            ]
            for number, client in enumerate(clients * 2):
                await loop.sock_sendto(client, b"%d" % number, server.getsockname())
                data, address = await loop.sock_recvfrom(server, 100)
                assert (data, address) == (b"%d" % number, client.getsockname())
                await loop.sock_sendto(server, data, address)
                assert await loop.sock_recvfrom(client, 100) == (data, server.getsockname())

    run(new_loop, main())


@on_both_loops
def test_what_a_sender_is_called_means_what_the_sending_socket_says(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound(socket.AF_INET, ("127.0.0.1", 0)) as one:
            await loop.sock_sendto(one, b"x", one.getsockname())
            _, address = await loop.sock_recvfrom(one, 100)
            with (
                bound(socket.AF_INET6, ("::1", 0)) as other,
                pytest.raises(OSError, match=r"Address family|Name or service"),
            ):
                await loop.sock_sendto(other, b"x", address)

    run(new_loop, main())


@on_both_loops
def test_a_datagram_as_long_as_asyncio_takes_arrives_whole(new_loop):
    longest = 256 * 1024

    async def main():
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with near, far:
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * longest)
            near.setblocking(False)
            far.send(bytes(longest))
            data, _ = await asyncio.get_running_loop().sock_recvfrom(near, longest)
            assert len(data) == longest

            arrived = asyncio.get_running_loop().create_future()

            class Receiver(asyncio.DatagramProtocol):
                def datagram_received(self, data, address):
                    arrived.set_result(len(data))

            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(Receiver, sock=near.dup())
            far.send(bytes(longest))
            assert await arrived == longest
            transport.close()

    run(new_loop, main())
