"""What datagram endpoints leave behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import resource
import warnings
import weakref
from collections import Counter

import pytest

import groundup

from .connections import open_descriptors, turns
from .datagrams import Listener, endpoint, on_loopback, udp_socket, until_received

pytestmark = pytest.mark.groundup_only


def living() -> Counter[str]:
    """Count the objects of the extension that are alive."""
    gc.collect()
    names = ("DatagramTransport", "Coroutine", "Context", "TransportSocket", "Listener", "socket")
    return Counter(name for thing in gc.get_objects() if (name := type(thing).__name__) in names)


async def test_thousands_of_endpoints_leave_nothing():
    class Echo(Listener):
        def datagram_received(self, data, addr):
            self.transport.sendto(data, addr)

    async def ask(address, way: str) -> None:
        options = {"remote_addr": address} if way == "close" else {"local_addr": ("127.0.0.1", 0)}
        async with endpoint(**options) as (transport, protocol):
            transport.sendto(b"hello", address)
            await until_received(protocol, 1)
            getattr(transport, way)()

    async def storm(count: int) -> None:
        async with on_loopback(Echo) as (_, _, address):
            for _ in range(count // 50):
                await asyncio.gather(*(ask(address, way) for way in ["close", "abort"] * 25))

    gc.collect()  # what tests before this one have left
    before = open_descriptors()
    await storm(200)
    objects, memory = living(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await storm(3000)
    assert open_descriptors() == before
    assert living() == objects
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 8 << 10


async def test_thousands_of_datagrams_leave_nothing(tmp_path):
    async def storm(count: int) -> None:
        async with on_loopback() as (transport, protocol, address):
            with udp_socket() as peer:
                for number in range(count):
                    transport.sendto(bytes(1000), address)
                    transport.sendto(b"x", ("localhost", peer.getsockname()[1]))
                    transport.sendto(bytes(70_000), address)
                    await until_received(protocol, number + 1)
                    protocol.received[-1] = (b"", None)

    await storm(100)
    objects, memory = living(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await storm(3000)
    assert living() == objects
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 8 << 10


async def test_failures_leave_nothing():
    async def fail() -> None:
        create = asyncio.get_running_loop().create_datagram_endpoint
        with udp_socket() as taken:
            for wrong in [taken.getsockname(), ("2001:db8::1", 0)]:
                with pytest.raises(OSError):
                    await create(Listener, local_addr=wrong)
        with pytest.raises(OSError):
            await create(Listener, remote_addr=("255.255.255.255", 9))
        with pytest.raises(TypeError):
            await create(None, local_addr=("127.0.0.1", 0))

    await fail()
    before, objects = open_descriptors(), living()
    for _ in range(200):
        await fail()
    assert open_descriptors() == before
    assert living() == objects


async def test_a_transport_in_a_cycle_goes():
    class Protocol(Listener):
        pass

    async with on_loopback(Protocol) as (transport, protocol, _):
        protocol.me = protocol
        gone = weakref.ref(transport), weakref.ref(protocol)
        transport.close()
        await protocol.lost
    del transport, protocol
    await turns(2)
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_a_loop_that_is_forgotten_takes_its_endpoints_along():
    async def begin():
        create = asyncio.get_running_loop().create_datagram_endpoint
        transport, protocol = await create(Listener, local_addr=("127.0.0.1", 0))
        protocol.loop = asyncio.get_running_loop()
        return transport.get_extra_info("socket"), weakref.ref(protocol)

    loop = groundup.new_event_loop()
    sock, protocol = loop.run_until_complete(begin())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del loop
        gc.collect()
    assert protocol() is None
    assert sock.fileno() == -1
