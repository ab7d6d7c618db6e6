"""What goes over connections is told: how they open and close, how many bytes come and go."""

import asyncio
import os
import socket
import ssl

import pytest
import trustme

import groundup
from groundup.view import weave
from transports.certificates import client_context, server_context

from .stories import Story, recorded, tell


async def echo_once(reader, writer):
    writer.write(await reader.readexactly(5))
    await writer.drain()
    writer.close()


async def ask(address, **options):
    reader, writer = await asyncio.open_connection(*address, **options)
    writer.write(b"hello")
    assert await reader.read() == b"hello"
    writer.close()
    await writer.wait_closed()


def of_sockets(lines):
    """What is told of connections and bytes, without who reads them when."""
    return [line for line in lines if line.startswith("descriptor") and " runs" not in line]


async def over_tcp():
    server = await asyncio.start_server(echo_once, "127.0.0.1", 0)
    await ask(server.sockets[0].getsockname())
    server.close()
    await server.wait_closed()


def test_an_echo_over_tcp(tmp_path):
    lines = tell(over_tcp, tmp_path)
    assert sorted(of_sockets(lines)) == sorted(
        [
            "descriptor a opens: tcp listener 127.0.0.1",
            "descriptor b opens: tcp 127.0.0.1",
            "descriptor c opens: tcp 127.0.0.1",
            "descriptor b took 5 bytes",
            "descriptor c gave 5 bytes",
            "descriptor c took 5 bytes",
            "descriptor c closes",
            "descriptor b gave 5 bytes",
            "descriptor b gave 0 bytes",
            "descriptor b closes",
            "descriptor a closes",
        ]
    )
    assert lines.index("echo_once waits: socket c readable") < lines.index(
        "descriptor c gave 5 bytes"
    )
    assert lines[lines.index("descriptor c gave 5 bytes") + 1] == (
        "echo_once runs, by descriptor c"
    )
    assert "over_tcp waits: socket b writable" in lines
    assert "over_tcp waits: socket b readable" in lines


def test_what_waits_for_a_server_says_so(tmp_path):
    async def main():
        server = await asyncio.start_server(echo_once, "127.0.0.1", 0)
        forever = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0)
        forever.cancel()
        await asyncio.wait([forever])

    assert "serve_forever waits: server" in tell(main, tmp_path)


def test_an_echo_over_a_unix_socket(tmp_path):
    path = str(tmp_path / "socket")

    async def main():
        server = await asyncio.start_unix_server(echo_once, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        server.close()
        await server.wait_closed()

    lines = of_sockets(tell(main, tmp_path))
    assert [line for line in lines if "opens" in line] == [
        f"descriptor a opens: unix listener {path}",
        f"descriptor b opens: unix {path}",
        "descriptor c opens: unix",
    ]
    assert "descriptor c took 5 bytes" in lines


def test_a_connection_becomes_one_with_tls(tmp_path):
    authority = trustme.CA()

    async def main():
        server = await asyncio.start_server(
            echo_once, "127.0.0.1", 0, ssl=server_context(authority)
        )
        address = server.sockets[0].getsockname()
        await ask(address, ssl=client_context(authority), server_hostname="localhost")
        server.close()
        await server.wait_closed()

    shown = recorded(main, tmp_path)
    kinds = list(shown.texts("sockets.kind"))
    assert kinds == ["tcp listener", "tls", "tls"]
    taken = [it for it in Story(shown).lines if it.endswith(" bytes") and " took " in it]
    assert len(taken) >= 4
    assert "socket" in next(it for it in shown.texts("waits.what") if it.endswith("readable"))


class Doubling(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data * 2, address)


class Asking(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        transport.sendto(b"ab")

    def datagram_received(self, data, address):
        self.answer.set_result(data)


def test_datagrams(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        server, _ = await loop.create_datagram_endpoint(Doubling, local_addr=("127.0.0.1", 0))
        address = server.get_extra_info("sockname")
        client, _ = await loop.create_datagram_endpoint(lambda: Asking(answer), remote_addr=address)
        assert await answer == b"abab"
        client.close()
        server.close()
        await asyncio.sleep(0)

    assert of_sockets(tell(main, tmp_path)) == [
        "descriptor a opens: udp",
        "descriptor b opens: udp 127.0.0.1",
        "descriptor b took 2 bytes",
        "descriptor a gave 2 bytes",
        "descriptor a took 4 bytes",
        "descriptor b gave 4 bytes",
        "descriptor b closes",
        "descriptor a closes",
    ]


def test_a_child_process_and_its_pipes(tmp_path):
    async def main():
        child = await asyncio.create_subprocess_exec(
            "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        child.stdin.write(b"meow")
        child.stdin.close()
        assert await child.stdout.read() == b"meow"
        await child.wait()

    async def waiting():
        child = await asyncio.create_subprocess_exec("sleep", "0.05")
        await child.wait()

    lines = of_sockets(tell(main, tmp_path))
    assert "descriptor a opens: pipe" in lines
    assert "descriptor b opens: pipe" in lines
    assert "descriptor a took 4 bytes" in lines
    assert "descriptor b gave 4 bytes" in lines
    assert {"descriptor a closes", "descriptor b closes"} <= set(lines)
    assert "waiting waits: child process" in tell(waiting, tmp_path)


def test_sockets_of_the_programs_own(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.setblocking(False)
            buffer = bytearray(8)

            async def receive():
                await loop.sock_recv_into(ours, buffer)
                return await loop.sock_recv(ours, 8)

            task = asyncio.create_task(receive())
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, b"abc")
            await asyncio.sleep(0.01)
            await loop.sock_sendall(theirs, b"de")
            assert await task == b"de"

    lines = tell(main, tmp_path)
    assert lines.count("receive waits: socket a readable") == 2
    assert of_sockets(lines) == [
        "descriptor b took 3 bytes",
        "descriptor a gave 3 bytes",
        "descriptor b took 2 bytes",
        "descriptor a gave 2 bytes",
    ]


def test_connections_of_the_programs_own_sockets(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            client.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(listener))
            await asyncio.sleep(0)
            await loop.sock_connect(client, listener.getsockname())
            (await accepting)[0].close()

    lines = tell(main, tmp_path)
    assert lines.count("descriptor b opens: tcp 127.0.0.1") == 1
    assert lines.count("descriptor c opens: tcp 127.0.0.1") == 1
    assert "sock_accept waits: socket a readable" in lines


@pytest.mark.parametrize("by", ["transport", "socket"])
def test_a_file_that_the_kernel_sends(tmp_path, by):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1 << 20))

    async def main():
        loop = asyncio.get_running_loop()

        async def take(reader, writer):
            await reader.readexactly(1 << 20)
            writer.close()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with path.open("rb") as file:
            if by == "transport":
                transport, _ = await loop.create_connection(asyncio.Protocol, *address)
                await loop.sendfile(transport, file, fallback=False)
                transport.close()
            else:
                with socket.socket() as client:
                    client.setblocking(False)
                    await loop.sock_connect(client, address)
                    await loop.sock_sendfile(client, file, fallback=False)
        server.close()
        await asyncio.sleep(0.05)

    shown = recorded(main, tmp_path)
    rows = shown.rows("transfers", "came", "bytes")
    sent = sum(int(count) for came, count in rows if not came)
    assert sent == 1 << 20


def test_connections_older_than_the_recording_are_known(tmp_path):
    path = tmp_path / "run.weave"

    async def main():
        server = await asyncio.start_server(echo_once, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await asyncio.sleep(0.01)
        with groundup.record(path):
            writer.write(b"hello")
            assert await reader.read() == b"hello"
        writer.close()
        server.close()

    groundup.run(main())
    shown = weave.load(path)
    assert sorted(shown.texts("sockets.kind")) == ["tcp", "tcp", "tcp listener"]
    whats = list(shown.texts("waits.what"))
    assert whats[0].startswith("socket ")


def test_connections_are_known_when_the_oldest_records_have_gone(tmp_path):
    path = tmp_path / "run.weave"

    class Echo(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def data_received(self, data):
            self.transport.write(data)

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(1000):
            writer.write(b"hello")
            await reader.readexactly(5)
        writer.close()
        server.close()

    with groundup.record(path, megabytes=1 / 16):
        groundup.run(main())
    shown = weave.load(path)
    assert shown.lost > 0
    assert sorted(shown.texts("sockets.kind")) == ["tcp", "tcp", "tcp listener"]


def test_the_kernels_time_is_told(tmp_path):
    shown = recorded(over_tcp, tmp_path)
    took = [row[0] for row in shown.rows("transfers", "took")]
    assert all(0 < it < 1e9 for it in took)


def test_a_handshake_that_fails_leaves_a_connection_without_tls(tmp_path):
    authority = trustme.CA()

    async def main():
        server = await asyncio.start_server(echo_once, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(
                *address, ssl=client_context(authority), server_hostname="localhost"
            )
        server.close()
        await server.wait_closed()

    assert "tls" not in recorded(main, tmp_path).texts("sockets.kind")
