"""aiohttp, server and client, on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import os

import aiohttp
import pytest
from aiohttp import web

BODY = os.urandom(10_000)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=f"hello {request.match_info['name']}")


async def loop(request: web.Request) -> web.Response:
    return web.Response(text=type(asyncio.get_running_loop()).__module__)


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


async def digest(request: web.Request) -> web.Response:
    """Read the body as it comes, and answer its SHA-256."""
    sha = hashlib.sha256()
    async for chunk in request.content.iter_chunked(1 << 16):
        sha.update(chunk)
    return web.json_response({"sha256": sha.hexdigest()})


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(int(request.query["chunks"])):
        await response.write(b"%d\n" % number)
    await response.write_eof()
    return response


async def fail(request: web.Request) -> web.Response:
    raise LookupError("handler failed")


async def stall(request: web.Request) -> web.Response:
    await asyncio.sleep(60)
    return web.Response()


async def drop(request: web.Request) -> web.Response:
    request.transport.abort()
    return web.Response()


async def chat(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data.upper())
        else:
            await socket.send_bytes(message.data)
    return socket


def application_for(directory=None):
    application = web.Application(client_max_size=1 << 24)
    application.router.add_get("/loop", loop)
    application.router.add_get("/hello/{name}", hello)
    application.router.add_post("/echo", echo)
    application.router.add_post("/digest", digest)
    application.router.add_get("/stream", stream)
    application.router.add_get("/fail", fail)
    application.router.add_get("/stall", stall)
    application.router.add_get("/drop", drop)
    application.router.add_get("/chat", chat)
    if directory is not None:
        application.router.add_static("/files", directory)
    return application


@contextlib.asynccontextmanager
async def running(directory=None):
    runner = web.AppRunner(application_for(directory), shutdown_timeout=0.1)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def site(directory=None):
    """Give a client's session whose paths are those of the server."""
    async with running(directory) as runner:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
            yield session


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


def test_web_sockets_talk(run):
    async def main():
        async with site() as session, session.ws_connect("/chat") as socket:
            for number in range(20):
                await socket.send_str(f"message {number}")
                assert await socket.receive_str() == f"MESSAGE {number}"
            await socket.send_bytes(BODY)
            assert await socket.receive_bytes() == BODY

    run(main())


def test_web_sockets_compress_ping_and_close(run):
    async def main():
        async with site() as session:
            async with session.ws_connect("/chat", compress=15, heartbeat=0.05) as socket:
                assert socket.compress
                await socket.send_bytes(BODY * 100)
                assert await socket.receive_bytes() == BODY * 100
                await asyncio.sleep(0.12)
                await socket.send_str("still there")
                assert await socket.receive_str() == "STILL THERE"
            assert (socket.closed, socket.close_code) == (True, 1000)

    run(main())


def test_tls_does(run, server_context, client_context):
    async def main():
        async with running() as runner:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context).start()
            base = f"https://localhost:{runner.addresses[0][1]}"
            connector = aiohttp.TCPConnector(ssl=client_context)
            async with aiohttp.ClientSession(base, connector=connector) as session:
                async with session.post("/echo", data=io.BytesIO(BODY * 300)) as response:
                    assert await response.read() == BODY * 300
                async with session.ws_connect("/chat") as socket:
                    await socket.send_str("secret")
                    assert await socket.receive_str() == "SECRET"
            async with aiohttp.ClientSession(base) as stranger:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await stranger.get("/hello/world")

    run(main())


def test_a_proxy_is_asked_to_connect_and_tls_is_started_through_it(
    run, server_context, client_context
):
    """aiohttp has the loop start TLS on the open connection to the proxy."""
    asked = []

    async def proxy(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        _, port = asked[0].split()[1].split(b":")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ours, theirs = await asyncio.open_connection("127.0.0.1", int(port))
        await asyncio.gather(pump(reader, theirs), pump(ours, writer))

    async def pump(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with running() as runner, server:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context).start()
            base = f"https://localhost:{runner.addresses[0][1]}"
            async with aiohttp.ClientSession(base) as session:
                options = {"proxy": address, "ssl": client_context}
                async with session.post("/echo", data=BODY * 100, **options) as response:
                    assert await response.read() == BODY * 100
        assert asked[0].startswith(b"CONNECT localhost:")

    run(main())


def test_a_unix_socket_does(run, tmp_path):
    path = str(tmp_path / "socket")

    async def main():
        async with running() as runner:
            await web.UnixSite(runner, path).start()
            connector = aiohttp.UnixConnector(path)
            async with (
                aiohttp.ClientSession("http://localhost", connector=connector) as session,
                session.post("/echo", data=BODY) as response,
            ):
                assert await response.read() == BODY

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
