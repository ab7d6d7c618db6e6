"""Small libraries on the loop: aiodns, aiofiles, aiosqlite, janus."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading

import pytest


def test_aiodns_asks_a_name_server(run):
    """c-ares does its own input and output, through add_reader and add_writer."""
    aiodns = pytest.importorskip("aiodns")

    class NameServer(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, query, sender):
            end = query.index(b"\0", 12) + 5
            header = query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
            answer = struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton("192.0.2.7")
            self.transport.sendto(header + query[12:end] + answer, sender)

    async def main():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            NameServer, local_addr=("127.0.0.1", 0), family=socket.AF_INET
        )
        port = transport.get_extra_info("sockname")[1]
        async with aiodns.DNSResolver(["127.0.0.1"], udp_port=port, tcp_port=port) as resolver:
            ask = [resolver.query_dns(f"host-{number}.test", "A") for number in range(20)]
            answers = await asyncio.gather(*ask)
        assert [answer.answer[0].data.addr for answer in answers] == ["192.0.2.7"] * 20
        transport.close()

    run(main())


def test_aiofiles_reads_and_writes(run, tmp_path):
    aiofiles = pytest.importorskip("aiofiles")
    body = os.urandom(1 << 20)

    async def main():
        async with aiofiles.open(tmp_path / "file", "wb") as file:
            await file.write(body)
        async with aiofiles.open(tmp_path / "file", "rb") as file:
            await file.seek(1000)
            assert await file.read() == body[1000:]

    run(main())


def test_aiosqlite_keeps_rows(run, tmp_path):
    aiosqlite = pytest.importorskip("aiosqlite")

    async def main():
        async with aiosqlite.connect(tmp_path / "database") as database:
            await database.execute("CREATE TABLE numbers (number INTEGER)")
            rows = [(number,) for number in range(1000)]
            await database.executemany("INSERT INTO numbers VALUES (?)", rows)
            await database.commit()
            async with database.execute("SELECT number FROM numbers ORDER BY number") as cursor:
                assert [row async for row in cursor] == rows
            with pytest.raises(aiosqlite.OperationalError, match="no such table"):
                await database.execute("SELECT * FROM absent")

    run(main())


def test_janus_joins_threads_and_tasks(run):
    janus = pytest.importorskip("janus")

    def double(numbers, doubled):
        while (number := numbers.get()) is not None:
            doubled.put(2 * number)

    async def main():
        numbers, doubled = janus.Queue(maxsize=3), janus.Queue(maxsize=3)
        arguments = (numbers.sync_q, doubled.sync_q)
        thread = threading.Thread(target=double, args=arguments)
        thread.start()

        async def feed():
            for number in [*range(500), None]:
                await numbers.async_q.put(number)

        task = asyncio.create_task(feed())
        assert [await doubled.async_q.get() for _ in range(500)] == list(range(0, 1000, 2))
        await task
        thread.join()
        await numbers.aclose()
        await doubled.aclose()

    run(main())
