"""A process that is out of descriptors: accepting pauses, the rest goes on, nothing spins."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each runs in a process of its own, whose descriptors it takes.
BEGINNING = """
import asyncio, errno, os, resource, socket, time
import groundup

reports, accepted, lost = [], [], []

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        accepted.append(self)

    def data_received(self, data):
        self.transport.write(data)

    def connection_lost(self, exc):
        lost.append(exc)

def caller(address):
    sock = socket.create_connection(address)
    sock.setblocking(False)
    return sock

async def echo(sock, data):
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, data)
    assert await loop.sock_recv(sock, 100) == data

async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)

def take_descriptors(but):
    taken = []
    while True:
        try:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            assert error.errno == errno.EMFILE
            break
    for _ in range(but):
        os.close(taken.pop())
    return taken
"""

ENDING = """
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
groundup.run(main())
"""


def run(program: str) -> str:
    """Return what a program prints; fail if it does."""
    code = BEGINNING + program + ENDING
    outcome = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=40, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def test_accepting_pauses_and_goes_on_when_descriptors_are_free():
    printed = run("""
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, report: reports.append((loop.time(), report)))
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    early = caller(address)
    await echo(early, b"early")
    taken = take_descriptors(but=3)
    callers = [caller(address) for _ in range(3)]

    await until(lambda: reports)
    cpu, begun = time.process_time(), loop.time()
    await until(lambda: len(reports) == 2)
    await echo(early, b"still here")
    assert len(reports) == 2
    assert reports[1][0] - reports[0][0] >= 0.9
    assert time.process_time() - cpu < 0.8 * (loop.time() - begun)
    for _, report in reports:
        assert report["message"] == "socket.accept() out of system resource"
        assert report["exception"].errno == errno.EMFILE
        assert report["socket"].fileno() == server.sockets[0].fileno()

    for descriptor in taken:
        os.close(descriptor)
    for number, sock in enumerate(callers):
        await echo(sock, b"%d" % number)
    assert len(accepted) == 4
    print("all served")
""")
    assert printed == "all served\n"


def test_a_server_that_is_closed_while_it_pauses_stays_closed():
    printed = run("""
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, report: reports.append(report))
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    taken = take_descriptors(but=1)
    waiting = caller(address)
    await until(lambda: reports)
    server.close()
    for descriptor in taken:
        os.close(descriptor)
    # Whatever gets the listener's number next is none of its business.
    near, far = socket.socketpair()
    await asyncio.sleep(1.2)
    assert accepted == []
    assert len(reports) == 1
    print("closed")
""")
    assert printed == "closed\n"


@pytest.mark.parametrize("what", ["create_connection", "create_server"])
def test_without_descriptors_a_call_is_an_error(what):
    arguments = '"127.0.0.1", 1' if what == "create_connection" else '"127.0.0.1", 0'
    printed = run(f"""
async def main():
    loop = asyncio.get_running_loop()
    taken = take_descriptors(but=0)
    try:
        await loop.{what}(Echo, {arguments})
    except OSError as error:
        text = str(error)
    for descriptor in taken:
        os.close(descriptor)
    print(text)
    await echo_works()

async def echo_works():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    await echo(caller(server.sockets[0].getsockname()), b"fine")
    print("fine")
""")
    first, last = printed.splitlines()
    assert "Too many open files" in first or "could not bind on any address" in first
    assert last == "fine"
