"""Cancelling what waits, after any number of turns: what is raised and heard, and stays open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import sys
import threading
from unittest import mock

import pytest
import trustme

from .acts import Script
from .tape import MUCH, Tape, neutral, pair


def open_count():
    return len(os.listdir("/proc/self/fd"))


async def connect(tape):
    return await tape.loop.create_connection(lambda: Script(tape), "127.0.0.1", tape.port)


async def connect_by_socket(tape):
    return await tape.loop.create_connection(lambda: Script(tape), sock=tape.near)


async def accept_socket(tape):
    return await tape.loop.connect_accepted_socket(lambda: Script(tape), tape.near)


async def connect_with_tls(tape):
    options = {"ssl": tape.context, "server_hostname": "localhost"}
    return await tape.loop.create_connection(lambda: Script(tape), sock=tape.near, **options)


async def start_tls(tape):
    protocol = Script(tape)
    transport, _ = await tape.loop.create_connection(lambda: protocol, sock=tape.near)
    tape.note("starts")
    options = {"server_hostname": "localhost"}
    return await tape.loop.start_tls(transport, protocol, tape.context, **options)


async def accept(tape):
    tape.listener.setblocking(False)
    return await tape.loop.sock_accept(tape.listener)


async def receive(tape):
    return await tape.loop.sock_recv(tape.near, 100)


async def receive_into(tape):
    return await tape.loop.sock_recv_into(tape.near, bytearray(10))


async def send_all(tape):
    return await tape.loop.sock_sendall(tape.near, bytes(MUCH))


async def send_file(tape):
    with open(sys.executable, "rb") as file:
        return await tape.loop.sock_sendfile(tape.near, file)


async def send_file_over_transport(tape):
    transport, _ = await tape.loop.create_connection(lambda: Script(tape), sock=tape.near)
    with open(sys.executable, "rb") as file:
        return await tape.loop.sendfile(transport, file)


async def resolve(tape):
    def wait(*args, **keywords):
        return tape.answered.wait(5)

    with mock.patch("socket.getaddrinfo", wait):
        return await tape.loop.getaddrinfo("a name", 80)


async def read_pipe(tape):
    return await tape.loop.connect_read_pipe(lambda: Script(tape), tape.pipe)


async def endpoint(tape):
    kind = asyncio.DatagramProtocol
    return await tape.loop.create_datagram_endpoint(kind, local_addr=("127.0.0.1", 0))


async def serve(tape):
    tape.far.close()
    return await tape.loop.create_server(lambda: Script(tape), sock=tape.listener)


WAITS = [
    *(connect, connect_by_socket, accept_socket, connect_with_tls, start_tls, accept, receive),
    *(receive_into, send_all, send_file, send_file_over_transport, resolve, read_pipe, endpoint),
    serve,
]


@pytest.fixture(scope="module")
def context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trustme.CA().configure_trust(context)
    return context


def close_result(result):
    """Close what a call has returned before it could be cancelled."""
    for thing in result if isinstance(result, tuple) else (result,):
        if hasattr(thing, "close"):
            thing.close()


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
def test_a_wait_is_cancelled(same, context, wait, turns):
    async def scene(tape):
        before = open_count()
        task = tape.loop.create_task(wait(tape))
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = task.done()
        tape.note("cancelled", task.cancel())
        await asyncio.wait([task])
        tape.answered.set()
        if task.cancelled() or task.exception():
            tape.note("cancelled" if task.cancelled() else neutral(task.exception()))
        else:
            tape.note("returned", was_done)
            close_result(task.result())
        await tape.turns(6)
        tape.note("descriptors", open_count() - before, tape.near.fileno() < 0)

    def body(loop):
        tape = Tape(loop)
        tape.context, tape.answered = context, threading.Event()
        reading, writing = os.pipe()
        with (
            pair() as (tape.near, tape.far),
            socket.create_server(("127.0.0.1", 0)) as tape.listener,
            os.fdopen(reading, "rb", 0) as tape.pipe,
        ):
            tape.port = tape.listener.getsockname()[1]
            try:
                return tape.run(scene(tape))
            finally:
                with contextlib.suppress(OSError):
                    os.close(writing)
                loop.run_until_complete(loop.shutdown_default_executor())

    same(body)
