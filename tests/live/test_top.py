"""`groundup top` shows what is so, in a terminal again and again, and says why if it cannot."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

import groundup
from groundup.live.table import HEADS, draw_list

from . import programs


def test_a_snapshot_is_printed_where_there_is_no_terminal(start, top):
    started = start(programs.WAITING)
    code, out, err = top(started.pid)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"program1.py, process {started.pid}, Python ")
    assert re.fullmatch(rf"{started.recording}: 4 tasks, \d new, 0 ended", lines[2])
    assert re.search(
        r"steps/s, running \d+ %, asleep \d+ %, \d+ ready, lag [\d.]+ [mµn]?s, at most", lines[3]
    )
    assert re.split("  +", lines[6]) == list(HEADS)
    [consumer] = [line for line in lines if line.startswith("consumer")]
    assert re.search(
        r"consume +waiting +[\d.]+ m?s +[\d.]+ +[\d.]+ % +queue 1 +consume \(program1", consumer
    )
    assert "consume (program1.py:14) > inner (program1.py:10) > Queue.get (" in consumer


def test_names_cannot_obey_to_the_terminal(start, top):
    out = top(start(programs.WAITING).pid, "--once").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "wants�[31m� " in out


def test_who_has_read_enough_may_leave(start):
    started = start(programs.WAITING)
    line = f"{sys.executable} -m groundup top {started.pid} | true"
    ran = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30, check=True)
    assert ran.stderr == ""


def test_json_has_all_that_is_seen(start, top):
    started = start(programs.WAITING)
    shown = json.loads(top(started.pid, "--json").out)
    assert shown["process"] == started.pid
    assert shown["facts"]["groundup"] == groundup.__version__
    [loop] = shown["loops"]
    assert loop["path"] == os.fspath(started.recording)
    assert {task["name"] for task in loop["tasks"]} >= {"consumer", "ticker"}


def test_programs_that_can_be_looked_at_are_listed(start, top):
    first, second = start(programs.WAITING), start(programs.BUSY)
    lines = top().out.splitlines()
    assert lines[0].split() == ["PROCESS", "PROGRAM", "LOOPS", "RECORDED", "IN"]
    rows = [line.split() for line in lines[1:]]
    assert [str(first.pid), "program1.py", "1", str(first.recording)] in rows
    assert [str(second.pid), "program2.py", "1", str(second.recording)] in rows
    listed = json.loads(top("--json").out)
    # Others may run meanwhile, in the folders that are looked into beside this test's.
    assert {it["process"] for it in listed} >= {first.pid, second.pid}


def test_if_there_are_none_it_says_so():
    assert list(draw_list([], 80)) == ["No program of yours is being recorded."]


def test_what_cannot_be_looked_at_has_a_reason(top):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        code, out, err = top(other.pid)
    assert (code, out) == (1, "")
    assert err.startswith(f"groundup top: process {other.pid} cannot be looked at")
    assert "GROUNDUP_RECORD" in err
    assert top(other.pid) == (1, "", f"groundup top: there is no process {other.pid}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_process_of_somebody_else_is_said_to_be(top):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, user=65534) as other:
        err = top(other.pid).err
    expected = rf"groundup top: process {other.pid} is not yours; look at it as its user, \S+\n"
    assert re.fullmatch(expected, err)


@pytest.mark.parametrize("arguments", [["x"], ["0"], ["1", "--every", "0"], ["1", "--sort", "x"]])
def test_wrong_usage_is_said(top, arguments):
    code, out, err = top(*arguments)
    assert (code, out) == (2, "")
    assert "usage: groundup top" in err


class Terminal:
    """`groundup top` on a terminal of its own."""

    def __init__(self, *arguments):
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (24, 80))
        self.before = termios.tcgetattr(self.slave)
        line = [sys.executable, "-m", "groundup", "top", *map(str, arguments)]
        ends = {"stdin": self.slave, "stdout": self.slave, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(line, **ends)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        os.close(self.master)
        os.close(self.slave)

    def wait_for(self, pattern, since=0):
        """Read until the pattern is shown after a place; return where what was read ends."""
        end = time.monotonic() + 20
        while not re.search(pattern, self.shown[since:], re.DOTALL):
            assert time.monotonic() < end, self.shown[since:]
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 1 << 16).decode(errors="replace")
        return len(self.shown)

    def press(self, key):
        os.write(self.master, key.encode())


def test_in_a_terminal_it_is_drawn_again_and_again_until_q(start):
    started = start(programs.WAITING)
    with Terminal(started.pid, "--every", "0.2") as terminal:
        first = terminal.wait_for(r"\x1b\[\?1049h.*consumer.*\x1b\[J")
        terminal.wait_for(r"\x1b\[H.*consumer.*\x1b\[J", first)
        terminal.press("q")
        terminal.wait_for(r"\x1b\[\?1049l")
        assert terminal.process.wait(20) == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before
    lines = re.split(r"\r\n|\x1b\[H", terminal.shown)
    assert max(len(re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", line)) for line in lines) < 80


def test_keys_change_the_order(start):
    started = start(programs.WAITING)
    with Terminal(started.pid, "--every", "0.2") as terminal:
        by_time = terminal.wait_for(r"NAME [^\n]*\n(ticker|_set_result)")
        terminal.press("w")
        # Who works waits shortest.
        terminal.wait_for(r"NAME [^\n]*\n(Task-1|consumer|wants).*ticker", by_time)
        terminal.press("q")
        assert terminal.process.wait(20) == 0


def test_ctrl_c_leaves_the_terminal_as_it_was(start):
    started = start(programs.WAITING)
    with Terminal(started.pid) as terminal:
        terminal.wait_for("consumer")
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for(r"\x1b\[\?1049l")
        assert terminal.process.wait(20) == 130
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_it_gives_the_terminal_back_when_it_is_ended(start):
    started = start(programs.WAITING)
    with Terminal(started.pid) as terminal:
        terminal.wait_for("consumer")
        terminal.process.terminate()
        terminal.wait_for(r"\x1b\[\?1049l")
        assert terminal.process.wait(20) == 128 + 15
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_it_gives_the_terminal_back_while_it_is_stopped(start):
    started = start(programs.WAITING)
    with Terminal(started.pid) as terminal:
        terminal.wait_for("consumer")
        terminal.process.send_signal(signal.SIGTSTP)
        left = terminal.wait_for(r"\x1b\[\?1049l")
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert termios.tcgetattr(terminal.slave) == terminal.before
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for(r"\x1b\[\?1049h.*consumer", left)


def test_the_end_of_the_program_is_said_below(start):
    started = start(programs.WAITING)
    with Terminal(started.pid, "--every", "0.2") as terminal:
        terminal.wait_for("consumer")
        started.kill()
        assert terminal.process.wait(20) == 1
        error = terminal.process.stderr.read().decode()
    assert error == f"groundup top: there is no process {started.pid}\n"
