"""Descriptors: who watches one hears when it is ready, each time, until nobody watches it."""

import asyncio
import os
import socket
import tempfile

import pytest

from comparison import outcome, turn

ADD = ["add_reader", "add_writer"]
REMOVE = ["remove_reader", "remove_writer"]


def test_a_reader_is_called_each_time_there_is_something_to_read(same, pair):
    def body(loop):
        ours, theirs = pair()
        called = []
        answer = loop.add_reader(ours, called.append, "readable")
        turn(loop, 2)
        nothing = list(called)
        theirs.send(b"x")
        turn(loop, 3)
        unread = list(called)
        ours.recv(10)
        called.clear()
        turn(loop, 2)
        return answer, nothing, unread, called, loop.remove_reader(ours)

    assert same(body) == (None, [], ["readable"] * 3, [], True)


def test_a_writer_is_called_as_long_as_there_is_room(same, pair):
    def body(loop):
        ours, theirs = pair()
        called = []
        loop.add_writer(ours, called.append, "writable")
        turn(loop, 2)
        free = len(called)
        while outcome(ours.send, b"x" * 65536) == 65536:
            pass
        while isinstance(outcome(ours.send, b"x" * 512), int):
            pass
        called.clear()
        turn(loop, 2)
        full = list(called)
        while isinstance(outcome(theirs.recv, 1 << 20), bytes):
            pass
        turn(loop)
        return free, full, called, loop.remove_writer(ours)

    assert same(body) == (2, [], ["writable"], True)


def test_both_directions_can_be_watched(same, pair):
    def body(loop):
        ours, theirs = pair()
        seen = []
        theirs.send(b"x")
        loop.add_reader(ours, seen.append, "read")
        loop.add_writer(ours, seen.append, "write")
        turn(loop)
        answers = [loop.remove_reader(ours), loop.remove_reader(ours)]
        turn(loop)
        answers += [loop.remove_writer(ours), loop.remove_writer(ours)]
        turn(loop)
        loop.add_reader(ours, seen.append, "read again")
        turn(loop)
        answers += [loop.remove_writer(ours), loop.remove_reader(ours)]
        return seen, answers

    assert same(body) == (
        ["read", "write", "write", "read again"], [True, False, True, False, False, True],
    )  # fmt: skip


def test_a_descriptor_is_a_number_or_has_one(same, pair):
    class File:
        def __init__(self, number):
            self.number = number

        def fileno(self):
            return self.number

    def body(loop):
        ours, theirs = pair()
        theirs.send(b"x")
        seen = []
        loop.add_reader(ours.fileno(), seen.append, "number")
        turn(loop)
        loop.add_reader(File(ours.fileno()), seen.append, "file")
        turn(loop)
        loop.add_reader(ours, seen.append, "socket")
        turn(loop)
        return seen, loop.remove_reader(ours.fileno()), loop.remove_reader(ours)

    assert same(body) == (["number", "file", "socket"], True, False)


@pytest.mark.parametrize("method", ADD + REMOVE)
@pytest.mark.parametrize(
    "file", [-1, "file", None, 1.5, object()], ids=lambda file: str(type(file))
)
def test_what_is_no_descriptor_is_refused(same, method, file):
    def body(loop):
        return outcome(getattr(loop, method), file, *([print] if method in ADD else []))

    kind, text = same(body)
    assert kind == "ValueError"
    assert text.startswith("Invalid file ")


@pytest.mark.parametrize("method", ADD)
def test_a_closed_descriptor_is_refused(same, method):
    def body(loop):
        reader, writer = os.pipe()
        os.close(reader)
        os.close(writer)
        with pytest.raises(OSError) as caught:
            getattr(loop, method)(reader, print)
        closed = socket.socket()
        closed.close()
        return caught.value.errno, str(caught.value), outcome(getattr(loop, method), closed, print)

    assert same(body) == (
        9, "[Errno 9] Bad file descriptor", ("ValueError", "Invalid file descriptor: -1"),
    )  # fmt: skip


@pytest.mark.parametrize(("add", "remove"), list(zip(ADD, REMOVE, strict=True)))
def test_what_was_closed_while_it_was_watched_can_be_removed_once(same, pair, add, remove):
    def body(loop):
        ours, _ = pair()
        getattr(loop, add)(ours, print)
        ours.close()
        return [outcome(getattr(loop, remove), ours) for _ in range(2)]

    assert same(body) == [True, ("ValueError", "Invalid file descriptor: -1")]


@pytest.mark.parametrize("method", ADD)
def test_a_regular_file_is_refused(same, method):
    def body(loop):
        with tempfile.TemporaryFile() as file:
            return outcome(getattr(loop, method), file, print), outcome(
                getattr(loop, method.replace("add", "remove")), file
            )

    assert same(body) == (("PermissionError", "[Errno 1] Operation not permitted"), False)


@pytest.mark.parametrize("method", ADD)
def test_a_closed_loop_watches_nothing(same, pair, method):
    def body(loop):
        ours, _ = pair()
        loop.close()
        return outcome(getattr(loop, method), ours, print)

    assert same(body) == ("RuntimeError", "Event loop is closed")


def test_on_a_closed_loop_nothing_is_left_to_remove(same, pair):
    def body(loop):
        ours, _ = pair()
        loop.add_reader(ours, print)
        loop.close()
        return loop.remove_reader(ours), loop.remove_writer(ours)

    assert same(body) == (False, False)


def test_a_hang_up_is_told_to_readers_and_writers(same):
    def body(loop):
        seen = []
        reader, writer = os.pipe()
        os.close(writer)
        loop.add_reader(reader, seen.append, "end of file")
        turn(loop)
        loop.remove_reader(reader)
        os.close(reader)
        reader, writer = os.pipe()
        os.close(reader)
        loop.add_writer(writer, seen.append, "broken pipe")
        turn(loop)
        loop.remove_writer(writer)
        os.close(writer)
        return seen

    assert same(body) == ["end of file", "broken pipe"]


def test_many_descriptors_are_watched_at_once(loop):
    pairs = [socket.socketpair() for _ in range(300)]
    seen = []
    try:
        for number, (ours, theirs) in enumerate(pairs):
            loop.add_reader(
                ours, lambda number, end: seen.append((number, end.recv(1))), number, ours
            )
            theirs.send(b"x")
        turn(loop, 4)
        for ours, _ in pairs:
            assert loop.remove_reader(ours)
    finally:
        for pair in pairs:
            for end in pair:
                end.close()
    assert sorted(seen) == [(number, b"x") for number in range(300)]


@pytest.mark.parametrize("method", ADD + REMOVE)
def test_the_descriptor_of_a_transport_is_not_to_be_watched(same, pair, method):
    async def body(loop):
        ours, _ = pair()
        number = ours.fileno()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        args = [print] if method in ADD else []
        kind, text = outcome(getattr(loop, method), number, *args)
        transport.abort()
        await asyncio.sleep(0)
        return kind, text.startswith(f"File descriptor {number} is used by transport <")

    assert same(body) == ("RuntimeError", True)


def test_a_terminal_can_be_watched(same):
    def body(loop):
        controller, terminal = os.openpty()
        try:
            seen = []
            loop.add_reader(terminal, lambda: (seen.append(os.read(terminal, 10)), loop.stop()))
            os.write(controller, b"x\n")
            loop.run_forever()
            loop.remove_reader(terminal)
            return seen
        finally:
            os.close(controller)
            os.close(terminal)

    assert same(body) == [b"x\n"]


def test_callbacks_are_needed(loop, pair):
    ours, _ = pair()
    with pytest.raises(TypeError):
        loop.add_reader(ours)
    assert not loop.remove_reader(ours)
