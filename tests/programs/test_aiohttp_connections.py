"""aiohttp's other connections: web sockets, TLS, a proxy, a Unix socket."""

from __future__ import annotations

import asyncio
import io
import os

import aiohttp
import pytest
from aiohttp import web

from .aiohttp_site import running, site

BODY = os.urandom(10_000)


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
