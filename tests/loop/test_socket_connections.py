"""Accepting and connecting with sockets."""

import asyncio
import errno
import socket

import pytest

from comparison import failure


def test_accepting_and_connecting(same):
    async def body(loop):
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            client.setblocking(False)
            accepting = loop.create_task(loop.sock_accept(listener))
            await asyncio.sleep(0)
            result = await loop.sock_connect(client, listener.getsockname())
            accepted, address = await accepting
            with accepted:
                await loop.sock_sendall(client, b"hello")
                text = await loop.sock_recv(accepted, 10)
                return result, address == client.getsockname(), accepted.gettimeout(), text

    assert same(body) == (None, True, 0.0, b"hello")


def test_connecting_resolves_names(loop, listener, client):
    async def main():
        await loop.sock_connect(client, ("localhost", listener.getsockname()[1]))
        accepted, _ = await loop.sock_accept(listener)
        accepted.close()

    loop.run_until_complete(main())
    assert client.getpeername() == listener.getsockname()


def test_connecting_over_unix_sockets(same, tmp_path):
    async def body(loop):
        path = str(tmp_path / f"{id(loop)}.sock")
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(path)
            listener.listen()
            listener.setblocking(False)
            client.setblocking(False)
            await loop.sock_connect(client, path)
            accepted, _ = await loop.sock_accept(listener)
            accepted.close()
            return client.getpeername() == path

    assert same(body)


def test_a_connection_that_is_refused(same):
    async def body(loop):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = closed.getsockname()
        with socket.socket() as client:
            client.setblocking(False)
            with pytest.raises(ConnectionRefusedError) as caught:
                await loop.sock_connect(client, address)
            return caught.value.errno, str(caught.value).replace(str(address[1]), "port")

    assert same(body) == (
        errno.ECONNREFUSED,
        "[Errno 111] Connect call failed ('127.0.0.1', port)",
    )


def test_a_name_that_does_not_resolve(loop, client):
    with pytest.raises(socket.gaierror):
        loop.run_until_complete(loop.sock_connect(client, ("name.invalid", 80)))


@pytest.mark.parametrize("address", [("127.0.0.1",), 5, None], ids=repr)
def test_an_address_that_is_none(loop, client, address):
    with pytest.raises((TypeError, IndexError, ValueError, OSError)):
        loop.run_until_complete(loop.sock_connect(client, address))


def test_a_connection_that_was_reset(same):
    async def body(loop):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            accepted, _ = listener.accept()
            with accepted:
                accepted.setblocking(False)
                waiting = loop.create_task(loop.sock_recv(accepted, 10))
                await asyncio.sleep(0)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                client.close()
                first = await failure(waiting)
                with pytest.raises(OSError):
                    await loop.sock_sendall(accepted, b"x")
                return first

    assert same(body) == ("ConnectionResetError", "[Errno 104] Connection reset by peer")


def test_a_hundred_connections_at_once(loop, listener):
    listener.listen(100)

    async def serve():
        for _ in range(100):
            accepted, _ = await loop.sock_accept(listener)
            loop.create_task(echo(accepted))

    async def echo(accepted):
        with accepted:
            await loop.sock_sendall(accepted, await loop.sock_recv(accepted, 100))

    async def ask(number):
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
            await loop.sock_sendall(client, b"%d" % number)
            return int(await loop.sock_recv(client, 100))

    async def main():
        serving = loop.create_task(serve())
        answers = await asyncio.gather(*map(ask, range(100)))
        await serving
        return answers

    assert loop.run_until_complete(main()) == list(range(100))
