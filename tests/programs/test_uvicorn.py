"""uvicorn in a process of its own, told to take the loop by its command line."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
from pathlib import Path

import aiohttp
import httpx
import pytest
import websockets

from .processes import started
from .readme import command

BODY = os.urandom(10_000)
LOOP = "groundup.event_loop.EventLoop"
SOCKETS = ["websockets", "websockets-sansio", "wsproto"]


@contextlib.contextmanager
def uvicorn(*options: str, bind: tuple[str, ...] = ("--port", "0"), ready=r"running on (\S+) "):
    """Give the process, and the URL that it serves."""
    folder = str(Path(__file__).parent)
    with started(*command("uvicorn"), "--app-dir", folder, *bind, *options) as program:
        yield program, program.hear(ready)[1]


@pytest.fixture(params=["httptools", "h11"], scope="module")
def server(request):
    """One server for the tests of a kind: its process, and its port."""
    with uvicorn("--http", request.param, "--no-access-log") as (program, url):
        yield program, int(url.rpartition(":")[2])


def test_it_runs_on_the_loop_and_keeps_connections_alive(server):
    process, port = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    told = []
    for _ in range(100):
        connection.request("GET", "/")
        told.append(json.loads(connection.getresponse().read()))
    connection.close()
    assert {facts["loop"] for facts in told} == {LOOP}
    assert {facts["pid"] for facts in told} == {process.pid}
    assert len({tuple(facts["client"]) for facts in told}) == 1


def test_bodies_of_all_sizes_are_echoed(server):
    connection = http.client.HTTPConnection("127.0.0.1", server[1], timeout=20)
    for body in (b"", b"x", BODY, BODY * 300):
        connection.request("POST", "/echo", body=body)
        assert connection.getresponse().read() == body
    connection.request("POST", "/echo", body=iter([BODY] * 10), encode_chunked=True)
    assert connection.getresponse().read() == BODY * 10
    connection.close()


def test_a_streamed_body_arrives_in_order(server):
    connection = http.client.HTTPConnection("127.0.0.1", server[1], timeout=20)
    for _ in range(3):
        connection.request("GET", "/stream")
        assert [int(line) for line in connection.getresponse()] == list(range(1000))
    connection.close()


def test_many_clients_are_served_at_once(server, run):
    async def main():
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server[1]}") as session:

            async def ask(number):
                body = BODY[number:]
                async with session.post("/echo", data=body) as response:
                    return await response.read() == body

            assert all(await asyncio.gather(*map(ask, range(200))))

    run(main())


def test_a_failing_application_is_answered_for(server):
    connection = http.client.HTTPConnection("127.0.0.1", server[1], timeout=20)
    connection.request("GET", "/fail")
    response = connection.getresponse()
    assert (response.status, response.read()) == (500, b"Internal Server Error")
    connection.close()


@pytest.mark.parametrize("implementation", SOCKETS)
def test_web_sockets_talk(implementation, run):
    async def main(uri):
        async with websockets.connect(f"{uri}/socket") as socket:
            await socket.send("loop")
            assert await socket.recv() == LOOP
            for number in range(20):
                await socket.send(f"message {number}")
                assert await socket.recv() == f"MESSAGE {number}"
            await socket.send(BODY * 50)
            assert await socket.recv() == BODY * 50
            await (await socket.ping())

    with uvicorn("--ws", implementation) as (_, url):
        run(main(url.replace("http", "ws")))


def test_a_unix_socket_does(tmp_path):
    path = str(tmp_path / "socket")
    ready = r"running on unix socket (\S+) "
    with uvicorn(bind=("--uds", path), ready=ready) as (program, where):
        assert where == path
        with httpx.Client(transport=httpx.HTTPTransport(uds=path)) as client:
            assert client.get("http://localhost/").json()["loop"] == LOOP
            assert client.post("http://localhost/echo", content=BODY * 300).content == BODY * 300
        program.end()


def test_tls_does(certificate, client_context, run):
    async def talk(uri):
        async with websockets.connect(f"{uri}/socket", ssl=client_context) as socket:
            await socket.send(BODY * 50)
            assert await socket.recv() == BODY * 50

    files = ("--ssl-keyfile", "server.key", "--ssl-certfile", "server.crt")
    options = [str(certificate / word) if word.startswith("server") else word for word in files]
    with uvicorn(*options) as (_, url):
        assert url.startswith("https://127.0.0.1:")
        with httpx.Client(verify=client_context, base_url=url) as client:
            assert client.get("/").json()["loop"] == LOOP
            assert client.post("/echo", content=BODY * 300).content == BODY * 300
        run(talk(url.replace("https", "wss")))


def test_several_workers_share_a_port():
    with uvicorn("--workers", "2") as (program, url):
        for _ in range(2):
            program.hear("Application startup complete")
        told = [httpx.get(url).json() for _ in range(20)]
        assert {facts["loop"] for facts in told} == {LOOP}
        assert program.pid not in {facts["pid"] for facts in told}
        assert program.end() == 0
    assert program.said.count("Application shutdown complete") == 2
    assert "Traceback" not in program.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_shuts_it_down_in_order(number):
    with uvicorn() as (program, url), httpx.Client(base_url=url) as client:
        client.get("/")
        assert program.end(number) in (0, -number)
    assert "Application shutdown complete." in program.said
    assert "Finished server process" in program.said
    assert "Traceback" not in program.said


def test_a_request_under_way_is_answered_before_it_ends():
    with uvicorn() as (program, url):
        address = re.search(r"//(.*):(\d+)", url).groups()
        with socket.create_connection(address, timeout=20) as client:
            client.sendall(b"POST /halves HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nab")
            answer = b""
            while not answer.endswith(b"begun\r\n"):
                answer += client.recv(1000)
            os.kill(program.pid, signal.SIGTERM)
            program.hear("Waiting for connections to close")
            client.sendall(b"cd")
            while not answer.endswith(b"0\r\n\r\n"):
                answer += client.recv(1000)
            assert b"abcd" in answer
            assert client.recv(1000) == b""
        program.hear("Finished server process")
