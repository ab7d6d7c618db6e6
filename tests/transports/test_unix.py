"""Unix stream sockets: connections and servers by path, by abstract name, by socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import pathlib
import socket
import sys

import pytest

from comparison import log

from .certificates import NAME, Echo, client_context, server_context
from .connections import Recorder, turns, until

KINDS = {"str": str, "bytes": os.fsencode, "PathLike": pathlib.Path}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "socket")


@contextlib.asynccontextmanager
async def listening(path=None, factory=Echo, **options):
    loop = asyncio.get_running_loop()
    made = []

    def remember():
        made.append(factory())
        return made[-1]

    server = await loop.create_unix_server(remember, path, **options)
    try:
        yield server, made
    finally:
        server.close()
        for protocol in made:
            protocol.transport.abort()
            await protocol.lost
        await server.wait_closed()


async def exchange(*args, **options):
    """Have an echo on a new connection; return what the transport tells of itself."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_unix_connection(Recorder, *args, **options)
    transport.write(b"hello")
    await until(lambda: protocol.received == b"hello")
    told = [transport.get_extra_info(name) for name in ("sockname", "peername")]
    transport.close()
    assert await protocol.lost is None
    return told


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_path_can_be_of_any_kind(path, kind):
    async with listening(kind(path)) as (server, made):
        assert server.sockets[0].getsockname() == path
        assert await exchange(kind(path)) == ["", path]
        transport = made[0].transport
        assert transport.get_extra_info("sockname") == path
        assert transport.get_extra_info("peername") == ""
        assert transport.get_extra_info("socket").family == socket.AF_UNIX


@pytest.mark.parametrize("kind", [str, os.fsencode], ids=["str", "bytes"])
async def test_a_name_can_be_abstract(kind):
    name = f"\0groundup-{os.getpid()}-{kind.__name__}"
    async with listening(kind(name)) as (_server, _):
        assert await exchange(kind(name)) == ["", os.fsencode(name)]
    # Nothing of it stays, and it can be taken again.
    async with listening(kind(name)):
        pass


async def test_sockets_can_be_given(path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(path)
        async with listening(sock=listener):
            caller.connect(path)
            assert await exchange(sock=caller) == ["", path]
            caller.detach()
        listener.detach()


async def test_a_stale_socket_is_removed(path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    async with listening(path):
        await exchange(path)


async def test_a_stale_socket_with_a_name_that_is_no_text_is_removed(path):
    name = os.fsencode(path) + b"\xff"
    for stale_name in (name, os.fsdecode(name)):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(stale_name)
        async with listening(stale_name):
            await exchange(stale_name)
        pathlib.Path(os.fsdecode(name)).unlink(missing_ok=True)


async def test_a_file_is_not_removed(path):
    pathlib.Path(path).write_text("precious")
    loop = asyncio.get_running_loop()
    with pytest.raises(OSError, match="is already in use") as caught:
        await loop.create_unix_server(Recorder, path)
    assert caught.value.errno == errno.EADDRINUSE
    assert str(caught.value) == f"[Errno 98] Address {path!r} is already in use"
    assert pathlib.Path(path).read_text() == "precious"


@pytest.mark.groundup_only  # asyncio leaves a socket behind
async def test_a_path_with_a_null_is_refused(path):
    loop = asyncio.get_running_loop()
    for refused in (path + "\0x", os.fsencode(path) + b"\0x"):
        with pytest.raises(ValueError, match="embedded null"):
            await loop.create_unix_server(Recorder, refused)


async def test_a_path_that_cannot_be_looked_at_is_logged(path):
    pathlib.Path(path).write_text("no directory")
    loop = asyncio.get_running_loop()
    with log() as records, pytest.raises(NotADirectoryError):
        await loop.create_unix_server(Recorder, path + "/socket")
    assert [record.getMessage() for record in records] == [
        f"Unable to check or remove stale UNIX socket {path + '/socket'!r}: "
        "NotADirectoryError(20, 'Not a directory')"
    ]


@pytest.mark.groundup_only
async def test_nobody_sees_a_blocking_call(path, monkeypatch):
    for name in ("stat", "remove", "unlink"):
        monkeypatch.setattr(os, name, pytest.fail)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    async with listening(path, cleanup_socket=True):
        await exchange(path)
    monkeypatch.undo()
    assert not os.path.exists(path)


async def test_an_abstract_name_in_use_is_named():
    name = f"\0groundup-{os.getpid()}-twice"
    loop = asyncio.get_running_loop()
    async with listening(name):
        with pytest.raises(OSError) as caught:
            await loop.create_unix_server(Recorder, name)
    assert str(caught.value) == f"[Errno 98] Address {name!r} is already in use"


@pytest.mark.asyncio_since(3, 13)
@pytest.mark.parametrize("cleanup", [True, False])
async def test_the_path_is_removed_with_the_server_or_not(path, cleanup):
    async with listening(path, cleanup_socket=cleanup):
        assert os.path.exists(path)
    assert os.path.exists(path) is not cleanup


async def test_by_default_the_path_is_removed_where_asyncio_does(path):
    async with listening(path):
        pass
    assert os.path.exists(path) is (sys.version_info < (3, 13))


@pytest.mark.asyncio_since(3, 13)
async def test_a_path_that_another_socket_has_taken_stays(path):
    async with listening(path, cleanup_socket=True):
        os.rename(path, path + ".old")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
    assert os.path.exists(path)


@pytest.mark.asyncio_since(3, 13)
async def test_a_path_that_is_gone_is_no_error(path):
    with log() as records:
        async with listening(path, cleanup_socket=True):
            os.unlink(path)
    assert records == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no path and sock were specified"),
        ({"path": "p", "sock": 1}, "path and sock can not be specified at the same time"),
        ({"path": "p", "ssl": True}, "you have to pass server_hostname when using ssl"),
        ({"path": "p", "server_hostname": "n"}, "server_hostname is only meaningful with ssl"),
        (
            {"path": "p", "ssl_handshake_timeout": 1},
            "ssl_handshake_timeout is only meaningful with ssl",
        ),
        (
            {"path": "p", "ssl_shutdown_timeout": 1},
            "ssl_shutdown_timeout is only meaningful with ssl",
        ),
    ],
)
async def test_connections_refuse_arguments_that_exclude_each_other(arguments, message):
    loop = asyncio.get_running_loop()
    with pytest.raises(ValueError) as caught:
        await loop.create_unix_connection(Recorder, **arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({}, ValueError, "path was not specified, and no sock specified"),
        (
            {"path": "p", "sock": 1},
            ValueError,
            "path and sock can not be specified at the same time",
        ),
        ({"path": "p", "ssl": True}, TypeError, "ssl argument must be an SSLContext or None"),
        (
            {"path": "p", "ssl_handshake_timeout": 1},
            ValueError,
            "ssl_handshake_timeout is only meaningful with ssl",
        ),
    ],
)
async def test_servers_refuse_arguments_that_exclude_each_other(arguments, kind, message):
    loop = asyncio.get_running_loop()
    with pytest.raises(kind) as caught:
        await loop.create_unix_server(Recorder, **arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", [(socket.AF_INET,), (socket.AF_UNIX, socket.SOCK_DGRAM)])
async def test_only_unix_stream_sockets_will_do(kind):
    loop = asyncio.get_running_loop()
    with socket.socket(*kind) as sock:
        for begin in (loop.create_unix_connection, loop.create_unix_server):
            with pytest.raises(ValueError) as caught:
                await begin(Recorder, sock=sock)
            message = f"A UNIX Domain Stream Socket was expected, got {sock!r}"
            assert str(caught.value) == message


async def test_nobody_there(path):
    loop = asyncio.get_running_loop()
    with pytest.raises(FileNotFoundError):
        await loop.create_unix_connection(Recorder, path)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(path)
        with pytest.raises(ConnectionRefusedError):
            await loop.create_unix_connection(Recorder, path)
    with pytest.raises(OSError, match="AF_UNIX path too long"):
        await loop.create_unix_connection(Recorder, "p" * 200)
    with pytest.raises(TypeError):
        await loop.create_unix_connection(Recorder, 1)


async def test_serving_can_start_later(path):
    async with listening(path, start_serving=False) as (server, _):
        assert not server.is_serving()
        await server.start_serving()
        await exchange(path)


async def test_streams_over_unix_sockets(path):
    async def echo(reader, writer):
        writer.write(await reader.read())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(echo, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello" * 100_000)
        writer.write_eof()
        assert await reader.read() == b"hello" * 100_000
        writer.close()
        await writer.wait_closed()


async def test_tls_over_unix_sockets(path, authority):
    async with listening(path, ssl=server_context(authority)) as (_, made):
        told = await exchange(path, ssl=client_context(authority), server_hostname=NAME)
        assert told == ["", path]
        await made[0].lost
        await turns(2)
