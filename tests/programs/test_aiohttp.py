"""aiohttp, server and client, on the loop."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os

import aiohttp
import pytest

from .aiohttp_site import site

BODY = os.urandom(10_000)


def test_requests_are_answered(run):
    async def main():
        async with site() as session:
            async with session.get("/loop") as response:
                assert await response.text() == "groundup.event_loop"
            async with session.get("/hello/world") as response:
                assert (response.status, await response.text()) == (200, "hello world")
            async with session.get("/nowhere") as response:
                assert response.status == 404
            async with session.post("/echo", data=BODY) as response:
                assert await response.read() == BODY

    run(main())


def test_one_connection_serves_many_requests(run):
    async def main():
        opened = []

        async def note(*args):
            opened.append(args)

        async with site() as session:
            session.trace_configs.append(trace := aiohttp.TraceConfig())
            trace.on_connection_create_end.append(note)
            trace.freeze()
            for number in range(50):
                async with session.get(f"/hello/{number}") as response:
                    assert await response.text() == f"hello {number}"
        assert len(opened) == 1

    run(main())


def test_a_hundred_requests_at_once(run):
    async def main():
        async with site() as session:

            async def ask(number):
                body = BODY[number:] + b"%d" % number
                async with session.post("/echo", data=body) as response:
                    return await response.read() == body

            assert all(await asyncio.gather(*map(ask, range(100))))

    run(main())


def test_a_streamed_body_arrives_in_order(run):
    async def main():
        parameters = {"chunks": "5000"}
        async with site() as session, session.get("/stream", params=parameters) as response:
            lines = [int(line) async for line in response.content]
        assert lines == list(range(5000))

    run(main())


def test_a_large_upload_is_received_whole(run):
    body = os.urandom(1 << 20) * 8

    async def main():
        async def pieces():
            for start in range(0, len(body), 100_000):
                yield body[start : start + 100_000]

        async with site() as session:
            for data in (io.BytesIO(body), pieces()):
                async with session.post("/digest", data=data) as response:
                    answer = await response.json()
                assert answer == {"sha256": hashlib.sha256(body).hexdigest()}

    run(main())


def test_files_are_served(run, tmp_path):
    body = os.urandom(3 << 20)
    (tmp_path / "file").write_bytes(body)

    async def main():
        async with site(tmp_path) as session:
            async with session.get("/files/file") as response:
                assert await response.read() == body
            headers = {"Range": "bytes=1000-1999"}
            async with session.get("/files/file", headers=headers) as response:
                assert response.status == 206
                assert await response.read() == body[1000:2000]

    run(main())


def test_failures_are_told(run):
    async def main():
        async with site() as session:
            async with session.get("/fail") as response:
                assert response.status == 500
            with pytest.raises(TimeoutError):
                await session.get("/stall", timeout=aiohttp.ClientTimeout(total=0.05))
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await session.get("/drop")
            async with session.get("/hello/again") as response:
                assert await response.text() == "hello again"
            with pytest.raises(aiohttp.ClientConnectorError, match="Cannot connect to host"):
                await session.get("http://127.0.0.1:1/")

    run(main())
