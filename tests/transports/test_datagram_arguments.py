"""create_datagram_endpoint: what it takes and what it refuses."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys

import pytest

from .connections import open_descriptors
from .datagrams import Listener, endpoint, on_loopback, udp_socket, until_received

LATER_BUGFIX = {(3, 11): (3, 11, 8), (3, 12): (3, 12, 2)}
TAKES_RAW_SOCKETS = sys.version_info[:3] >= LATER_BUGFIX.get(sys.version_info[:2], (3, 13))


async def refusal(**options) -> str:
    """Return the kind and the text of what create_datagram_endpoint raises."""
    with pytest.raises(Exception) as caught:
        await asyncio.get_running_loop().create_datagram_endpoint(Listener, **options)
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize(
    ("option", "value", "description"),
    [
        ("local_addr", ("127.0.0.1", 0), "local_addr=('127.0.0.1', 0)"),
        ("remote_addr", ("127.0.0.1", 9), "remote_addr=('127.0.0.1', 9)"),
        ("family", socket.AF_INET, f"family={socket.AF_INET}"),
        ("proto", 17, "proto=17"),
        ("flags", 1, "flags=1"),
        ("reuse_port", True, "reuse_port=True"),
        ("allow_broadcast", 1, "allow_broadcast=1"),
    ],
)
async def test_a_socket_excludes_other_arguments(option, value, description):
    with udp_socket() as sock:
        message = "socket modifier keyword arguments can not be used when sock is specified. "
        assert (
            await refusal(sock=sock, **{option: value}) == f"ValueError: {message}({description})"
        )
        options = {"family": 2, option: value, "reuse_port": True, "sock": sock}
        assert "family=2" in await refusal(**options)
        assert "reuse_port=True" in await refusal(**options)
        # What is false says nothing.
        async with endpoint(sock=sock, local_addr=(), reuse_port=False, flags=0):
            pass


async def test_streams_are_refused():
    expected = "A datagram socket" if TAKES_RAW_SOCKETS else "A UDP Socket"
    with socket.socket() as sock:
        message = f"ValueError: {expected} was expected, got {sock!r}"
        assert await refusal(sock=sock) == message


async def test_all_sockets_that_keep_bounds_are_taken():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        if not TAKES_RAW_SOCKETS:
            assert (
                await refusal(sock=ours) == f"ValueError: A UDP Socket was expected, got {ours!r}"
            )
            return
        async with endpoint(sock=ours) as (_, protocol):
            theirs.send(b"one")
            theirs.send(b"two")
            await until_received(protocol, 2)
            assert protocol.data == [b"one", b"two"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "ValueError: unexpected address family"),
        ({"local_addr": "localhost"}, "TypeError: 2-tuple is expected"),
        ({"local_addr": ("localhost", 1, 2, 3)}, "TypeError: 2-tuple is expected"),
        ({"remote_addr": ["127.0.0.1", 1]}, "TypeError: 2-tuple is expected"),
        ({"local_addr": (), "remote_addr": ("::1", 9)}, "TypeError: 2-tuple is expected"),
        (
            {"local_addr": ("::1", 0), "remote_addr": ("127.0.0.1", 9)},
            "ValueError: can not get address information",
        ),
        ({"local_addr": b"/path", "family": socket.AF_UNIX}, "TypeError: string is expected"),
        (
            {"local_addr": "/path", "remote_addr": 1, "family": socket.AF_UNIX},
            "TypeError: string is expected",
        ),
    ],
)
async def test_wrong_addresses_are_refused(options, message):
    assert await refusal(**options) == message


async def test_a_name_without_addresses_is_an_error():
    async def getaddrinfo(*args, **keywords):
        return []

    asyncio.get_running_loop().getaddrinfo = getaddrinfo
    message = "OSError: getaddrinfo() returned empty list"
    assert await refusal(local_addr=("name.test", 0)) == message


async def test_sock_connect_may_be_overridden():
    async def sock_connect(sock, address):
        raise OSError("no way")

    asyncio.get_running_loop().sock_connect = sock_connect
    assert await refusal(remote_addr=("127.0.0.1", 9)) == "OSError: no way"


async def test_a_factory_that_raises_leaves_a_given_socket_open():
    def factory():
        raise RuntimeError("no protocol")

    with udp_socket() as sock:
        with pytest.raises(RuntimeError, match="no protocol"):
            await endpoint(factory, sock=sock).__aenter__()
        assert sock.fileno() != -1
        async with endpoint(sock=sock):
            pass


@pytest.mark.groundup_only
async def test_a_factory_that_raises_leaves_nothing():
    def factory():
        raise RuntimeError("no protocol")

    before = open_descriptors()
    for wrong in (factory, object):
        with pytest.raises((RuntimeError, AttributeError)):
            await endpoint(wrong, local_addr=("127.0.0.1", 0)).__aenter__()
    assert open_descriptors() == before


async def test_a_descriptor_has_one_transport():
    loop = asyncio.get_running_loop()
    async with on_loopback() as (transport, _, _):
        sock = transport.get_extra_info("socket")
        message = f"File descriptor .* is used by transport <.*DatagramTransport fd={sock.fileno()}"
        with pytest.raises(RuntimeError, match=message):
            loop.add_reader(sock, print)
        with pytest.raises(RuntimeError, match=message):
            loop.remove_writer(sock.fileno())


@pytest.mark.asyncio_since(3, 12)
async def test_a_socket_has_one_transport():
    async with on_loopback() as (transport, _, _):
        sock = SameSocket(transport.get_extra_info("socket"))
        message = await refusal(sock=sock)
        assert message.startswith(f"RuntimeError: File descriptor {sock!r} is used by transport <")


class SameSocket:
    """Another socket object of the same descriptor."""

    def __init__(self, sock) -> None:
        self.sock = sock
        self.type = sock.type

    def __getattr__(self, name: str):
        return getattr(self.sock, name)


async def test_a_process_without_descriptors_gets_the_error_and_goes_on():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with on_loopback() as (transport, protocol, address):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            message = "OSError: [Errno 24] Too many open files"
            assert await refusal(local_addr=("127.0.0.1", 0)) == message
            transport.sendto(b"still here", address)
            await until_received(protocol, 1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
