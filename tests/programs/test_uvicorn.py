"""uvicorn in a process of its own, told to take the loop by its command line."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import websockets

BODY = os.urandom(10_000)


@contextlib.contextmanager
def uvicorn(*options: str):
    """Give the process, and the port that it serves."""
    command = [sys.executable, "-m", "uvicorn", "--loop", "groundup:new_event_loop"]
    arguments = ["--port", "0", "--app-dir", str(Path(__file__).parent), *options]
    process = subprocess.Popen(
        [*command, *arguments, "app:application"], stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process, port_of(process)
        finally:
            if process.poll() is None:
                process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    read = []
    for line in process.stderr:
        read.append(line)
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    pytest.fail("uvicorn did not start:\n" + "".join(read))


@pytest.fixture(params=["httptools", "h11"], scope="module")
def server(request):
    """One server for the tests of a kind."""
    with uvicorn("--http", request.param, "--log-level", "info", "--no-access-log") as started:
        yield started


def test_it_runs_on_the_loop_and_keeps_connections_alive(server):
    process, port = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    told = []
    for _ in range(100):
        connection.request("GET", "/")
        told.append(json.loads(connection.getresponse().read()))
    connection.close()
    assert {facts["loop"] for facts in told} == {"groundup.event_loop.EventLoop"}
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


def test_web_sockets_talk(server, run):
    async def main():
        async with websockets.connect(f"ws://127.0.0.1:{server[1]}/") as socket:
            for number in range(20):
                await socket.send(f"message {number}")
                assert await socket.recv() == f"MESSAGE {number}"
            await socket.send(BODY)
            assert await socket.recv() == BODY

    run(main())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_shuts_it_down_in_order(number):
    with uvicorn() as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/")
        connection.getresponse().read()
        process.send_signal(number)
        _, logged = process.communicate(timeout=20)
        connection.close()
    assert "Application shutdown complete." in logged
    assert "Finished server process" in logged
    assert "Traceback" not in logged
    assert process.returncode in (0, -number)
