"""sock_recvfrom, sock_recvfrom_into and sock_sendto: waiting, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

import groundup

from .datagrams import bound, full_receiver, on_both_loops, run


@on_both_loops
@pytest.mark.parametrize(
    ("method", "arguments", "kind"),
    [
        ("sock_recvfrom", (-1,), ValueError),
        ("sock_recvfrom", ("1",), TypeError),
        ("sock_recvfrom_into", (b"read only",), TypeError),
        ("sock_recvfrom_into", ("text",), TypeError),
        ("sock_recvfrom_into", (bytearray(4), -1), ValueError),
        ("sock_recvfrom_into", (bytearray(4), 5), ValueError),
        ("sock_sendto", ("text", ("127.0.0.1", 9)), TypeError),
        ("sock_sendto", (b"x", "127.0.0.1"), TypeError),
        ("sock_sendto", (b"x", ("127.0.0.1",)), TypeError),
        ("sock_sendto", (b"x", None), TypeError),
        ("sock_sendto", (b"x", ("127.0.0.1", 1 << 16)), OverflowError),
        ("sock_sendto", (bytes(70_000), ("127.0.0.1", 9)), OSError),
        ("sock_sendto", (b"x", ("127.255.255.255", 9)), PermissionError),
    ],
)
def test_wrong_arguments_are_refused(new_loop, method, arguments, kind):
    async def main():
        with bound() as sock:
            sock.sendto(b"datagram", sock.getsockname())
            with pytest.raises(kind):
                await getattr(asyncio.get_running_loop(), method)(sock, *arguments)

    run(new_loop, main())


@on_both_loops
def test_debug_mode_refuses_sockets_that_block(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        with bound() as sock:
            sock.setblocking(True)
            for call in (
                loop.sock_recvfrom(sock, 1),
                loop.sock_recvfrom_into(sock, bytearray(1)),
                loop.sock_sendto(sock, b"x", sock.getsockname()),
            ):
                with pytest.raises(ValueError, match="the socket must be non-blocking"):
                    await call

    run(new_loop, main())


@on_both_loops
def test_closed_sockets_and_those_of_transports_are_refused(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound() as sock:
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock)
            with pytest.raises(RuntimeError, match="is used by transport"):
                await loop.sock_recvfrom(sock, 1)
            transport.close()
            await asyncio.sleep(0)
        with pytest.raises(OSError):
            await loop.sock_recvfrom(sock, 1)
        with pytest.raises(OSError):
            await loop.sock_sendto(sock, b"x", ("127.0.0.1", 9))

    run(new_loop, main())


@on_both_loops
def test_a_refusal_is_raised_where_the_socket_is_used_next(new_loop):
    async def main():
        loop = asyncio.get_running_loop()
        with bound() as gone:
            address = gone.getsockname()
        with bound() as sock:
            sock.connect(address)
            sock.send(b"anybody?")
            with pytest.raises(ConnectionRefusedError):
                await loop.sock_recvfrom(sock, 1)

    run(new_loop, main())


@on_both_loops
@pytest.mark.parametrize("method", ["sock_recvfrom", "sock_recvfrom_into"])
def test_waiting_can_be_cancelled(new_loop, method):
    async def main():
        loop = asyncio.get_running_loop()
        argument = 100 if method == "sock_recvfrom" else bytearray(100)
        with bound() as sock:
            task = asyncio.ensure_future(getattr(loop, method)(sock, argument))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert loop.remove_reader(sock) is False
            sock.sendto(b"still there", sock.getsockname())
            assert (await loop.sock_recvfrom(sock, 100))[0] == b"still there"

    run(new_loop, main())


@on_both_loops
@pytest.mark.parametrize("is_connected", [True, False], ids=["connected", "unconnected"])
def test_sending_waits_for_room(new_loop, is_connected, tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        with full_receiver(tmp_path) as (sender, receiver):
            address = receiver.getsockname()
            if is_connected:
                sender.connect(address)
            task = asyncio.ensure_future(loop.sock_sendto(sender, b"after", address))
            await asyncio.sleep(0.01)
            assert not task.done()
            while (await loop.sock_recvfrom(receiver, 100))[0] == b"before":
                pass
            assert await task == 5

    run(new_loop, main())


@on_both_loops
def test_sending_can_be_cancelled(new_loop, tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        with full_receiver(tmp_path) as (sender, receiver):
            send = loop.sock_sendto(sender, b"after", receiver.getsockname())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(send, 0.05)
            assert loop.remove_writer(sender) is False
            received = {b"before"}
            with contextlib.suppress(BlockingIOError):
                while True:
                    received.add(receiver.recv(100))
            assert received == {b"before"}

    run(new_loop, main())


def test_waiting_for_room_costs_no_time(tmp_path):
    """asyncio spins while a receiver that the sender is not connected to has no room."""

    async def main():
        loop = asyncio.get_running_loop()
        with full_receiver(tmp_path) as (sender, receiver):
            send = loop.sock_sendto(sender, b"after", receiver.getsockname())
            before = time.process_time()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(send, 0.5)
            assert time.process_time() - before < 0.1

    run(groundup.new_event_loop, main())
