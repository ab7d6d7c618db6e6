"""websockets, server and client, on the loop."""

from __future__ import annotations

import asyncio
import os

import pytest
import websockets

BODY = os.urandom(1 << 20)


def test_messages_are_echoed(run):
    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async def main():
        async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
            port = server.sockets[0].getsockname()[1]

            async def talk(number):
                uri = f"ws://127.0.0.1:{port}"
                async with websockets.connect(uri, max_size=None) as socket:
                    for step in range(5):
                        await socket.send(f"{number}:{step}")
                        assert await socket.recv() == f"{number}:{step}"
                    await socket.send(BODY)
                    assert await socket.recv() == BODY
                    await (await socket.ping())

            await asyncio.gather(*map(talk, range(10)))

    run(main())


def test_closing_is_told_to_the_other_side(run):
    async def main():
        async def leave(socket):
            await socket.close(4000, "enough")

        async with websockets.serve(leave, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://127.0.0.1:{port}") as socket:
                with pytest.raises(websockets.ConnectionClosed) as caught:
                    await socket.recv()
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4000, "enough")

    run(main())
