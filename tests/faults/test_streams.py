"""Receiving and sending over a stream when it fails: what is heard, by whom, and what goes on."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from .apart import apart, idle, until
from .failing import Failure, install
from .peers import Echo, Note, caller, connected, echo, reset, serving

PASSING = [errno.EINTR, errno.EAGAIN]
LASTING = [
    *(errno.ECONNRESET, errno.ETIMEDOUT, errno.ENOMEM, errno.ENOBUFS, errno.EIO),
    *(errno.EHOSTUNREACH, errno.ENETDOWN),
]
MUCH = 1 << 20


class Buffered(asyncio.BufferedProtocol):
    """Notes what is received into its buffer."""

    def __init__(self):
        self.received, self.buffer = bytearray(), bytearray(1000)
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.received += self.buffer[:count]

    def connection_lost(self, exc):
        self.lost.set_result(exc)


@pytest.mark.parametrize("kind", ["Echo", "Buffered"])
@pytest.mark.parametrize("number", PASSING)
@apart
async def test_receiving_is_tried_again(number, kind):
    async with connected(globals()[kind]) as (transport, protocol, far):
        descriptor = transport.get_extra_info("socket").fileno()
        install(Failure("recvfrom", number, descriptor, times=5))
        far.send(b"data")
        await until(lambda: protocol.received == b"data")
        await idle()


@pytest.mark.parametrize("kind", ["Echo", "Buffered"])
@pytest.mark.parametrize("number", LASTING)
@apart
async def test_what_receiving_fails_with_is_the_reason(number, kind):
    async with (
        connected() as (_, other, other_far),
        connected(globals()[kind]) as (transport, protocol, far),
    ):
        install(Failure("recvfrom", number, transport.get_extra_info("socket").fileno()))
        far.send(b"data")
        assert (await protocol.lost).errno == number
        other_far.send(b"still here")
        await until(lambda: other.received == b"still here")
        await idle()


@pytest.mark.parametrize("call", ["sendto", "sendmsg"])
@pytest.mark.parametrize("number", PASSING)
@apart
async def test_sending_is_tried_again(number, call):
    async with connected() as (transport, protocol, far):
        install(Failure(call, number, transport.get_extra_info("socket").fileno(), times=5))
        transport.write(b"one")
        if call == "sendmsg":
            transport.write(b"two")
        assert await asyncio.get_running_loop().sock_recv(far, 10) in (b"one", b"onetwo")
        assert not protocol.lost.done()
        await idle()


@pytest.mark.parametrize("call", ["sendto", "sendmsg"])
@pytest.mark.parametrize("number", [*LASTING, errno.EPIPE])
@apart
async def test_what_sending_fails_with_is_the_reason(number, call):
    async with connected() as (_, other, other_far), connected() as (transport, protocol, _):
        install(Failure(call, number, transport.get_extra_info("socket").fileno()))
        transport.write(b"one")
        if call == "sendmsg":
            transport.write(b"two")
        assert (await protocol.lost).errno == number
        other_far.send(b"still here")
        await until(lambda: other.received == b"still here")


@pytest.mark.parametrize("call", ["close", "write_eof", "get_write_buffer_size"])
@apart
async def test_what_sending_fails_with_at_the_end_is_the_reason(call):
    async with connected() as (transport, protocol, _):
        install(Failure("sendto", errno.EPIPE, transport.get_extra_info("socket").fileno()))
        transport.write(b"last words")
        getattr(transport, call)()
        assert isinstance(await protocol.lost, BrokenPipeError)


@apart
async def test_half_closing_a_connection_that_is_gone_is_an_error():
    async with connected() as (transport, protocol, _):
        descriptor = transport.get_extra_info("socket").fileno()
        install(Failure("shutdown", errno.ENOTCONN, descriptor))
        with pytest.raises(OSError) as caught:
            transport.write_eof()
        assert caught.value.errno == errno.ENOTCONN
        assert not protocol.lost.done()


@apart
async def test_a_connection_that_cannot_be_watched_is_lost():
    async with connected() as (transport, protocol, _):
        # The first is that of pausing.
        install(Failure("epoll_ctl", errno.ENOMEM, after=1))
        transport.pause_reading()
        assert not transport.is_closing()
        transport.resume_reading()
        assert transport.is_closing()
        assert (await protocol.lost).errno == errno.ENOMEM


@apart
async def test_what_is_sent_in_bits_arrives_whole():
    """A send buffer of the smallest size takes little at a time, and often nothing."""
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    far.setblocking(False)
    with far:
        transport, protocol = await loop.create_connection(Note, sock=near)
        sent = bytes(range(256)) * (MUCH // 256)
        for begin in range(0, MUCH, 10_000):
            transport.write(sent[begin : begin + 10_000])
        received = bytearray()
        while len(received) < MUCH:
            received += await loop.sock_recv(far, 1 << 16)
        assert received == sent
        assert protocol.flow == ["pause", "resume"]
        transport.close()
        await protocol.lost


@apart
async def test_a_reset_reaches_one_connection_only():
    made = []

    def make():
        made.append(Echo())
        return made[-1]

    async with serving(make) as (_, address):
        with caller(address) as staying:
            await echo(staying)
            for _ in range(20):
                leaving = caller(address)
                await echo(leaving)
                reset(leaving)
            reasons = [await protocol.lost for protocol in made[1:]]
            assert [type(reason) for reason in reasons] == [ConnectionResetError] * 20
            await echo(staying)


@apart
async def test_a_reset_while_closing_is_the_reason():
    async with connected() as (transport, protocol, far):
        transport.write(bytes(8 * MUCH))
        transport.close()
        assert not protocol.lost.done()
        reset(far)
        assert isinstance(await protocol.lost, ConnectionError)


@apart
async def test_a_peer_that_never_reads_is_waited_for_without_work():
    async with connected() as (transport, protocol, _):
        transport.write(bytes(8 * MUCH))
        assert protocol.flow == ["pause"]
        await idle()
        assert protocol.flow == ["pause"]


@apart
async def test_a_half_closed_peer_is_written_to_without_work():
    class Stays(Echo):
        def eof_received(self):
            return True

    async with connected(Stays) as (transport, _, far):
        far.shutdown(socket.SHUT_WR)
        await idle()
        transport.write(b"answer")
        assert await asyncio.get_running_loop().sock_recv(far, 10) == b"answer"
