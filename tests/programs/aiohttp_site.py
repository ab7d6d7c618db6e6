"""An aiohttp application, and a client that talks to it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib

import aiohttp
from aiohttp import web


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
