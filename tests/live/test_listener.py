"""A recorded program listens on a socket that is its user's alone, and does nothing else for it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import groundup
from groundup.live import program, sockets

from . import programs

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def nothing():
    pass


def test_a_program_listens_while_it_is_recorded(folder, tmp_path):
    recording = groundup.record(tmp_path / "run.weave")
    with recording:
        assert recording.socket is None
        groundup.run(nothing())
        assert recording.socket == folder / f"{os.getpid()}.sock"
        assert program.ask(os.getpid()).process == os.getpid()
    assert recording.socket is None
    assert list(folder.iterdir()) == []
    groundup.run(nothing())
    assert list(folder.iterdir()) == []


def test_it_listens_again_when_it_is_recorded_again(folder, tmp_path):
    for _ in range(3):
        with groundup.record(tmp_path / "run.weave"):
            groundup.run(nothing())
            assert program.ask(os.getpid()).process == os.getpid()
    with pytest.raises(program.Unreachable):
        program.ask(os.getpid())


def test_a_program_with_a_black_box_can_be_looked_at(folder, tmp_path):
    async def look():
        [loop] = program.Program(os.getpid()).look("time", 10)
        return [task["state"] for task in loop["tasks"]]

    with groundup.black_box(tmp_path / "box.weave"):
        assert groundup.run(look()) == ["running"]
    assert list(folder.iterdir()) == []


def test_only_the_user_may_open_the_socket(start, folder):
    started = start(programs.WAITING)
    assert (mode(folder), mode(folder / f"{started.pid}.sock")) == (0o700, 0o600)


CONNECT = """\
import os, socket, sys
os.setgid(65534)
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(10)
    try:
        connection.connect(sys.argv[1])
        print(connection.recv(100))
    except PermissionError:
        print("refused")
"""


def connect_as_nobody(path):
    line = [sys.executable, "-c", CONNECT, os.fspath(path)]
    return subprocess.run(line, capture_output=True, text=True, timeout=30, check=True).stdout


@only_root
def test_another_user_cannot_connect(start, folder):
    started = start(programs.WAITING)
    assert connect_as_nobody(folder / f"{started.pid}.sock") == "refused\n"


@only_root
def test_another_user_who_can_connect_is_told_nothing(start, folder):
    path = folder / f"{start(programs.WAITING).pid}.sock"
    for opened in (path, folder, folder.parent):
        opened.chmod(0o777)
    assert connect_as_nobody(path) == "b''\n"


def test_a_folder_that_others_may_enter_is_not_used(start, folder):
    folder.mkdir()
    folder.chmod(0o755)
    start(programs.WAITING)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_link_is_not_used(start, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    start(programs.WAITING)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("place", ["missing/groundup", "x" * 200])
def test_a_program_without_a_place_for_a_socket_runs_all_the_same(
    place, monkeypatch, tmp_path, recwarn
):
    monkeypatch.setattr(sockets, "folders", lambda: [tmp_path / place])
    recording = groundup.record(tmp_path / "run.weave")
    with recording:
        groundup.run(nothing())
        assert recording.socket is None
    assert len(recwarn) == 0


def test_the_next_folder_is_taken_if_the_first_cannot_be_had(monkeypatch, tmp_path, folder):
    monkeypatch.setattr(sockets, "folders", lambda: [tmp_path / "missing" / "groundup", folder])
    with groundup.record(tmp_path / "run.weave") as recording:
        groundup.run(nothing())
        assert recording.socket == folder / f"{os.getpid()}.sock"


def test_no_folder_is_made_but_the_one_that_is_used(monkeypatch, tmp_path, folder):
    monkeypatch.setattr(sockets, "folders", lambda: [folder, tmp_path / "spare"])
    with groundup.record(tmp_path / "run.weave"):
        groundup.run(nothing())
    assert folder.exists()
    assert not (tmp_path / "spare").exists()


def test_files_are_handed_out_for_reading_only(start):
    started = start(programs.WAITING)
    answer = program.ask(started.pid)
    assert answer.files == [os.fspath(started.recording)]
    [descriptor] = answer.descriptors
    assert os.path.sameopenfile(descriptor, os.open(started.recording, os.O_RDONLY))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(descriptor, b"x")
    answer.close()


def test_a_program_ends_as_it_would_and_takes_its_socket_along(start, folder):
    started = start(programs.ENDING)
    assert (folder / f"{started.pid}.sock").is_socket()
    started.go_on()
    # Its threads are counted as they would be.
    assert started.says() == "1 1"
    assert started.process.wait(20) == 0
    assert list(folder.iterdir()) == []


def test_the_listening_thread_takes_no_signals(start):
    started = start(programs.WAITING)
    blocked = []
    for thread in Path(f"/proc/{started.pid}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        blocked += [int(line.split()[1], 16) for line in lines if line.startswith("SigBlk")]
    # Two signals cannot be blocked, and two more belong to the system's library.
    assert max(mask.bit_count() for mask in blocked) >= 60


def test_a_copy_of_the_process_leaves_the_socket_to_it(start):
    started = start(programs.FORKING)
    started.go_on()
    assert started.says() == "True False"
    assert started.says() == "forked"
    answer = program.ask(started.pid)
    answer.close()
    assert answer.process == started.pid


def test_a_copy_of_the_process_that_runs_a_loop_can_be_looked_at_by_itself(start):
    started = start(programs.FORKED_LOOP)
    copy = int(started.says())
    try:
        [loop] = program.Program(copy).look("time", 10)
        assert [task["coroutine"] for task in loop["tasks"]] == ["wait"]
        assert loop["path"] == os.fspath(started.recording.with_stem(f"program1-{copy}"))
        assert program.Program(started.pid).look("time", 10) == []
    finally:
        os.kill(copy, signal.SIGKILL)


def test_the_socket_of_a_process_that_was_killed_is_removed(start, folder):
    started = start(programs.WAITING)
    started.kill()
    assert (folder / f"{started.pid}.sock").is_socket()
    # Others may run, in the folders that are looked into beside this one.
    assert started.pid not in [answer.process for answer in program.programs()]
    assert list(folder.iterdir()) == []


def test_who_does_not_read_delays_others_for_a_moment_only(start, folder):
    started = start(programs.WAITING)
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(os.fspath(folder / f"{started.pid}.sock"))
        began = time.monotonic()
        program.ask(started.pid, 10).close()
        assert time.monotonic() - began < 5
