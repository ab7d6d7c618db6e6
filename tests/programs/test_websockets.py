"""websockets, server and client, on the loop."""

from __future__ import annotations

import asyncio
import os
import re

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


def test_tls_and_a_unix_socket_do(run, server_context, client_context, tmp_path):
    path = str(tmp_path / "socket")

    async def reverse(socket):
        async for message in socket:
            await socket.send(message[::-1])

    async def talk(socket):
        await socket.send(BODY)
        assert await socket.recv() == BODY[::-1]

    async def main():
        options = {"ssl": server_context, "max_size": None}
        async with websockets.serve(reverse, "127.0.0.1", 0, **options) as server:
            uri = f"wss://localhost:{server.sockets[0].getsockname()[1]}"
            async with websockets.connect(uri, ssl=client_context, max_size=None) as socket:
                await talk(socket)
        async with (
            websockets.unix_serve(reverse, path, max_size=None),
            websockets.unix_connect(path, max_size=None) as socket,
        ):
            await talk(socket)

    run(main())


def test_messages_are_compressed_and_come_in_pieces(run):
    text = "the same again, " * 20_000

    async def main():
        async def echo(socket):
            async for message in socket:
                await socket.send(message)

        options = {"max_size": None, "compression": "deflate"}
        async with websockets.serve(echo, "127.0.0.1", 0, **options) as server:
            uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with websockets.connect(uri, **options) as socket:
                assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]
                await socket.send(text)
                assert await socket.recv() == text
                await socket.send(word for word in ["in ", "three ", "pieces"])
                assert await socket.recv() == "in three pieces"

    run(main())


def test_a_peer_that_does_not_answer_pings_is_given_up(run):
    async def silent(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)[1].decode()
        accept = websockets.utils.accept_key(key)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        await reader.read()
        writer.close()

    async def main():
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            options = {"ping_interval": 0.02, "ping_timeout": 0.05, "close_timeout": 0.05}
            async with websockets.connect(uri, **options) as socket:
                with pytest.raises(websockets.ConnectionClosedError, match="keepalive ping"):
                    await socket.recv()

    run(main())


def test_a_server_that_closes_tells_its_clients(run):
    async def wait(socket):
        await socket.wait_closed()

    async def main():
        server = await websockets.serve(wait, "127.0.0.1", 0)
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        clients = [await websockets.connect(uri) for _ in range(20)]
        server.close()
        await server.wait_closed()
        for client in clients:
            with pytest.raises(websockets.ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001

    run(main())
