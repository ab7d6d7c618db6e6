"""httpx and uvicorn in one process, both on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import httpx
import pytest
import uvicorn

from .app import application

BODY = os.urandom(1 << 20)
LOOP = "groundup.event_loop.EventLoop"


@contextlib.asynccontextmanager
async def served(**options):
    """Give the port of a server, which lives in a task."""
    settings = {"loop": "none", "log_level": "critical", **options}
    server = uvicorn.Server(uvicorn.Config(application, **settings))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.001)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def site(**options):
    """Give a client whose paths are those of a server."""
    async with served() as port:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", **options)
        async with client:
            yield client


def test_requests_are_answered(run):
    async def main():
        async with site() as client:
            assert (await client.get("/")).json()["loop"] == LOOP
            assert (await client.post("/echo", content=BODY)).content == BODY
            assert (await client.get("/fail")).status_code == 500

    run(main())


def test_many_requests_share_few_connections(run):
    async def main():
        limits = httpx.Limits(max_connections=10)
        async with site(limits=limits, timeout=30) as client:

            async def ask(number):
                return (await client.post("/echo", content=b"%d" % number)).content

            bodies = await asyncio.gather(*map(ask, range(200)))
            told = await asyncio.gather(*(client.get("/") for _ in range(50)))
        assert bodies == [b"%d" % number for number in range(200)]
        assert len({tuple(answer.json()["client"]) for answer in told}) <= 10

    run(main())


def test_bodies_are_streamed_both_ways(run):
    async def pieces():
        for start in range(0, len(BODY), 100_000):
            yield BODY[start : start + 100_000]
            await asyncio.sleep(0)

    async def main():
        async with site() as client:
            assert (await client.post("/echo", content=pieces())).content == BODY
            async with client.stream("GET", "/stream") as response:
                lines = [int(line) async for line in response.aiter_lines()]
            assert lines == list(range(1000))

    run(main())


def test_faults_are_told(run):
    async def main():
        async with site() as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/stall", timeout=httpx.Timeout(5, read=0.05))
            async with client.stream("GET", "/stream") as response:
                await anext(response.aiter_raw())
            assert (await client.get("/")).json()["loop"] == LOOP
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:1/")

    run(main())


def test_tls_does(run, certificate, client_context):
    files = {
        "ssl_keyfile": str(certificate / "server.key"),
        "ssl_certfile": str(certificate / "server.crt"),
    }

    async def main():
        async with served(**files) as port, httpx.AsyncClient(verify=client_context) as client:
            url = f"https://localhost:{port}"
            assert (await client.get(f"{url}/")).json()["loop"] == LOOP
            assert (await client.post(f"{url}/echo", content=BODY)).content == BODY
        async with served(**files) as port, httpx.AsyncClient() as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(f"https://localhost:{port}/")

    run(main())
