"""The black box: a copy is kept when something happens, and nothing otherwise."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest

import groundup

from .reading import Weave, names, run

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMIT = 0.02


@pytest.fixture
def box(tmp_path):
    def box(**options):
        return groundup.black_box(tmp_path / "box.weave", **{"megabytes": 1 / 4} | options)

    return box


def weaves(box):
    return [Weave(path) for path in box.paths]


def reasons(weave):
    """The marks of the box; there are others, of exceptions."""
    return [mark for mark in weave.marks if mark.startswith("black box: ")]


async def nap():
    await asyncio.sleep(0)


async def block():
    time.sleep(3 * LIMIT)


async def fail():
    asyncio.get_running_loop().call_soon(int, "one")
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.fixture
def handled(caplog):
    """What comes to exception handlers is logged, and read here."""
    yield caplog
    caplog.clear()


def test_nothing_is_left_when_nothing_happens(box, tmp_path):
    with box(step_limit=5) as recording:
        groundup.run(nap())
        assert names(tmp_path) == ["box.weave"]
        assert "nap" in Weave(tmp_path / "box.weave").coroutines
    assert (recording.paths, names(tmp_path)) == ([], [])


def test_a_step_that_takes_too_long_is_kept_with_its_stack(box, tmp_path):
    async def main():
        await asyncio.create_task(nap())
        await asyncio.create_task(block())
        await asyncio.sleep(0)

    with box(step_limit=LIMIT) as recording:
        groundup.run(main())
    assert names(tmp_path) == ["box-1.weave"]
    [weave] = weaves(recording)
    assert weave.coroutines == ["block", "main", "nap"]
    [mark] = reasons(weave)
    assert mark.startswith("black box: a step took 0.0")
    [(who, lines)] = weave.stacks
    assert (who, lines[-1].startswith("block (")) == ("block", True)
    steps = zip(weave.numbers("steps.lane"), weave.numbers("steps.took"), strict=True)
    assert max(took for _, took in steps) > 2.5e9 * LIMIT


def test_an_exception_that_comes_to_the_handler_is_kept(box, handled):
    with box() as recording:
        groundup.run(fail())
    [weave] = weaves(recording)
    assert ("fail" in weave.coroutines, reasons(weave)) == (
        True,
        ["black box: ValueError: invalid literal for int() with base 10: 'one'"],
    )


def test_a_report_without_a_failure_is_none(box, handled):
    async def main():
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "only a message"})
        loop.call_exception_handler({"message": "it", "exception": asyncio.CancelledError()})
        loop.call_exception_handler({"message": "it", "exception": None})

    with box() as recording:
        groundup.run(main())
    assert recording.paths == []


def test_exceptions_are_left_alone_if_so_wished(box, handled, tmp_path):
    def program():
        with box(on_exception=False):
            assert sys.excepthook is before
            groundup.run(fail())
            raise LookupError

    before = sys.excepthook
    with pytest.raises(LookupError):
        program()
    assert names(tmp_path) == []


def test_an_exception_that_leaves_the_context_is_kept(box):
    async def main():
        await nap()
        raise LookupError("gone")

    recording = box()
    with pytest.raises(LookupError), recording:
        groundup.run(main())
    [weave] = weaves(recording)
    assert (reasons(weave), "main" in weave.coroutines) == (["black box: LookupError: gone"], True)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_is_no_failure_is_not_kept(box, tmp_path, end):
    async def main():
        await nap()
        raise end

    with pytest.raises(end), box():
        groundup.run(main())
    assert names(tmp_path) == []


def test_a_signal_has_every_loop_kept(box):
    async def other():
        began.set()
        while not ended.is_set():
            await asyncio.sleep(0.001)

    async def main():
        await asyncio.to_thread(began.wait)
        os.kill(os.getpid(), signal.SIGUSR2)
        await asyncio.sleep(0.01)

    began, ended, heard = threading.Event(), threading.Event(), []
    former = signal.signal(signal.SIGUSR2, lambda *_: heard.append("program"))
    try:
        with box(signal=signal.SIGUSR2) as recording:
            thread = threading.Thread(target=lambda: groundup.run(other()))
            thread.start()
            groundup.run(main())
            ended.set()
            thread.join()
        assert heard == ["program"]
        assert signal.getsignal(signal.SIGUSR2)(0, None) is None
        assert heard == ["program", "program"]
    finally:
        signal.signal(signal.SIGUSR2, former)
    kept = weaves(recording)
    assert sorted("other" in weave.coroutines for weave in kept) == [False, True]
    assert [reasons(weave) for weave in kept] == [["black box: signal User defined signal 2"]] * 2


def test_steps_and_exceptions_are_kept_once_in_a_while(box, handled, monkeypatch):
    def later(seconds, former=time.monotonic):
        monkeypatch.setattr(time, "monotonic", lambda: former() + seconds)

    with box(step_limit=LIMIT) as recording:
        groundup.run(fail())
        groundup.run(fail())
        groundup.run(block())
        assert len(recording.paths) == 1
        later(11)
        groundup.run(block())
        assert len(recording.paths) == 2


def test_of_too_many_copies_the_oldest_go(box, handled, tmp_path, monkeypatch):
    monkeypatch.setattr("groundup.boxes.PAUSE", 0)
    (tmp_path / "box-7.weave").write_bytes(b"older")
    (tmp_path / "box-x.weave").write_bytes(b"a stranger's")
    with box(copies=2):
        for _ in range(3):
            groundup.run(fail())
    assert names(tmp_path) == ["box-10.weave", "box-9.weave", "box-x.weave"]


def test_a_closed_loop_gives_its_place_to_the_next(box, tmp_path):
    with box():
        for _ in range(3):
            groundup.run(nap())
            assert names(tmp_path) == ["box.weave"]
        first, second = groundup.new_event_loop(), groundup.new_event_loop()
        first.run_until_complete(nap())
        second.run_until_complete(nap())
        assert names(tmp_path) == ["box-loop-2.weave", "box.weave"]
        first.close()
        second.close()
    assert names(tmp_path) == []


def test_a_copy_that_cannot_be_made_is_warned_of(box, handled, tmp_path):
    (tmp_path / "box-1.weave.part").mkdir()
    with box() as recording, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        groundup.run(fail())
    assert recording.paths == []
    assert [it.category for it in caught] == [RuntimeWarning]
    assert "Is a directory: " in str(caught[0].message)


def test_hooks_are_as_before_in_the_end(box):
    before = (sys.excepthook, threading.excepthook, signal.getsignal(signal.SIGUSR2))
    with box(signal=signal.SIGUSR2):
        assert sys.excepthook != before[0]
    assert before == (
        sys.excepthook,
        threading.excepthook,
        signal.getsignal(signal.SIGUSR2),
    )


def test_a_box_is_a_recording_and_there_is_one_at_a_time(box, tmp_path):
    other = groundup.record(tmp_path / "run.weave")
    with box(), pytest.raises(RuntimeError, match="already recording to"):
        other.start()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": 0}, "signal must be the number of a signal, got 0"),
        ({"signal": 99}, "signal must be the number of a signal, got 99"),
        ({"copies": 0}, "copies must be 1 or more, got 0"),
        ({"megabytes": 0}, "megabytes must be 1/16 to 16384, got 0"),
        ({"step_limit": 0}, "step_limit must be 0.001 seconds or more, got 0"),
    ],
)
def test_wrong_options_are_named(box, options, message):
    with pytest.raises(ValueError) as caught:
        box(**options)
    assert str(caught.value) == message


def test_a_signal_is_heard_in_the_main_thread_only(box, tmp_path):
    raised = []

    def start():
        try:
            box(signal=signal.SIGUSR2).start()
        except ValueError as error:
            raised.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert (len(raised), "main thread" in raised[0], names(tmp_path)) == (1, True, [])
    with box():
        groundup.run(nap())


START = "groundup.black_box('box.weave', megabytes=1 / 4, step_limit=0.02, copies=3).start()\n"


def test_a_process_that_dies_leaves_its_box_and_the_next_one_keeps_it(tmp_path):
    dying = (
        START
        + """
async def dying():
    await asyncio.sleep(0)
    os.kill(os.getpid(), 9)
groundup.run(dying())
"""
    )
    assert run(dying, tmp_path).returncode == -signal.SIGKILL
    assert names(tmp_path) == ["box.weave"]
    assert "dying" in Weave(tmp_path / "box.weave").coroutines
    assert run(START + "groundup.run(asyncio.sleep(0))", tmp_path).stderr == ""
    assert names(tmp_path) == ["box-1.weave"]
    assert "dying" in Weave(tmp_path / "box-1.weave").coroutines


def test_an_exception_that_ends_the_program_is_kept(tmp_path):
    program = (
        START
        + """
async def main():
    await asyncio.sleep(0)
    raise ValueError("the end")
groundup.run(main())
"""
    )
    result = run(program, tmp_path)
    assert (result.returncode, names(tmp_path)) == (1, ["box-1.weave"])
    assert result.stderr.endswith("ValueError: the end\n")
    assert reasons(Weave(tmp_path / "box-1.weave")) == ["black box: ValueError: the end"]


def test_an_exception_that_ends_a_thread_is_kept(tmp_path):
    program = (
        START
        + """
import threading
async def work():
    await asyncio.sleep(0)
    raise ValueError("of a thread")
thread = threading.Thread(target=lambda: groundup.run(work()))
thread.start()
thread.join()
"""
    )
    result = run(program, tmp_path)
    assert (result.returncode, names(tmp_path)) == (0, ["box-1.weave"])
    assert "ValueError: of a thread" in result.stderr
    assert reasons(Weave(tmp_path / "box-1.weave")) == ["black box: ValueError: of a thread"]


def test_a_forked_process_has_a_box_of_its_own(tmp_path):
    program = (
        START
        + """
async def child():
    await asyncio.sleep(0)
    time.sleep(0.05)
async def parent():
    await asyncio.sleep(0)
process = os.fork()
if process:
    groundup.run(parent())
    os.waitpid(process, 0)
    print(process)
else:
    groundup.run(child())
"""
    )
    result = run(program, tmp_path, "-W", "ignore")
    process = int(result.stdout)
    assert (result.stderr, names(tmp_path)) == ("", [f"box-p{process}-1.weave"])
    assert "child" in Weave(tmp_path / f"box-p{process}-1.weave").coroutines


def test_the_example_keeps_what_came_before_the_late_step(tmp_path):
    result = subprocess.run(
        [sys.executable, EXAMPLES / "keep_black_box.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("see: groundup view service-1.weave\n", "")
    assert names(tmp_path) == ["service-1.weave"]
    weave = Weave(tmp_path / "service-1.weave")
    [(who, lines)] = weave.stacks
    assert (who, lines[-1].startswith("sum_up (")) == ("serve", True)
    assert weave.numbers("waits.began")[100:]
