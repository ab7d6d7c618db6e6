"""Unix datagram endpoints and the names they are bound to."""

from __future__ import annotations

import ctypes
import logging
import os
import socket

import pytest

from .datagrams import endpoint, until_received

UNIX = {"family": socket.AF_UNIX}


async def test_a_stale_socket_is_replaced(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as earlier:
        earlier.bind(path)
    async with (
        endpoint(local_addr=path, **UNIX) as (_, protocol),
        endpoint(remote_addr=path, **UNIX) as (client, _),
    ):
        client.sendto(b"hello")
        await until_received(protocol, 1)
        # Nothing was bound, so there is nobody to answer to.
        assert protocol.received == [(b"hello", None)]


async def test_a_file_that_is_no_socket_is_not_removed(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(OSError, match="Address already in use"):
        await endpoint(local_addr=str(path), **UNIX).__aenter__()
    assert path.read_text() == "precious"


async def test_what_cannot_be_checked_is_logged(tmp_path, caplog):
    (tmp_path / "file").touch()
    path = str(tmp_path / "file" / "socket")
    with pytest.raises(NotADirectoryError):
        await endpoint(local_addr=path, **UNIX).__aenter__()
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    [message] = [record.getMessage() for record in records]
    assert message.startswith(f"Unable to check or remove stale UNIX socket {path!r}: NotADirec")


async def test_a_path_outlives_its_endpoint(tmp_path):
    path = tmp_path / "socket"
    async with endpoint(local_addr=str(path), **UNIX):
        assert path.is_socket()
    assert path.is_socket()


async def test_an_empty_remote_path_means_none(tmp_path):
    path = str(tmp_path / "socket")
    async with endpoint(local_addr=path, remote_addr="", **UNIX) as (transport, _):
        assert transport.get_extra_info("peername") is None


async def test_connecting_to_nobody_fails(tmp_path):
    with pytest.raises(FileNotFoundError):
        await endpoint(remote_addr=str(tmp_path / "nobody"), **UNIX).__aenter__()


@pytest.mark.parametrize("name", ["socket", "sök\udce9t", "x" * 200])
async def test_any_path_can_be_sent_to_and_answered(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = name[: 107 - len(os.fsencode(name)) + len(name)]
    async with (
        endpoint(local_addr=name, **UNIX) as (server, server_protocol),
        endpoint(local_addr="client", **UNIX) as (client, client_protocol),
    ):
        client.sendto(b"by name", name)
        client.sendto(b"by bytes", os.fsencode(name))
        await until_received(server_protocol, 2)
        assert server_protocol.received == [(b"by name", "client"), (b"by bytes", "client")]
        server.sendto(b"answer", "client")
        await until_received(client_protocol, 1)
        assert client_protocol.received == [(b"answer", name)]


async def test_a_path_that_is_too_long_is_an_error_of_the_network(tmp_path):
    async with endpoint(**UNIX) as (transport, protocol):
        transport.sendto(b"x", "x" * 108)
        assert [str(error) for error in protocol.errors] == ["AF_UNIX path too long"]


@pytest.mark.parametrize("name", [b"\0%d", b"\0%d\0b", b"\0%d\xff", b"\0%d".ljust(109, b"x")])
async def test_abstract_names_are_bytes(name, tmp_path):
    name, path = (name % os.getpid())[:108], str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.bind(name)
        peer.settimeout(10)
        async with endpoint(local_addr=path, **UNIX) as (transport, protocol):
            peer.sendto(b"hello", path)
            await until_received(protocol, 1)
            assert protocol.received == [(b"hello", name)]
            transport.sendto(b"answer", name)
            assert peer.recvfrom(100) == (b"answer", path)


async def test_a_sender_whose_path_fills_its_address_is_known(tmp_path, monkeypatch):
    """The system takes paths of 108 bytes, for which the NUL at the end has no room."""
    monkeypatch.chdir(tmp_path)
    address = socket.AF_UNIX.to_bytes(2, "little") + b"x" * 108
    async with endpoint(local_addr="server", **UNIX) as (_, protocol):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            assert ctypes.CDLL(None).bind(peer.fileno(), address, len(address)) == 0
            peer.sendto(b"hello", "server")
            await until_received(protocol, 1)
        assert protocol.received == [(b"hello", "x" * 108)]


@pytest.mark.parametrize("other", [None, "third"])
@pytest.mark.groundup_only
async def test_an_unnamed_peer_can_be_sent_to(other, tmp_path, monkeypatch):
    """asyncio takes a peer without a name for none."""
    monkeypatch.chdir(tmp_path)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.settimeout(10)
    with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as third:
        async with endpoint(sock=ours) as (transport, protocol):
            assert transport.get_extra_info("peername") == ""
            third.bind("third")
            third.settimeout(10)
            transport.sendto(b"hello", other)
            assert (theirs if other is None else third).recv(100) == b"hello"
            theirs.send(b"answer")
            await until_received(protocol, 1)
            assert protocol.received == [(b"answer", None)]


@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_receiver_that_is_gone_is_an_error_of_the_network(is_connected, tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        sender = endpoint(remote_addr=path if is_connected else None, **UNIX)
        transport, protocol = await sender.__aenter__()
    transport.sendto(b"x", path)
    assert [type(error) for error in protocol.errors] == [ConnectionRefusedError]
    await sender.__aexit__(None, None, None)
    assert protocol.lost.result() is None
