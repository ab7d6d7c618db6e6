"""What is seen of a running program is what it is doing."""

import os
import signal
import time

import pytest

from groundup.live import program

from . import programs


def look(started):
    return program.Program(started.pid).look("time", 1000)


def tasks(loop):
    return {task["name"]: task for task in loop["tasks"]}


def test_tasks_are_seen_as_they_are(start):
    started = start(programs.WAITING)
    [loop] = look(started)
    seen = tasks(loop)
    assert set(seen) == {"Task-1", "consumer", "ticker", "wants\x1b[31m\u202e"}
    consumer = seen["consumer"]
    assert (consumer["state"], consumer["what"]) == ("waiting", "queue 1")
    assert consumer["since"] >= 0.05
    assert consumer["is_since_known"]
    assert consumer["coroutine"] == "consume"
    assert (consumer["file"], consumer["parent"]) == (os.fspath(started.file), "Task-1")
    assert consumer["chain"][:2] == ["consume (program1.py:14)", "inner (program1.py:10)"]
    assert consumer["chain"][2].startswith("Queue.get (queues.py:")
    assert seen["wants\x1b[31m\u202e"]["what"] == "lock 1"
    assert seen["Task-1"]["what"] == "task consumer"


def test_what_the_loop_does_is_seen(start):
    started = start(programs.WAITING)
    seen = program.Program(started.pid)
    seen.look("time", 1000)
    time.sleep(0.5)
    [loop] = seen.look("time", 1000)
    assert 0.5 <= loop["seconds"] < 5
    assert 10 <= tasks(loop)["ticker"]["steps"] <= loop["steps"]
    assert 0 < loop["running"] < loop["sleeping"] <= loop["seconds"]
    assert 0 < loop["lag_mean"] <= loop["lag_longest"]
    assert (loop["tasks_alive"], loop["tasks_spawned"], loop["tasks_finished"]) == (4, 0, 0)
    assert tasks(loop)["consumer"]["steps"] == 0


def test_the_step_that_blocks_the_loop_is_seen_while_it_does(start):
    started = start(programs.BLOCKED)
    time.sleep(0.3)
    [loop] = look(started)
    assert (loop["doing"], loop["step_of"]) == ("step", "blocks")
    assert loop["step_since"] >= 0.3
    assert tasks(loop)["blocks"]["state"] == "running"
    assert tasks(loop)["blocks"]["running"] >= 0.3


def test_a_program_at_full_speed_is_seen_without_a_gap(start):
    seen = program.Program(start(programs.BUSY).pid)
    seen.look("time", 1000)
    began, steps, known = time.monotonic(), 0, 0.0
    while time.monotonic() - began < 2:
        time.sleep(0.1)
        [loop] = seen.look("time", 1000)
        steps, known = steps + loop["steps"], known + loop["seconds"]
        assert tasks(loop)["spins"]["steps"] == loop["steps"]
        assert tasks(loop)["waits"]["state"] == "waiting"
    assert steps > 1000
    assert known == pytest.approx(time.monotonic() - began, rel=0.2)


def test_orders_are_kept(start):
    seen = program.Program(start(programs.WAITING).pid)
    first = {}
    for order in ("waits", "time", "steps"):
        # What it did at its beginning is not counted any more.
        first[order] = seen.look(order, 1000)[0]["tasks"]
        time.sleep(0.3)
    assert first["time"][0]["name"] == first["steps"][0]["name"] == "ticker"
    since = [task["since"] for task in first["waits"] if task["state"] == "waiting"]
    assert since == sorted(since, reverse=True)


def test_at_most_so_many_tasks_are_described(start):
    [loop] = program.Program(start(programs.WAITING).pid).look("time", 2)
    assert (len(loop["tasks"]), loop["tasks_alive"]) == (2, 4)


def test_each_loop_of_a_program_is_seen(start):
    started = start(programs.TWO_LOOPS)
    loops = look(started)
    assert [loop["tasks_alive"] for loop in loops] == [1, 1]
    assert len({loop["path"] for loop in loops}) == 2


def test_a_program_that_is_stopped_is_seen_as_it_was(start):
    started = start(programs.WAITING)
    seen = program.Program(started.pid)
    started.process.send_signal(signal.SIGSTOP)
    try:
        [loop] = seen.look("time", 1000)
        assert len(loop["tasks"]) == 4
        with pytest.raises(program.Unanswered, match=f"process {started.pid} does not answer"):
            program.ask(started.pid, 0.1)
    finally:
        started.process.send_signal(signal.SIGCONT)


def test_the_end_of_a_program_is_told(start):
    started = start(programs.WAITING)
    seen = program.Program(started.pid)
    started.kill()
    with pytest.raises(program.Unreachable, match=f"there is no process {started.pid}"):
        seen.look("time", 1000)
