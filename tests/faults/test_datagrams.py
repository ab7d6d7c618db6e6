"""Receiving and sending datagrams when it fails: an error is heard, and ends nothing."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import asynccontextmanager

import pytest

from .apart import apart, idle, until
from .failing import Failure, install


class Note(asyncio.DatagramProtocol):
    def __init__(self):
        self.received, self.errors = [], []
        self.lost = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, address):
        self.received.append(data)

    def error_received(self, exc):
        self.errors.append(exc)

    def connection_lost(self, exc):
        self.lost.set_result(exc)


@asynccontextmanager
async def endpoint(peer):
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Note, remote_addr=peer.getsockname())
    peer.connect(transport.get_extra_info("sockname"))
    try:
        yield transport, protocol
    finally:
        transport.abort()
        await protocol.lost


def bound():
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.setblocking(False)
    return peer


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN])
@apart
async def test_receiving_is_tried_again(number):
    with bound() as peer:
        async with endpoint(peer) as (transport, protocol):
            descriptor = transport.get_extra_info("socket").fileno()
            install(Failure("recvfrom", number, descriptor, times=3))
            peer.send(b"data")
            await until(lambda: protocol.received == [b"data"])
            assert protocol.errors == []


@pytest.mark.parametrize("call", ["recvfrom", "sendto"])
@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ENOBUFS, errno.ENOMEM, errno.EPERM])
@apart
async def test_an_error_is_heard_and_the_endpoint_goes_on(number, call):
    with bound() as peer:
        async with endpoint(peer) as (transport, protocol):
            install(Failure(call, number, transport.get_extra_info("socket").fileno()))
            transport.sendto(b"first")
            peer.send(b"first")
            await until(lambda: protocol.errors)
            assert [error.errno for error in protocol.errors] == [number]
            transport.sendto(b"second")
            peer.send(b"second")
            await until(lambda: b"second" in protocol.received)
            await idle()
            assert len(protocol.errors) == 1
            assert not protocol.lost.done()


@pytest.mark.parametrize("number", [errno.EINTR, errno.EAGAIN])
@apart
async def test_sending_is_tried_again(number):
    with bound() as peer:
        async with endpoint(peer) as (transport, protocol):
            descriptor = transport.get_extra_info("socket").fileno()
            install(Failure("sendto", number, descriptor, times=3))
            transport.sendto(b"one")
            transport.sendto(b"two")
            loop = asyncio.get_running_loop()
            assert [await loop.sock_recv(peer, 10) for _ in range(2)] == [b"one", b"two"]
            assert protocol.errors == []


@apart
async def test_a_closed_port_refuses_and_the_endpoint_goes_on():
    with bound() as peer:
        async with endpoint(peer) as (transport, protocol):
            peer.close()
            for _ in range(3):
                transport.sendto(b"to nobody")
                await asyncio.sleep(0.01)
            assert {type(error) for error in protocol.errors} == {ConnectionRefusedError}
            assert not protocol.lost.done()
            await idle()


@apart
async def test_an_endpoint_that_cannot_be_watched_is_lost():
    with bound() as peer:
        loop = asyncio.get_running_loop()
        install(Failure("epoll_ctl", errno.ENOSPC))
        _, protocol = await loop.create_datagram_endpoint(Note, remote_addr=peer.getsockname())
        assert (await protocol.lost).errno == errno.ENOSPC
