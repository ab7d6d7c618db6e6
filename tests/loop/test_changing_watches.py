"""Watches that change while their descriptors are ready, closed, or used again."""

import threading

import pytest

from comparison import entry, log, outcome, turn


def test_a_callback_replaces_the_one_before(same, pair):
    def body(loop):
        ours, theirs = pair()
        theirs.send(b"x")
        seen = []
        loop.add_reader(ours, seen.append, 1)
        loop.add_reader(ours, seen.append, 2)
        loop.add_writer(ours, seen.append, "w1")
        loop.add_writer(ours, seen.append, "w2")
        turn(loop)
        return seen, loop.remove_reader(ours), loop.remove_writer(ours)

    assert same(body) == ([2, "w2"], True, True)


def test_a_callback_may_remove_itself_and_others(same, pair):
    def body(loop):
        first, second = pair()
        first.send(b"x")
        second.send(b"x")
        seen = []

        def callback(name):
            seen.append(name)
            loop.remove_reader(first)
            loop.remove_reader(second)

        loop.add_reader(first, callback, "one of them")
        loop.add_reader(second, callback, "one of them")
        turn(loop, 3)
        return seen

    assert same(body) == ["one of them"]


def test_a_callback_may_replace_itself(same, pair):
    def body(loop):
        ours, theirs = pair()
        theirs.send(b"x")
        seen = []

        def first():
            seen.append("first")
            loop.add_reader(ours, seen.append, "second")

        loop.add_reader(ours, first)
        turn(loop, 3)
        loop.remove_reader(ours)
        return seen

    assert same(body) == ["first", "second", "second"]


def test_a_descriptor_closed_while_watched_is_heard_of_no_more(same, pair):
    def body(loop):
        ours, theirs = pair()
        seen = []
        theirs.send(b"x")
        number = ours.fileno()
        loop.add_reader(ours, seen.append, "read")
        turn(loop)
        ours.close()
        loop.call_soon(seen.append, "soon")
        turn(loop, 2)
        return seen, loop.remove_reader(number), loop.remove_reader(number)

    assert same(body) == (["read", "soon"], True, False)


def test_a_descriptor_closed_while_watched_in_both_directions_is_forgotten_in_both(same, pair):
    def body(loop):
        ours, _ = pair()
        number = ours.fileno()
        loop.add_reader(ours, print)
        loop.add_writer(ours, print)
        ours.close()
        return (
            outcome(loop.remove_reader, number),
            loop.remove_reader(number),
            loop.remove_writer(number),
        )

    assert same(body) == (("OSError", "[Errno 9] Bad file descriptor"), False, False)


def test_a_number_used_again_is_watched_anew(loop, pair):
    """Its first owner was closed without a word; asyncio would hear of nothing."""
    ours, theirs = pair()
    number = ours.fileno()
    seen = []
    loop.add_reader(ours, seen.append, "old")
    theirs.close()
    ours.close()
    ours, theirs = pair()
    assert number in (ours.fileno(), theirs.fileno())
    if ours.fileno() != number:
        ours, theirs = theirs, ours
    loop.add_reader(ours, seen.append, "new")
    theirs.send(b"x")
    turn(loop)
    assert seen == ["new"]
    assert loop.remove_reader(ours)


def test_an_event_for_the_old_owner_does_not_reach_the_new_one(loop, pair):
    ours, theirs = pair()
    number = ours.fileno()
    theirs.send(b"x")
    seen = []

    def replace():
        loop.remove_reader(ours)
        ours.close()
        fresh = pair()
        assert number in (fresh[0].fileno(), fresh[1].fileno())
        loop.add_reader(number, seen.append, "new")

    loop.call_soon(loop.call_soon, replace)
    loop.add_reader(ours, seen.append, "old")
    turn(loop)
    seen.clear()
    turn(loop, 2)
    assert seen == []
    assert loop.remove_reader(number)


def test_a_thread_may_add_a_reader_to_a_sleeping_loop(loop, pair):
    """As asyncio allows it outside debug mode: epoll hears of it while it sleeps."""
    ours, theirs = pair()
    theirs.send(b"x")
    thread = threading.Timer(0.05, loop.add_reader, (ours, loop.stop))
    thread.start()
    loop.run_forever()
    thread.join()
    assert loop.remove_reader(ours)


def test_a_callback_that_raises_is_reported_and_called_again(same, pair):
    def body(loop):
        ours, theirs = pair()
        theirs.send(b"x")
        loop.add_reader(ours, int, "x")
        with log() as records:
            turn(loop, 2)
        loop.remove_reader(ours)
        return [entry(record).split("\n")[0] for record in records]

    assert len(same(body)) == 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_callback_that_ends_the_run_loses_no_event(same, pair, kind):
    def body(loop):
        first, second = pair()
        first.send(b"x")
        second.send(b"x")
        seen = []

        def callback(end):
            loop.remove_reader(end)
            seen.append(end.recv(1))
            raise kind

        loop.add_reader(first, callback, first)
        loop.add_reader(second, callback, second)
        results = [outcome(loop.run_forever)[0] for _ in range(2)]
        return results, seen

    assert same(body) == ([kind.__name__] * 2, [b"x", b"x"])


def test_a_callback_hears_of_nothing_from_before_it_was_added(same, pair):
    def body(loop):
        ours, theirs = pair()
        seen = []
        loop.add_writer(ours, seen.append, "writable")
        loop.add_reader(ours, seen.append, "first")
        theirs.send(b"x")

        def read_and_watch_anew():
            loop.remove_reader(ours)
            seen.append(ours.recv(1))
            loop.add_reader(ours, seen.append, "second")

        loop.call_soon(read_and_watch_anew)
        turn(loop, 2)
        return seen, loop.remove_reader(ours), loop.remove_writer(ours)

    assert same(body) == ([b"x", "writable", "writable"], True, True)
