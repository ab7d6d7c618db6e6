"""Serves the files of a folder over HTTP on loopback, with aiohttp.

Run it on the groundup loop, and it prints the address that it listens on:

    groundup run examples/file_server.py FOLDER
"""

import asyncio
import sys

from aiohttp import web


async def serve(folder: str) -> None:
    """Serve `folder` until the process ends."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(serve(sys.argv[1]))
    except KeyboardInterrupt:
        pass
