"""A loop that always has work still hears of everything else, and soon."""

import asyncio
import signal
import threading

import pytest


@pytest.fixture
def busy(loop):
    """What runs a coroutine while a callback that always comes back keeps the loop busy."""
    spins = 0
    is_over = False

    def spin():
        nonlocal spins
        spins += 1
        if not is_over:
            loop.call_soon(spin)

    async def until(spun):
        while spins < spun:
            await asyncio.sleep(0)

    def run(body):
        nonlocal is_over

        async def main():
            loop.call_soon(spin)
            await until(2000)
            return await body(lambda: spins)

        try:
            return loop.run_until_complete(asyncio.wait_for(main(), 30))
        finally:
            is_over = True

    return run


def test_an_echo_comes_back_within_few_turns(busy):
    async def body(spins):
        ended = asyncio.Event()

        async def echo(reader, writer):
            while data := await reader.read(100):
                writer.write(data)
            writer.close()
            await writer.wait_closed()
            ended.set()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        turns = []
        for number in range(100):
            before = spins()
            writer.write(b"%d" % number)
            assert await reader.read(100) == b"%d" % number
            turns.append(spins() - before)
        writer.close()
        await ended.wait()
        server.close()
        await writer.wait_closed()
        return turns

    # A turn to send, one to hear of it, and one to hear of the answer, each with a poll.
    assert sorted(busy(body))[90] <= 20


def test_what_a_stranger_sends_is_heard_of_within_some_turns(busy, pair, loop):
    async def body(spins):
        ours, theirs = pair()
        turns = []
        heard = asyncio.Event()
        loop.add_reader(ours, lambda: (ours.recv(100), heard.set()))
        for _ in range(100):
            heard.clear()
            for _ in range(100):
                await asyncio.sleep(0)
            before = spins()
            theirs.send(b"x")
            await heard.wait()
            turns.append(spins() - before)
        loop.remove_reader(ours)
        return turns

    assert max(busy(body)) <= 40


def test_a_timer_that_is_due_is_called_in_the_next_turn(busy, loop):
    async def body(spins):
        turns = []
        for _ in range(100):
            before = spins()
            called = loop.create_future()
            loop.call_later(0, called.set_result, None)
            await called
            turns.append(spins() - before)
        return turns

    assert max(busy(body)) <= 3


def test_what_another_thread_sends_is_called_though_the_loop_never_sleeps(busy, loop):
    async def body(spins):
        called = asyncio.Event()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(called.set,))
        thread.start()
        await called.wait()
        thread.join()
        return True

    assert busy(body)


def test_a_signal_is_handled_within_some_turns(busy, loop, signals):
    async def body(spins):
        heard = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, heard.set)
        for _ in range(1000):
            await asyncio.sleep(0)
        before = spins()
        signal.raise_signal(signal.SIGUSR1)
        await heard.wait()
        loop.remove_signal_handler(signal.SIGUSR1)
        return spins() - before

    assert busy(body) <= 40
