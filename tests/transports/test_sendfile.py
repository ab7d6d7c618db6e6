"""Files over transports and sockets: by the kernel, or by reading and writing."""

from __future__ import annotations

import asyncio
import io
import socket

import pytest

from .certificates import secured
from .connections import connected, receive, reset, tcp_pair, until

CONTENT = bytes(range(256)) * 8000

PARTS = {
    "all": (0, None),
    "from an offset": (1000, None),
    "up to a count": (0, 5000),
    "from an offset up to a count": (1000, 500_000),
    "a count beyond the end": (2_000_000, 100_000_000),
    "beyond the end": (100_000_000, None),
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        yield file


def part(offset, count):
    return CONTENT[offset:] if count is None else CONTENT[offset : offset + count]


@pytest.mark.parametrize(("offset", "count"), PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("fallback", [True, False])
async def test_a_file_goes_over_a_stream(file, offset, count, fallback):
    loop = asyncio.get_running_loop()
    expected = part(offset, count)
    async with connected() as (transport, protocol, far):
        transport.write(b"<" * 300_000)
        sending = asyncio.create_task(
            loop.sendfile(transport, file, offset, count, fallback=fallback)
        )
        assert await receive(far, 300_000) == b"<" * 300_000
        assert await receive(far, len(expected)) == expected
        assert await sending == len(expected)
        # Where nothing was sent, asyncio from Python 3.14 on moves to the offset all the same.
        assert file.tell() in ([offset + len(expected)] if expected else [0, offset])
        transport.write(b">")
        assert await receive(far, 1) == b">"
        await loop.sock_sendall(far, b"answer")
        await until(lambda: protocol.received == b"answer")


@pytest.mark.parametrize(("offset", "count"), PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_a_file_goes_over_tls(authority, file, offset, count, kind):
    loop = asyncio.get_running_loop()
    expected = part(offset, count)
    source = file if kind == "file" else io.BytesIO(CONTENT)
    async with secured(authority) as (transport, protocol, peer):
        transport.write(b"<")
        assert await loop.sendfile(transport, source, offset, count) == len(expected)
        assert source.tell() == offset + len(expected)
        transport.write(b">")
        await until(lambda: len(peer.received) == len(expected) + 2)
        assert peer.received == b"<" + expected + b">"
        peer.transport.write(b"answer")
        await until(lambda: protocol.received == b"answer")


@pytest.mark.parametrize(("offset", "count"), PARTS.values(), ids=PARTS)
async def test_what_the_kernel_does_not_know_is_copied(offset, count):
    loop = asyncio.get_running_loop()
    expected = part(offset, count)
    memory = io.BytesIO(CONTENT)
    async with connected() as (transport, _, far):
        sending = asyncio.create_task(loop.sendfile(transport, memory, offset, count))
        assert await receive(far, len(expected)) == expected
        assert await sending == len(expected)
        assert memory.tell() == offset + len(expected)


async def test_an_empty_file(tmp_path):
    loop = asyncio.get_running_loop()
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        async with connected() as (transport, _, far):
            assert await loop.sendfile(transport, file) == 0
            transport.write(b"after")
            assert await receive(far, 5) == b"after"


async def test_without_fallback_the_kernel_must_be_able(authority, file):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, *_):
        with pytest.raises(asyncio.SendfileNotAvailableError, match="not a regular file"):
            await loop.sendfile(transport, io.BytesIO(CONTENT), fallback=False)
    async with secured(authority) as (transport, *_):
        with pytest.raises(RuntimeError) as caught:
            await loop.sendfile(transport, file, fallback=False)
        text = "fallback is disabled and native sendfile is not supported for transport "
        assert str(caught.value) == f"{text}{transport!r}"


async def test_a_transport_that_is_closing_is_refused(file):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, *_):
        transport.close()
        with pytest.raises(RuntimeError, match=r"^Transport is closing$"):
            await loop.sendfile(transport, file)


async def test_a_transport_that_takes_no_files_is_refused(file):
    class Takes(asyncio.Transport):
        def is_closing(self):
            return False

    loop = asyncio.get_running_loop()
    transport = Takes()
    with pytest.raises(RuntimeError) as caught:
        await loop.sendfile(transport, file)
    assert str(caught.value) == f"sendfile is not supported for transport {transport!r}"


async def test_nothing_else_is_written_meanwhile(file):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, _, far):
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await asyncio.sleep(0.02)
        with pytest.raises(RuntimeError, match=r"^unable to write; sendfile is in progress$"):
            transport.write(b"between")
        with pytest.raises(
            RuntimeError, match=r"^unable to write(lines)?; sendfile is in progress$"
        ):
            transport.writelines([b"between"])
        assert await receive(far, len(CONTENT)) == CONTENT
        assert await sending == len(CONTENT)


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["close", "reset"])
async def test_a_peer_that_goes_midway(file, leave):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, far):
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await receive(far, 1000)
        leave(far)
        with pytest.raises(ConnectionError):
            await sending
        assert 0 < file.tell() < len(CONTENT)
        transport.abort()
        await protocol.lost


async def test_a_tls_peer_that_goes_midway(authority, tmp_path):
    loop = asyncio.get_running_loop()
    async with secured(authority) as (transport, protocol, peer):
        peer.transport.pause_reading()
        sending = asyncio.create_task(loop.sendfile(transport, io.BytesIO(bytes(1 << 26))))
        await until(lambda: transport.get_write_buffer_size() > 0)
        peer.transport.abort()
        with pytest.raises(ConnectionError):
            await sending
        await protocol.lost


@pytest.mark.groundup_only
async def test_a_cancelled_sending_gives_the_transport_back(file):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, protocol, far):
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await asyncio.sleep(0.02)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        sent = file.tell()
        transport.write(b"after")
        assert await receive(far, sent + 5) == CONTENT[:sent] + b"after"
        await loop.sock_sendall(far, b"answer")
        await until(lambda: protocol.received == b"answer")


async def test_a_paused_reader_stays_paused(file):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, _, far):
        transport.pause_reading()
        sending = asyncio.create_task(loop.sendfile(transport, file))
        await receive(far, len(CONTENT))
        await sending
        assert not transport.is_reading()


WRONG = [
    ({"count": 0}, ValueError, "count must be a positive integer (got 0)"),
    ({"count": -1}, ValueError, "count must be a positive integer (got -1)"),
    ({"count": 1.5}, TypeError, "count must be a positive integer (got 1.5)"),
    ({"offset": -1}, ValueError, "offset must be a non-negative integer (got -1)"),
    ({"offset": "a"}, TypeError, "offset must be a non-negative integer (got 'a')"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
async def test_offset_and_count_must_make_sense(file, arguments, kind, message):
    loop = asyncio.get_running_loop()
    async with connected() as (transport, *_):
        with pytest.raises(kind) as caught:
            await loop.sendfile(transport, file, **arguments)
        assert str(caught.value) == message


@pytest.mark.parametrize(("arguments", "kind", "message"), WRONG)
async def test_a_sockets_offset_and_count_must_make_sense(file, arguments, kind, message):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    with near, far, pytest.raises(kind) as caught:
        await loop.sock_sendfile(near, file, **arguments)
    assert str(caught.value) == message


async def test_a_text_file_is_refused(file):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    with (
        near,
        far,
        open(file.name) as text,
        pytest.raises(ValueError, match=r"^file should be opened in binary mode$"),
    ):
        await loop.sock_sendfile(near, text)
    async with connected() as (transport, *_):
        with open(file.name) as text, pytest.raises(ValueError, match="binary mode"):
            await loop.sendfile(transport, text)


async def test_only_stream_sockets_can_send_files(file):
    loop = asyncio.get_running_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        with pytest.raises(ValueError, match=r"^only SOCK_STREAM type sockets are supported$"):
            await loop.sock_sendfile(sock, file)


async def test_a_socket_must_be_connected(file):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        with pytest.raises((asyncio.SendfileNotAvailableError, OSError)):
            await loop.sock_sendfile(sock, file, fallback=False)


@pytest.mark.parametrize(("offset", "count"), PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_a_file_goes_over_a_socket(file, offset, count, kind):
    loop = asyncio.get_running_loop()
    expected = part(offset, count)
    source = file if kind == "file" else io.BytesIO(CONTENT)
    near, far = tcp_pair()
    with near, far:
        sending = asyncio.create_task(loop.sock_sendfile(near, source, offset, count))
        assert await receive(far, len(expected)) == expected
        assert await sending == len(expected)
        if expected:
            assert source.tell() == offset + len(expected)


async def test_a_sockets_file_without_fallback():
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    with (
        near,
        far,
        pytest.raises(asyncio.SendfileNotAvailableError, match=r"^not a regular file$"),
    ):
        await loop.sock_sendfile(near, io.BytesIO(CONTENT), fallback=False)


async def test_a_sockets_peer_that_goes_midway(file):
    loop = asyncio.get_running_loop()
    near, far = tcp_pair()
    with near:
        sending = asyncio.create_task(loop.sock_sendfile(near, file))
        await receive(far, 1000)
        reset(far)
        with pytest.raises(OSError):
            await sending
        assert 0 < file.tell() < len(CONTENT)
