"""Accepting connections: what a protocol gets, and what may go wrong."""

from __future__ import annotations

import asyncio
import contextvars
import socket

import pytest

from .callers import Echo, calling, echoed
from .connections import (
    Recorder,
    receive,
    reset,
    serving,
    turns,
    until,
)


async def test_what_is_sent_before_accepting_is_received():
    async with serving(Echo) as (_, address):
        with calling(address) as caller:
            caller.send(b"early")
            assert await receive(caller, 5) == b"early"


async def test_an_accepted_connection_knows_its_ends():
    made = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            made.append(transport)

    async with serving(Protocol) as (_, address):
        with calling(address) as caller:
            await until(lambda: made)
            assert made[0].get_extra_info("peername") == caller.getsockname()
            assert made[0].get_extra_info("sockname") == address
            sock = made[0].get_extra_info("socket")
            assert (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_STREAM)
            assert sock.getpeername() == caller.getsockname()
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert not socket_inheritable(sock.fileno())


def socket_inheritable(descriptor: int) -> bool:
    with socket.socket(fileno=descriptor) as sock:
        inheritable = sock.get_inheritable()
        sock.detach()
        return inheritable


@pytest.mark.groundup_only
async def test_what_the_factory_raises_is_reported_and_others_are_served(reports):
    made = []

    def factory():
        made.append(None)
        if len(made) == 1:
            raise LookupError("no protocol")
        return Echo()

    loop = asyncio.get_running_loop()
    async with await loop.create_server(factory, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        with calling(address) as unlucky:
            await until(lambda: reports)
            assert await echoed(address) == b"hello"
            assert await receive(unlucky, 1) == b""
        [report] = reports
        assert report["message"] == "Error on transport creation for incoming connection"
        assert isinstance(report["exception"], LookupError)
        assert report["socket"].fileno() == server.sockets[0].fileno()


@pytest.mark.groundup_only
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_factory_can_end_the_run(new_loop, kind):
    def factory():
        if not made:
            made.append(None)
            raise kind
        return Echo()

    made = []
    loop = new_loop()
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
    address = server.sockets[0].getsockname()
    with calling(address), pytest.raises(kind):
        loop.run_until_complete(asyncio.sleep(10))
    assert loop.run_until_complete(echoed(address)) == b"hello"
    server.close()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


async def test_a_connection_that_is_gone_before_it_is_accepted_does_no_harm():
    async with serving(Echo) as (_, address):
        for _ in range(5):
            reset(socket.create_connection(address))
        assert await echoed(address) == b"hello"


@pytest.mark.groundup_only
async def test_the_factory_may_close_the_server():
    loop = asyncio.get_running_loop()

    class Protocol(Echo):
        def __init__(self):
            super().__init__()
            server.close()

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    with calling(address) as first, calling(address) as second:
        await until(lambda: not server.is_serving())
        assert isinstance((first, second), tuple)
    await turns(3)


async def test_each_connection_has_a_context_of_its_own():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Protocol(Recorder):
        def __init__(self):
            super().__init__()
            seen.append(variable.get())
            variable.set("factory")

        def connection_made(self, transport):
            super().connection_made(transport)
            seen.append(variable.get())
            transport.close()

    variable.set("creator")
    async with serving(Protocol) as (_, address):
        variable.set("later")
        for _ in range(2):
            with calling(address) as caller:
                assert await receive(caller, 1) == b""
    assert seen == ["creator", "factory"] * 2


async def test_many_connections_at_once_are_served():
    loop = asyncio.get_running_loop()
    count = 200

    async def call(number: int) -> bool:
        protocol = Recorder()
        data = b"%d," % number * 100
        transport, _ = await loop.create_connection(lambda: protocol, *address)
        transport.write(data)
        await until(lambda: len(protocol.received) == len(data))
        transport.close()
        await protocol.lost
        return protocol.received == data

    async with serving(Echo) as (_, address):
        assert all(await asyncio.gather(*map(call, range(count))))
        await turns(3)
