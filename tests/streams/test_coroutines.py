"""What the methods of streams return is as Python's coroutines are: the same on both loops."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings

import pytest

import groundup
from comparison import failure, observe, outcome, plain

from .readers import adopted, connection


@pytest.fixture
def same():
    """Run a body with a reader on both loops; expect the same of both, and return it."""

    def seen(new_loop, body):
        def whole(loop):
            with connection(loop) as transport:
                return loop.run_until_complete(play(body, transport))

        return observe(new_loop, whole)

    async def play(body, transport):
        return await body(adopted(transport))

    def same(body):
        expected, found = seen(asyncio.SelectorEventLoop, body), seen(groundup.new_event_loop, body)
        assert found == expected
        return found

    return same


def test_it_is_one_to_asyncio_and_says_so(same):
    async def body(reader):
        coroutine = reader.read(3)
        notes = [asyncio.iscoroutine(coroutine), coroutine.__name__, coroutine.__qualname__]
        notes.append(plain(repr(coroutine)))
        coroutine.close()
        return notes

    assert same(body).returned[:3] == [True, "read", "StreamReader.read"]


def test_it_warns_if_nobody_awaits_it(same):
    async def body(reader):
        reader.readline()
        gc.collect()

    (warning,) = same(body).warned
    assert warning == "RuntimeWarning: coroutine 'StreamReader.readline' was never awaited"


def test_it_can_be_awaited_once(same):
    async def body(reader):
        reader.feed_data(b"data")
        coroutine = reader.read(1)
        return [await coroutine, await failure(coroutine)]

    same(body)


def test_it_begins_when_it_is_resumed(same):
    async def body(reader):
        coroutine = reader.read(4)
        reader.feed_data(b"data")
        notes = [outcome(coroutine.send, 1)]
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        return notes, stop.value.value

    assert same(body).returned[1] == b"data"


@pytest.mark.parametrize("method", ["throw", "close"])
def test_it_can_be_ended_before_and_while_it_waits(same, method):
    async def body(reader):
        argument = [OSError("thrown")] if method == "throw" else []
        fresh, waiting = reader.read(), reader.read()
        notes = [outcome(getattr(fresh, method), *argument)]
        notes.append(isinstance(waiting.send(None), asyncio.Future))
        notes.append(outcome(getattr(waiting, method), *argument))
        notes.append(reader._waiter)
        return notes, outcome(waiting.send, None), outcome(fresh.send, None)

    same(body)


def test_throwing_warns_as_python_coroutines_do(same):
    async def body(reader):
        waiting = reader.read()
        waiting.send(None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ended = outcome(waiting.throw, LookupError, "thrown")
        return ended, {str(warning.message) for warning in caught}

    same(body)


def test_its_future_has_to_be_awaited(same):
    async def body(reader):
        reading = reader.read()
        reading.send(None)
        return outcome(reading.send, None), reader._waiter

    assert same(body).returned[0] == ("RuntimeError", "await wasn't used with future")


def test_only_one_may_wait(same):
    async def body(reader):
        first = asyncio.create_task(reader.read())
        await asyncio.sleep(0)
        methods = [reader.read(3), reader.readline(), reader.readuntil(b"a"), reader.readexactly(2)]
        notes = await asyncio.gather(*methods, return_exceptions=True)
        reader.feed_eof()
        return list(map(repr, notes)), await first

    same(body)


def test_it_works_with_gather_wait_for_and_timeouts(same):
    async def body(reader):
        notes = [await failure(asyncio.wait_for(reader.read(1), 0.01)), reader._waiter]
        asyncio.get_running_loop().call_soon(reader.feed_data, b"line\n")
        notes.append(await asyncio.gather(reader.readline(), asyncio.sleep(0)))
        task = asyncio.create_task(reader.read())
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return [*notes, str(caught.value), reader._waiter]

    same(body)


def test_a_set_exception_is_raised_by_all_reading(same):
    async def body(reader):
        reading = asyncio.create_task(reader.readuntil(b"a"))
        await asyncio.sleep(0)
        reader.feed_data(b"left")
        await asyncio.sleep(0)
        reader.set_exception(OSError("lost"))
        notes = [await failure(reading), repr(reader.exception())]
        methods = [reader.read(), reader.read(0), reader.readline(), reader.readexactly(0)]
        notes += [await failure(method) for method in methods]
        reader.set_exception(StopIteration(1))
        return [*notes, await failure(reader.read())]

    same(body)


def test_lines_can_be_iterated_over(same):
    async def body(reader):
        reader.feed_data(b"a\nb\n\nc")
        reader.feed_eof()
        return [line async for line in reader]

    assert same(body).returned == [b"a\n", b"b\n", b"\n", b"c"]


async def writer_of():
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=near)
    return reader, writer, far


def both(body):
    """The same of a body without a reader."""

    def run(new_loop):
        return observe(new_loop, lambda loop: loop.run_until_complete(body()))

    found = run(groundup.new_event_loop)
    assert found == run(asyncio.SelectorEventLoop)
    return found.returned


async def served(body, **keywords):
    """What a body notes of the writer of an accepted connection, and of the client's."""
    done = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        try:
            done.set_result(await body(reader, writer))
        except BaseException as error:
            done.set_exception(error)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        return await done
    finally:
        writer.close()
        server.close()


@pytest.mark.parametrize("accepted", [True, False])
def test_drain_waits_while_the_protocol_is_paused_and_yields_once_when_closing(accepted):
    async def body(reader, writer):
        notes = []
        protocol = writer._protocol
        protocol.pause_writing()
        draining = [asyncio.create_task(writer.drain()) for _ in range(3)]
        await asyncio.sleep(0)
        draining[2].cancel()
        await asyncio.sleep(0)
        notes.append([task.done() for task in draining])
        protocol.resume_writing()
        notes.append(await asyncio.gather(*draining[:2]))
        notes.append(len(protocol._drain_waiters))
        writer.close()
        drain = writer.drain()
        notes.append(drain.send(None))
        drain.close()
        notes.append(await failure(writer.drain()))
        reader.set_exception(OSError("read"))
        notes.append(await failure(writer.drain()))
        return notes

    async def connected():
        reader, writer, far = await writer_of()
        with far:
            return await body(reader, writer)

    notes = both((lambda: served(body)) if accepted else connected)
    assert notes[3:] == [
        None,
        ("ConnectionResetError", "Connection lost"),
        ("OSError", "read"),
    ]


def test_drain_of_another_protocol_is_its_own():
    async def body(reader, writer):
        called = []

        async def drain_helper():
            called.append("drain")

        writer._protocol._drain_helper = drain_helper
        await writer.drain()
        return called

    assert both(lambda: served(body)) == ["drain"]


def test_a_writer_writes_what_its_transport_takes():
    async def body(reader, writer):
        notes = [outcome(writer.write, "text"), outcome(writer.write), writer.write(b"")]
        notes.append(outcome(writer.write, data=b"a"))
        return [*notes[:1], *notes[2:]]

    def kinds(notes):
        return [note[0] if isinstance(note, tuple) else note for note in notes]

    async def run():
        return kinds(await served(body))

    assert both(run) == ["TypeError", None, None]
