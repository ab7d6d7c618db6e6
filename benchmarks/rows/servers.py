"""Whole programs that serve: what users run, with their frameworks in it."""

from __future__ import annotations

import asyncio
import socket

from ..loads import Load, Talk, Wrk
from ..served import Serve, Served, Site

TEXT = b"Hello, world"
LONG = b"x" * 10_240


def listening() -> tuple[str, socket.socket]:
    """Return an address, and a socket that listens there."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    return f"127.0.0.1:{listener.getsockname()[1]}", listener


async def serve_uvicorn(body):
    """An ASGI application under uvicorn, with httptools."""
    import uvicorn

    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": body}

    async def application(scope, receive, send):
        await send(start)
        await send(end)

    config = uvicorn.Config(
        application, http="httptools", lifespan="off", log_level="error", access_log=False
    )
    server = uvicorn.Server(config)
    address, listener = listening()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
        if serving.done():
            serving.result()
    return address, serving


async def uvicorn_text(site: Site):
    """uvicorn with httptools: 12 bytes of plain text."""
    return await serve_uvicorn(TEXT)


async def uvicorn_10k(site: Site):
    """uvicorn with httptools: a body of 10 KiB."""
    return await serve_uvicorn(LONG)


async def aiohttp_text(site: Site):
    """aiohttp's server: 12 bytes of plain text from a handler of an application."""
    from aiohttp import web

    async def handle(request):
        return web.Response(body=TEXT, content_type="text/plain")

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    address, listener = listening()
    await web.SockSite(runner, listener).start()
    return address, runner


async def websockets_echo(site: Site):
    """websockets: a message of 1 KiB and its echo, on 20 connections."""
    from websockets.asyncio.server import serve

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    address, listener = listening()
    return address, await serve(echo, sock=listener, compression=None)


rows: dict[str, tuple[Serve, Load]] = {
    "uvicorn-text": (uvicorn_text, Wrk(64)),
    "uvicorn-10KiB": (uvicorn_10k, Wrk(64)),
    "aiohttp-text": (aiohttp_text, Wrk(64)),
    "websockets-echo": (websockets_echo, Talk(1024, 20, "websocket")),
}
for name, (serve, load) in rows.items():
    Served(f"servers/{name}", serve, load)
