"""anyio's sockets on the loop: TCP, TLS, Unix and UDP."""

from __future__ import annotations

import os
import socket

import anyio
import pytest
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSListener, TLSStream

BODY = os.urandom(1 << 20)


async def echo(stream):
    async with stream:
        async for data in stream:
            await stream.send(data)


async def receive_all(stream):
    received = bytearray()
    async for data in stream:
        received += data
    return bytes(received)


async def exchange(listener, connect):
    """Send much through an echo server and receive all of it, each way at once."""
    received = bytearray()
    ended = anyio.Event()

    async def serve(stream):
        await echo(stream)
        ended.set()

    async def receive(stream):
        while len(received) < len(BODY):
            received.extend(await stream.receive())

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        async with await connect() as stream, anyio.create_task_group() as both:
            both.start_soon(receive, stream)
            await stream.send(BODY)
        await ended.wait()
        group.cancel_scope.cancel()
    assert received == BODY


async def tcp():
    (listener,) = (await anyio.create_tcp_listener(local_host="127.0.0.1")).listeners
    return listener, listener.extra(SocketAttribute.local_address)


def test_tcp(run_anyio):
    async def main():
        listener, address = await tcp()
        await exchange(listener, lambda: anyio.connect_tcp(*address))

    run_anyio(main)


def test_half_closing_leaves_the_other_direction_open(run_anyio):
    async def answer_at_the_end(stream):
        async with stream:
            await stream.send((await receive_all(stream))[::-1])

    async def main():
        listener, address = await tcp()
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, answer_at_the_end)
            async with await anyio.connect_tcp(*address) as stream:
                await stream.send(BODY)
                await stream.send_eof()
                assert await receive_all(stream) == BODY[::-1]
            group.cancel_scope.cancel()

    run_anyio(main)


def test_a_hundred_clients_at_once(run_anyio):
    async def main():
        listener, address = await tcp()
        answers = []

        async def talk(number):
            async with await anyio.connect_tcp(*address) as stream:
                for step in range(5):
                    await stream.send(b"%d:%d" % (number, step))
                    assert await stream.receive() == b"%d:%d" % (number, step)
                answers.append(number)

        async with listener, anyio.create_task_group() as server:
            server.start_soon(listener.serve, echo)
            async with anyio.create_task_group() as clients:
                for number in range(100):
                    clients.start_soon(talk, number)
            server.cancel_scope.cancel()
        assert sorted(answers) == list(range(100))

    run_anyio(main)


def test_faults_are_told(run_anyio):
    async def main():
        listener, address = await tcp()
        with anyio.move_on_after(0.01):
            await listener.accept()
            pytest.fail("nobody connected")
        async with await anyio.connect_tcp(*address) as stream:
            other = await listener.accept()
            raw = other.extra(SocketAttribute.raw_socket)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            await other.aclose()
            with pytest.raises((anyio.BrokenResourceError, anyio.EndOfStream)):
                await stream.receive()
        with pytest.raises(anyio.ClosedResourceError):
            await stream.send(b"late")
        await listener.aclose()
        with pytest.raises(OSError):
            await anyio.connect_tcp(*address)

    run_anyio(main)


def test_tls(run_anyio, server_context, client_context):
    async def main():
        listener, (_, port) = await tcp()
        secure = TLSListener(listener, server_context)
        options = {"tls_hostname": "localhost", "ssl_context": client_context}
        await exchange(secure, lambda: anyio.connect_tcp("127.0.0.1", port, tls=True, **options))

    run_anyio(main)


def test_tls_in_the_middle_of_a_stream(run_anyio, server_context, client_context):
    async def serve(stream):
        await stream.send(b"ready")
        wrapped = await TLSStream.wrap(stream, server_side=True, ssl_context=server_context)
        await echo(wrapped)

    async def main():
        listener, address = await tcp()
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            plain = await anyio.connect_tcp(*address)
            assert await plain.receive() == b"ready"
            async with await TLSStream.wrap(
                plain, hostname="localhost", ssl_context=client_context
            ) as stream:
                assert stream.extra(TLSAttribute.tls_version) == "TLSv1.3"
                await stream.send(b"secret")
                assert await stream.receive() == b"secret"
            group.cancel_scope.cancel()

    run_anyio(main)


def test_unix_sockets(run_anyio, tmp_path):
    async def main():
        path = tmp_path / "socket"
        listener = await anyio.create_unix_listener(path)
        await exchange(listener, lambda: anyio.connect_unix(path))

    run_anyio(main)


def test_descriptors_are_passed_through_a_unix_socket(run_anyio, tmp_path):
    async def main():
        path = tmp_path / "socket"
        reading, writing = os.pipe()
        async with (
            await anyio.create_unix_listener(path) as listener,
            await anyio.connect_unix(path) as client,
            await listener.accept() as server,
        ):
            await client.send_fds(b"a pipe", [writing])
            message, (received,) = await server.receive_fds(10, 1)
        assert message == b"a pipe"
        os.write(received, b"through")
        assert os.read(reading, 10) == b"through"
        for descriptor in (reading, writing, received):
            os.close(descriptor)

    run_anyio(main)


def test_udp(run_anyio):
    async def main():
        async with await anyio.create_udp_socket(local_host="127.0.0.1") as server:
            address = server.extra(SocketAttribute.local_address)
            async with await anyio.create_connected_udp_socket(*address) as client:
                for number in range(100):
                    await client.send(b"%d" % number)
                    data, sender = await server.receive()
                    await server.sendto(data[::-1], *sender)
                    assert await client.receive() == (b"%d" % number)[::-1]

    run_anyio(main)


def test_unix_datagrams(run_anyio, tmp_path):
    async def main():
        one, other = tmp_path / "server", tmp_path / "client"
        async with (
            await anyio.create_unix_datagram_socket(local_path=one) as server,
            await anyio.create_connected_unix_datagram_socket(one, local_path=other) as client,
        ):
            await client.send(b"question")
            assert await server.receive() == (b"question", str(other))
            await server.sendto(b"answer", str(other))
            assert await client.receive() == b"answer"

    run_anyio(main)
