"""When writes leave: together at the end of a turn, or at once if they are much or no turn ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import pytest

from .connections import Recorder, connected, receive, tcp_pair, turns, unix_pair


class Datagrams(socket.socket):
    """A socket that keeps what is sent by each call apart, and passes for a stream."""

    @property
    def type(self):
        return socket.SOCK_STREAM


def seqpacket_pair() -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair(type=socket.SOCK_SEQPACKET)
    near, far = Datagrams(fileno=near.detach()), Datagrams(fileno=far.detach())
    near.setblocking(False)
    far.setblocking(False)
    return near, far


def large_pair() -> tuple[socket.socket, socket.socket]:
    near, far = seqpacket_pair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return near, far


@pytest.mark.groundup_only
async def test_what_is_written_in_one_turn_is_sent_by_one_call():
    async with connected(pair=seqpacket_pair) as (transport, _, far):
        for number in range(30):
            transport.write(b"%d," % number)
        transport.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
        with pytest.raises(BlockingIOError):
            far.recv(1000)
        await turns(1)
        assert far.recv(1000) == b"".join(b"%d," % number for number in range(30)) + b"abc"
        with pytest.raises(BlockingIOError):
            far.recv(1000)


@pytest.mark.groundup_only
async def test_each_turn_sends_what_was_written_in_it():
    async with connected(pair=seqpacket_pair) as (transport, _, far):
        for number in range(3):
            transport.write(b"head")
            transport.write(b"%d" % number)
            await turns(1)
        assert [far.recv(100) for _ in range(3)] == [b"head0", b"head1", b"head2"]


async def test_what_is_large_is_sent_at_once():
    async with connected(pair=large_pair) as (transport, _, far):
        transport.write(bytes(64 * 1024))
        assert len(far.recv(100_000)) == 64 * 1024


@pytest.mark.groundup_only
async def test_what_comes_before_much_is_sent_with_it():
    async with connected(pair=large_pair) as (transport, _, far):
        transport.write(b"head")
        transport.writelines([bytes(40 * 1024), bytearray(24 * 1024)])
        assert len(far.recv(100_000)) == 4 + 64 * 1024
        transport.write(b"tail")
        with pytest.raises(BlockingIOError):
            far.recv(100)
        await turns(1)
        assert far.recv(100) == b"tail"


@pytest.mark.groundup_only
async def test_what_a_protocol_answers_in_one_call_is_sent_by_one_call():
    class Protocol(Recorder):
        def data_received(self, data):
            self.transport.write(b"head ")
            self.transport.write(b"body")

    async with connected(Protocol, seqpacket_pair) as (_, _, far):
        far.send(b"ask")
        assert await asyncio.get_running_loop().sock_recv(far, 100) == b"head body"


@pytest.mark.groundup_only
async def test_asking_for_the_size_of_the_buffer_sends_what_it_can():
    async with connected(pair=seqpacket_pair) as (transport, _, far):
        transport.write(b"now")
        assert transport.get_write_buffer_size() == 0
        assert far.recv(100) == b"now"


@pytest.mark.parametrize("end", ["close", "write_eof", "abort"])
async def test_what_was_written_before_the_end_is_sent(end):
    """Even by abort, as the kernel would have taken it at once."""
    async with connected() as (transport, _, far):
        transport.write(b"last ")
        transport.write(b"words")
        getattr(transport, end)()
        assert await receive(far, 100) == b"last words"
        transport.close()


async def test_what_is_written_outside_the_loop_is_sent_at_once():
    async with connected() as (transport, _, far):
        thread = threading.Thread(target=transport.write, args=(b"from a thread",))
        thread.start()
        thread.join()
        far.setblocking(True)
        assert far.recv(100) == b"from a thread"
        far.setblocking(False)


async def test_another_thread_can_fill_the_buffer():
    size = 4 << 20
    async with connected() as (transport, _, far):
        receiving = asyncio.create_task(receive(far, size))
        await turns(2)
        await asyncio.to_thread(transport.write, bytes(size))
        assert await receiving == bytes(size)


def test_what_is_written_before_and_after_a_run_is_sent(new_loop):
    loop = new_loop()
    near, far = tcp_pair()
    far.setblocking(True)
    transport, protocol = loop.run_until_complete(
        loop.create_connection(recorder_of(loop), sock=near)
    )
    with far:
        transport.write(b"between")
        assert far.recv(100) == b"between"

        async def write_and_stop():
            transport.write(b"in the last turn")

        loop.run_until_complete(write_and_stop())
        assert far.recv(100) == b"in the last turn"
        transport.close()
        loop.run_until_complete(protocol.lost)
    loop.close()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_was_written_in_a_turn_that_ends_the_run_is_sent(new_loop, kind):
    loop = new_loop()
    near, far = tcp_pair()
    transport, protocol = loop.run_until_complete(
        loop.create_connection(recorder_of(loop), sock=near)
    )

    def write_and_leave():
        transport.write(b"goodbye")
        raise kind

    loop.call_soon(write_and_leave)
    with far:
        with pytest.raises(kind):
            loop.run_forever()
        far.setblocking(True)
        assert far.recv(100) == b"goodbye"
        transport.close()
        loop.run_until_complete(protocol.lost)
    loop.close()


def recorder_of(loop):
    async def make():
        return Recorder()

    protocol = loop.run_until_complete(make())
    return lambda: protocol


async def test_an_answer_leaves_before_another_connection_is_read():
    heard: list[bytes] = []

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            for far in ends:
                with contextlib.suppress(BlockingIOError):
                    heard.append(far.recv(100))
            self.transport.write(data.upper())

    async with contextlib.AsyncExitStack() as stack:
        ends = []
        for _ in range(2):
            ends.append((await stack.enter_async_context(connected(Answers, unix_pair)))[2])
        ends[0].send(b"first")
        ends[1].send(b"second")
        await turns(3)
    assert heard in ([b"FIRST"], [b"SECOND"])
