"""The addresses of senders: right for each, however many there are."""

from __future__ import annotations

import asyncio
import socket


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data + repr(addr).encode(), addr)


async def test_each_of_many_senders_gets_its_own_answer():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    senders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(80)]
    try:
        for sender in senders:
            sender.setblocking(False)
            sender.connect(transport.get_extra_info("sockname"))
        for data in (b"one", b"two"):
            for sender in senders:
                sender.send(data)
                expected = data + repr(sender.getsockname()).encode()
                assert await loop.sock_recv(sender, 100) == expected
    finally:
        transport.close()
        for sender in senders:
            sender.close()
