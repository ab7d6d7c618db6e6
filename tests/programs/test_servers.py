"""Other servers: hypercorn started by `groundup run`, granian and tornado in tasks."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import httpx
import pytest
import websockets

from .app import application
from .database_servers import free_port
from .processes import started

BODY = bytes(range(256)) * 10_000
LOOP = "groundup.event_loop.EventLoop"


@pytest.fixture
def hypercorn(certificate):
    pytest.importorskip("hypercorn")
    command = [sys.executable, "-m", "groundup", "run", "-m", "hypercorn"]
    files = ["--certfile", certificate / "server.crt", "--keyfile", certificate / "server.key"]
    arguments = [*map(str, files), "--bind", "127.0.0.1:0", "--worker-class", "asyncio"]
    folder = str(Path(__file__).parent)
    with started(*command, *arguments, "--workers", "0", "app:application", cwd=folder) as program:
        yield program, program.hear(r"Running on (\S+)")[1]


def test_hypercorn_serves_http_and_web_sockets_over_tls(hypercorn, client_context, run):
    program, url = hypercorn

    async def talk():
        async with websockets.connect(f"wss{url[5:]}/", ssl=client_context) as socket:
            await socket.send("loop")
            assert await socket.recv() == LOOP
            await socket.send(BODY[:100_000])
            assert await socket.recv() == BODY[:100_000]

    assert url.startswith("https://127.0.0.1:")
    with httpx.Client(verify=client_context, base_url=url) as client:
        assert client.get("/").json()["loop"] == LOOP
        assert client.post("/echo", content=BODY).content == BODY
    run(talk())
    assert program.end(signal.SIGTERM) == 0
    assert "Traceback" not in program.said


def test_granian_serves_from_its_threads(run):
    """The server's threads, which are Rust's, have the loop run the application."""
    embed = pytest.importorskip("granian.server.embed")
    from granian.constants import Interfaces

    async def main():
        port = free_port()
        server = embed.Server(application, port=port, interface=Interfaces.ASGI, log_enabled=False)
        task = asyncio.create_task(server.serve())
        transport = httpx.AsyncHTTPTransport(retries=5)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", transport=transport
        ) as client:
            assert (await client.get("/")).json()["loop"] == LOOP
            ask = [client.post("/echo", content=b"%d" % number) for number in range(100)]
            assert [a.content for a in await asyncio.gather(*ask)] == [
                b"%d" % n for n in range(100)
            ]
            assert (await client.post("/echo", content=BODY)).content == BODY
            async with websockets.connect(f"ws://127.0.0.1:{port}/") as socket:
                await socket.send("loop")
                assert await socket.recv() == LOOP
        server.stop()
        await task

    run(main())


def test_tornado_serves_and_asks(run):
    pytest.importorskip("tornado")
    from tornado import httpclient, httpserver, ioloop, netutil, web, websocket

    class Main(web.RequestHandler):
        async def get(self):
            await asyncio.sleep(0)
            self.write(f"{type(ioloop.IOLoop.current().asyncio_loop).__module__}")

        async def post(self):
            self.write(self.request.body)

    class Capitals(websocket.WebSocketHandler):
        def on_message(self, message):
            self.write_message(message.upper())

    async def main():
        sockets = netutil.bind_sockets(0, "127.0.0.1")
        url = f"127.0.0.1:{sockets[0].getsockname()[1]}"
        server = httpserver.HTTPServer(web.Application([("/", Main), ("/capitals", Capitals)]))
        server.add_sockets(sockets)
        client = httpclient.AsyncHTTPClient()
        assert (await client.fetch(f"http://{url}/")).body == b"groundup.event_loop"
        asked = (client.fetch(f"http://{url}/", method="POST", body=b"%d" % n) for n in range(50))
        assert [a.body for a in await asyncio.gather(*asked)] == [b"%d" % n for n in range(50)]
        kind = {"Content-Type": "application/octet-stream"}
        answer = await client.fetch(f"http://{url}/", method="POST", body=BODY, headers=kind)
        assert answer.body == BODY
        connection = await websocket.websocket_connect(f"ws://{url}/capitals")
        await connection.write_message("hello")
        assert await connection.read_message() == "HELLO"
        connection.close()
        assert await connection.read_message() is None
        with pytest.raises(httpclient.HTTPClientError, match="404"):
            await client.fetch(f"http://{url}/nowhere")
        client.close()
        server.stop()
        await server.close_all_connections()

    run(main())
