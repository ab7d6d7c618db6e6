"""Waiting when it fails or is interrupted: by signals, by epoll, by descriptors in error."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import threading
import time

import pytest

import groundup

from .apart import apart, descriptors, idle, until
from .failing import Failure, install
from .peers import tcp_pair

WAITING = ("epoll_wait", "epoll_pwait")


@apart
async def test_a_wait_that_is_interrupted_goes_on():
    install(*(Failure(call, errno.EINTR, times=5) for call in WAITING))
    begun = time.monotonic()
    await asyncio.sleep(0.02)
    assert time.monotonic() - begun >= 0.02
    await idle()


@apart
async def test_a_wait_that_fails_ends_the_run_and_the_loop_can_run_again():
    loop = groundup.new_event_loop()

    def run():
        with pytest.raises(OSError) as caught:
            loop.run_until_complete(asyncio.sleep(0.01))
        assert caught.value.errno == errno.ENOMEM
        loop.run_until_complete(asyncio.sleep(0))
        # The first sleep's task was left over.
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def apart_from_this():
        # A filter holds for the thread that installs it, and those it starts.
        install(*(Failure(call, errno.ENOMEM) for call in WAITING))
        run()

    failures = []

    def noted():
        try:
            apart_from_this()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=noted)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert failures == []


@pytest.mark.parametrize("call", ["epoll_create1", "eventfd2", "epoll_ctl"])
@apart
async def test_a_loop_that_cannot_be_made_is_an_error_and_leaves_nothing(call):
    before = descriptors()
    install(Failure(call, errno.EMFILE))
    with pytest.raises(OSError) as caught:
        groundup.new_event_loop()
    assert caught.value.errno == errno.EMFILE
    assert descriptors() == before
    groundup.new_event_loop().close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOMEM])
@apart
async def test_what_cannot_be_watched_is_an_error_at_the_call(number):
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        install(Failure("epoll_ctl", number, times=2))
        with pytest.raises(OSError) as caught:
            loop.add_reader(near, print)
        assert caught.value.errno == number
        with pytest.raises(OSError) as caught:
            await loop.sock_recv(near, 1)
        assert caught.value.errno == number
        far.send(b"x")
        assert await loop.sock_recv(near, 1) == b"x"


@apart
async def test_signals_by_the_thousand_disturb_nothing():
    loop = asyncio.get_running_loop()
    heard, count = [], 10_000
    loop.add_signal_handler(signal.SIGUSR1, heard.append, 1)
    with tcp_pair() as (near, far):
        storm = threading.Thread(target=send_signals, args=(count,))
        storm.start()
        for _ in range(200):
            await loop.sock_sendall(near, b"x" * 1000)
            received = 0
            while received < 1000:
                received += len(await loop.sock_recv(far, 1000))
        while storm.is_alive():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert 0 < len(heard) <= count
        loop.remove_signal_handler(signal.SIGUSR1)
    await idle()


def send_signals(count):
    for _ in range(count):
        os.kill(os.getpid(), signal.SIGUSR1)


@apart
async def test_a_timer_that_interrupts_everything_disturbs_nothing():
    """Handlers of the module signal run, and calls that were interrupted go on."""
    ticks = []
    signal.signal(signal.SIGALRM, lambda number, frame: ticks.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        with tcp_pair() as (near, far):
            loop = asyncio.get_running_loop()
            sending = loop.create_task(loop.sock_sendall(near, bytes(16 << 20)))
            received = 0
            while received < 16 << 20:
                received += len(await loop.sock_recv(far, 1 << 16))
            await sending
            process = await asyncio.create_subprocess_exec("sleep", "0.05")
            assert await process.wait() == 0
            await until(lambda: len(ticks) > 20)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@pytest.mark.parametrize("direction", ["reader", "writer"])
@apart
async def test_an_error_or_a_hang_up_is_heard_in_both_directions(direction):
    """EPOLLERR and EPOLLHUP come unasked: whoever watches hears of them, and may stop watching."""
    loop = asyncio.get_running_loop()
    add, remove = getattr(loop, f"add_{direction}"), getattr(loop, f"remove_{direction}")
    reading, writing = os.pipe()
    ours, theirs = (reading, writing) if direction == "reader" else (writing, reading)
    if direction == "writer":
        fill(writing)
    heard = []
    add(ours, heard.append, 1)
    await asyncio.sleep(0.01)
    assert heard == []
    os.close(theirs)
    await until(lambda: heard)
    remove(ours)
    os.close(ours)
    await idle()


def fill(writing):
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(1 << 16))


@apart
async def test_a_socket_in_error_is_heard_by_its_reader():
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        sock.connect(deaf.getsockname())
        heard = []
        loop.add_reader(sock, heard.append, 1)
        sock.send(b"to nobody")
        await until(lambda: heard)
        loop.remove_reader(sock)
        with pytest.raises(ConnectionRefusedError):
            sock.recv(1)
