"""create_datagram_endpoint: the endpoints it makes."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from .connections import open_descriptors, turns, until
from .datagrams import (
    KINDS,
    Listener,
    endpoint,
    on_loopback,
    options_for,
    udp_socket,
    until_received,
)


@pytest.mark.parametrize("kind", KINDS)
async def test_two_endpoints_talk(kind, tmp_path):
    async with (
        endpoint(**options_for(kind, tmp_path)) as (one, one_protocol),
        endpoint(**options_for(kind, tmp_path)) as (other, other_protocol),
    ):
        here, there = one.get_extra_info("sockname"), other.get_extra_info("sockname")
        one.sendto(b"question", there)
        await until_received(other_protocol, 1)
        assert other_protocol.received == [(b"question", here)]
        other.sendto(b"answer", other_protocol.received[0][1])
        await until_received(one_protocol, 1)
        assert one_protocol.received == [(b"answer", there)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_remote_address_is_connected_to(kind, tmp_path):
    async with endpoint(**options_for(kind, tmp_path)) as (server, protocol):
        name = server.get_extra_info("sockname")
        family = socket.AF_UNIX if kind in ("path", "abstract") else 0
        remote = name[:2] if family == 0 else os.fsdecode(name)
        async with endpoint(remote_addr=remote, family=family) as (client, _):
            assert client.get_extra_info("peername") == name
            assert server.get_extra_info("peername") is None
            client.sendto(b"one")
            client.sendto(b"two", None)
            await until_received(protocol, 2)
            assert protocol.data == [b"one", b"two"]


async def test_both_addresses_can_be_given():
    async with on_loopback() as (_, protocol, address):
        options = {"local_addr": ("127.0.0.1", 0), "remote_addr": address}
        async with endpoint(**options) as (client, _):
            client.sendto(b"hello")
            await until_received(protocol, 1)
            assert protocol.received == [(b"hello", client.get_extra_info("sockname"))]


async def test_without_an_address_the_socket_is_neither_bound_nor_connected():
    async with endpoint(family=socket.AF_INET) as (transport, _):
        assert transport.get_extra_info("sockname") == ("0.0.0.0", 0)
        assert transport.get_extra_info("peername") is None
    async with endpoint(family=socket.AF_UNIX) as (transport, _):
        assert transport.get_extra_info("sockname") == ""
        assert transport.get_extra_info("socket").family == socket.AF_UNIX


async def test_options_are_set_only_if_asked_for():
    def option(transport, name: str) -> int:
        sock = transport.get_extra_info("socket")
        return sock.getsockopt(socket.SOL_SOCKET, getattr(socket, name))

    async with on_loopback() as (transport, _, _):
        names = ("SO_REUSEADDR", "SO_REUSEPORT", "SO_BROADCAST")
        assert [option(transport, name) for name in names] == [0, 0, 0]
    async with on_loopback(reuse_port=True, allow_broadcast=True) as (transport, _, _):
        assert [option(transport, name) for name in names] == [0, 1, 1]


async def test_ports_can_be_shared():
    async with on_loopback(reuse_port=True) as (_, one, address):
        async with on_loopback(local_addr=address, reuse_port=True) as (_, other, _):
            for _ in range(64):
                with udp_socket() as sock:
                    sock.sendto(b"x", address)
            await until(lambda: len(one.received) + len(other.received) == 64)
        with pytest.raises(OSError, match="Address already in use"):
            await endpoint(local_addr=address).__aenter__()


async def test_broadcasts_are_sent_and_received():
    options = {"local_addr": ("0.0.0.0", 0)}
    async with endpoint(**options) as (transport, protocol):
        port = transport.get_extra_info("sockname")[1]
        remote = ("127.255.255.255", port)
        async with endpoint(remote_addr=remote, allow_broadcast=True) as (sender, sender_protocol):
            # Not connected, so that the answers come from whoever answers.
            assert sender.get_extra_info("peername") is None
            sender.sendto(b"anybody?")
            sender.sendto(b"hello?", remote)
            await until_received(protocol, 2)
            assert protocol.data == [b"anybody?", b"hello?"]
            transport.sendto(b"me", protocol.received[0][1])
            await until_received(sender_protocol, 1)
            with pytest.raises(ValueError, match="Invalid address: must be None or"):
                sender.sendto(b"you", ("127.0.0.1", port))


async def test_broadcasts_are_refused_without_the_option():
    async with on_loopback() as (transport, protocol, _):
        transport.sendto(b"anybody?", ("127.255.255.255", 9))
        assert [type(error) for error in protocol.errors] == [PermissionError]


async def test_a_socket_can_be_given():
    sock = udp_socket()
    async with endpoint(sock=sock) as (transport, protocol):
        assert not sock.getblocking()
        assert transport.get_extra_info("sockname") == sock.getsockname()
        with udp_socket() as other:
            other.sendto(b"hello", sock.getsockname())
            await until_received(protocol, 1)
    assert sock.fileno() == -1


async def test_names_are_looked_up_for_datagrams():
    loop, questions = asyncio.get_running_loop(), []

    async def getaddrinfo(host, port, **keywords):
        questions.append((host, port, keywords))
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 0))]

    loop.getaddrinfo = getaddrinfo
    async with endpoint(local_addr=("name.test", "service")) as (transport, _):
        assert transport.get_extra_info("sockname")[0] == "127.0.0.1"
    expected = {"family": 0, "type": socket.SOCK_DGRAM, "proto": 0, "flags": 0}
    assert questions == [("name.test", "service", expected)]


async def test_the_first_address_that_works_is_taken():
    infos = [
        (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("2001:db8::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 0)),
    ]

    async def getaddrinfo(*args, **keywords):
        return infos

    asyncio.get_running_loop().getaddrinfo = getaddrinfo
    before = open_descriptors()
    async with endpoint(local_addr=("name.test", 0)) as (transport, _):
        assert transport.get_extra_info("sockname")[0] == "127.0.0.1"
    infos[1] = (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("203.0.113.1", 0))
    # Of several failures the first is told.
    with pytest.raises(OSError) as caught:
        await endpoint(local_addr=("name.test", 0)).__aenter__()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock, pytest.raises(OSError) as same:
        sock.bind(infos[0][4])
    assert str(caught.value) == str(same.value)
    assert open_descriptors() == before


async def test_creation_can_be_cancelled():
    made = []

    def factory():
        made.append(Listener())
        return made[-1]

    before = open_descriptors()
    task = asyncio.ensure_future(endpoint(factory, local_addr=("127.0.0.1", 0)).__aenter__())
    await turns(1)
    assert len(made) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await made[0].lost is None
    assert made[0].calls == ["connection_made", "connection_lost"]
    await turns(1)
    assert open_descriptors() == before
