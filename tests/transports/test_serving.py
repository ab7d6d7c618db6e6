"""create_server: hosts, sockets and options."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket

import pytest

from .callers import Echo, echoed
from .connections import (
    Recorder,
    receive,
    serving,
    turns,
    until,
)


async def test_port_zero_is_a_free_port():
    async with serving(Echo) as (server, (host, port)):
        assert host == "127.0.0.1"
        assert port > 0
        assert server.is_serving()
        assert await echoed((host, port)) == b"hello"


async def test_several_hosts_get_a_socket_each():
    loop = asyncio.get_running_loop()
    async with await loop.create_server(Echo, ["127.0.0.1", "127.0.0.2", "127.0.0.1"], 0) as server:
        addresses = [sock.getsockname() for sock in server.sockets]
        assert sorted(host for host, _ in addresses) == ["127.0.0.1", "127.0.0.2"]
        for address in addresses:
            assert await echoed(address) == b"hello"


@pytest.mark.parametrize("host", [None, ""], ids=repr)
async def test_no_host_means_all_interfaces(host):
    loop = asyncio.get_running_loop()
    async with await loop.create_server(Echo, host, 0) as server:
        names = {sock.family: sock.getsockname() for sock in server.sockets}
        assert names[socket.AF_INET][0] == "0.0.0.0"
        assert names[socket.AF_INET6][0] == "::"
        assert await echoed(("127.0.0.1", names[socket.AF_INET][1])) == b"hello"
        assert await echoed(("::1", names[socket.AF_INET6][1])) == b"hello"


async def test_an_ipv6_socket_leaves_the_ipv4_port_alone():
    async with serving(Echo, "::") as (server, (_, port, *_)):
        only = server.sockets[0].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        assert only == 1
        assert await echoed(("::1", port)) == b"hello"
        with pytest.raises(ConnectionRefusedError):
            await echoed(("127.0.0.1", port))


async def test_family_selects_the_addresses():
    loop = asyncio.get_running_loop()
    async with await loop.create_server(Echo, None, 0, family=socket.AF_INET) as server:
        assert [sock.family for sock in server.sockets] == [socket.AF_INET]


async def test_a_bound_socket_is_served():
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    async with await loop.create_server(Echo, sock=sock) as server:
        assert sock.gettimeout() == 0
        assert server.sockets[0].fileno() == sock.fileno()
        assert await echoed(sock.getsockname()) == b"hello"
    assert sock.fileno() == -1


async def test_a_bound_unix_socket_is_served(tmp_path):
    loop = asyncio.get_running_loop()
    path = str(tmp_path / "socket")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    made = []

    class Protocol(Echo):
        def connection_made(self, transport):
            super().connection_made(transport)
            made.append(transport)

    async with await loop.create_server(Protocol, sock=sock):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(path)
            caller.setblocking(False)
            caller.send(b"hello")
            assert await receive(caller, 5) == b"hello"
        assert made[0].get_extra_info("sockname") == path
        assert made[0].get_extra_info("peername") == ""
        await until(made[0].is_closing)


async def test_reuse_port_lets_servers_share_a_port():
    loop = asyncio.get_running_loop()
    async with (
        serving(reuse_port=True) as (server, (host, port)),
        await loop.create_server(Recorder, host, port, reuse_port=True) as other,
    ):
        for sock in (*server.sockets, *other.sockets):
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1


@pytest.mark.parametrize(("reuse", "value"), [(None, 1), (True, 1), (False, 0)])
async def test_reuse_address_is_on_unless_switched_off(reuse, value):
    async with serving(reuse_address=reuse) as (server, _):
        assert server.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == value


@pytest.mark.asyncio_since(3, 13)
@pytest.mark.parametrize(("keep", "value"), [(None, 0), (True, 1), (False, 0)])
async def test_keep_alive_is_off_unless_switched_on(keep, value):
    async with serving(keep_alive=keep) as (server, _):
        assert server.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == value


async def test_backlog_limits_who_waits():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Recorder, "127.0.0.1", 0, backlog=1)
    address = server.sockets[0].getsockname()
    with contextlib.ExitStack() as callers:
        # Nothing is accepted meanwhile, as the loop does not turn.
        outcomes = []
        for _ in range(6):
            caller = callers.enter_context(socket.socket())
            caller.settimeout(0.05)
            outcomes.append(caller.connect_ex(address))
        assert outcomes[:2] == [0, 0]
        assert outcomes[-1] == errno.EAGAIN
        server.close()
    await turns(3)
