"""`groundup.record`: which loops are recorded, into which files, and what goes wrong."""

import asyncio
import errno
import os
import signal
import threading
import warnings

import pytest

import groundup

from .reading import Weave, names, run


async def nap():
    await asyncio.sleep(0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.weave"


def test_a_loop_is_recorded_that_runs_meanwhile(path):
    with groundup.record(path) as recording:
        groundup.run(nap())
    assert recording.paths == [path]
    weave = Weave(path)
    assert ("nap" in weave.coroutines, weave.process, weave.lost) == (True, os.getpid(), 0)
    assert set(weave.facts) == {"program", "python", "groundup"}


def test_a_loop_that_runs_already_is_recorded_from_there_on(path):
    async def later():
        await asyncio.sleep(0)

    async def main():
        waiting = asyncio.create_task(nap())
        with groundup.record(path):
            await asyncio.create_task(later())
        await waiting

    groundup.run(main())
    weave = Weave(path)
    assert weave.coroutines == ["later", "main", "nap"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_recording_is_as_long_as_what_is_in_it(path):
    with groundup.record(path, megabytes=4):
        groundup.run(nap())
    assert 500 < path.stat().st_size < 20_000


def test_a_full_recording_keeps_its_size_and_the_newest(path):
    async def turns():
        for _ in range(2000):
            await asyncio.sleep(0)
        recording.mark("the end")

    with groundup.record(path, megabytes=1 / 16) as recording:
        groundup.run(turns())
    weave = Weave(path)
    assert (path.stat().st_size <= 65536, weave.lost > 1000) == (True, True)
    assert (weave.marks, "turns" in weave.coroutines) == (["the end"], True)


def test_each_loop_has_a_file(path, tmp_path):
    with groundup.record(path) as recording:
        groundup.run(nap())
        groundup.run(asyncio.sleep(0))
    assert recording.paths == [path, tmp_path / "run-2.weave"]
    assert ["nap" in Weave(file).coroutines for file in recording.paths] == [True, False]


def test_a_loop_that_runs_often_has_one_file(path, tmp_path):
    async def again():
        await asyncio.sleep(0)

    loop = groundup.new_event_loop()
    with groundup.record(path):
        loop.run_until_complete(nap())
        loop.run_until_complete(again())
        loop.close()
    assert names(tmp_path) == ["run.weave"]
    assert {"nap", "again"} <= set(Weave(path).coroutines)


def test_loops_of_threads_are_recorded_apart(path, tmp_path):
    together = threading.Barrier(4)

    async def work():
        together.wait()
        await asyncio.sleep(0.01)

    with groundup.record(path, megabytes=1) as recording:
        threads = [threading.Thread(target=lambda: groundup.run(work())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert names(tmp_path) == ["run-2.weave", "run-3.weave", "run-4.weave", "run.weave"]
    assert all("work" in Weave(file).coroutines for file in recording.paths)


def test_a_recording_may_end_while_a_loop_of_another_thread_runs(path):
    began, ended = threading.Event(), threading.Event()

    async def spin():
        while not ended.is_set():
            began.set()
            await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: groundup.run(spin()))
    with groundup.record(path, megabytes=1):
        thread.start()
        began.wait()
    whole = path.read_bytes()
    ended.set()
    thread.join()
    assert path.read_bytes() == whole
    assert "spin" in Weave(path).coroutines


def test_loops_of_asyncio_are_left_alone(path, tmp_path):
    loop = asyncio.SelectorEventLoop()
    with groundup.record(path) as recording:
        loop.run_until_complete(nap())
        recording.mark("nobody hears it")
    loop.close()
    assert (recording.paths, names(tmp_path)) == ([], [])


def test_a_file_that_is_there_is_replaced(path):
    path.write_bytes(b"old" * 10_000)
    with groundup.record(path), path.open("rb") as old:
        path.unlink()
        assert old.read(3) != b"old"
        groundup.run(nap())
    assert "nap" in Weave(path).coroutines


def test_a_name_may_have_the_number_of_the_process(tmp_path):
    with groundup.record(tmp_path / "run-%p.weave"):
        groundup.run(nap())
    assert names(tmp_path) == [f"run-{os.getpid()}.weave"]


def test_the_folder_is_that_where_it_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with groundup.record("run.weave") as recording:
        os.chdir("elsewhere")
        groundup.run(nap())
    assert recording.paths == [tmp_path / "run.weave"]


def test_marks_stand_in_the_recording_of_the_loop_that_runs(path, tmp_path):
    async def mark(text):
        recording.mark(text)

    with groundup.record(path) as recording:
        groundup.run(mark("one"))
        recording.mark("none runs")
        groundup.run(mark("two"))
    groundup.run(mark("too late"))
    assert [Weave(file).marks for file in recording.paths] == [["one"], ["two"]]


def test_one_recording_goes_on_at_a_time(path, tmp_path):
    with groundup.record(path):
        other = groundup.record(tmp_path / "other.weave")
        with pytest.raises(RuntimeError, match=r"already recording to .*run\.weave"):
            other.start()
        groundup.run(nap())
    assert names(tmp_path) == ["run.weave"]
    with other:
        groundup.run(nap())
    assert names(tmp_path) == ["other.weave", "run.weave"]


def test_a_recording_is_started_once(path):
    recording = groundup.record(path)
    recording.stop()
    with recording:
        groundup.run(nap())
    recording.stop()
    with pytest.raises(RuntimeError, match="once"):
        recording.start()


@pytest.mark.parametrize("megabytes", [0, -1, 1 / 17, 16385, float("nan"), float("inf")])
def test_a_size_out_of_range_is_named(path, megabytes):
    with pytest.raises(ValueError, match=rf"megabytes must be .*, got {megabytes!r}"):
        groundup.record(path, megabytes=megabytes)


@pytest.mark.parametrize("arguments", [{"path": None}, {"path": "x", "megabytes": "64"}])
def test_arguments_of_another_type_are_refused(arguments):
    with pytest.raises(TypeError):
        groundup.record(**arguments)


@pytest.mark.parametrize(
    ("name", "number"),
    [("missing/run.weave", errno.ENOENT), ("folder", errno.EEXIST), ("file/x", errno.ENOTDIR)],
)
def test_a_file_that_cannot_be_made_is_named_at_the_start(tmp_path, name, number):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught:
        groundup.record(tmp_path / name).start()
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / name))
    with groundup.record(tmp_path / "run.weave"):
        groundup.run(nap())


def test_a_device_is_not_taken_for_a_file_to_replace(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError):
        groundup.record(tmp_path / "pipe").start()
    assert names(tmp_path) == ["pipe"]


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    tmp_path.chmod(0o555)
    program = """
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        try:
            groundup.record("run.weave").start()
        except PermissionError as error:
            print(os.path.basename(error.filename))
    """
    tmp_path.chmod(0o755)
    (tmp_path / "shut").mkdir(mode=0o555)
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    program = program.replace('"run.weave"', '"shut/run.weave"')
    assert run(program, tmp_path).stdout == "run.weave\n"


def test_a_disk_without_room_is_said_at_the_start(tmp_path):
    program = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            groundup.record("run.weave", megabytes=2).start()
        except OSError as error:
            print(error)
        with groundup.record("run.weave", megabytes=1 / 2):
            groundup.run(asyncio.sleep(0))
        print(os.listdir())
    """
    result = run(program, tmp_path)
    said, files = result.stdout.splitlines()
    assert said == f"[Errno 27] File too large: '{tmp_path}/run.weave'"
    assert ("run.weave" in files, result.stderr) == (True, "")


def test_a_later_loop_without_room_for_its_file_runs_unrecorded(path, tmp_path):
    (tmp_path / "run-2.weave").mkdir()
    with groundup.record(path) as recording, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        groundup.run(nap())
        assert groundup.run(asyncio.sleep(0, "ran")) == "ran"
    assert [(it.category, "run-2.weave" in str(it.message)) for it in caught] == [
        (RuntimeWarning, True)
    ]
    assert recording.paths == [path]


def test_a_process_that_is_killed_leaves_its_recording(tmp_path):
    program = """
        async def work():
            await asyncio.sleep(0.01)
            os.kill(os.getpid(), 9)

        with groundup.record("run.weave", megabytes=1):
            groundup.run(work())
    """
    result = run(program, tmp_path)
    assert result.returncode == -signal.SIGKILL
    assert {"work"} == set(Weave(tmp_path / "run.weave").coroutines)


def test_a_recording_that_is_not_stopped_ends_with_the_program(tmp_path):
    program = """
        async def work():
            await asyncio.sleep(0.01)

        loop = groundup.new_event_loop()
        groundup.record("run.weave", megabytes=1).start()
        loop.run_until_complete(work())
        loop.close()
        groundup.new_event_loop().run_until_complete(work())
    """
    assert run(program, tmp_path, "-W", "ignore").stderr == ""
    for name in ["run.weave", "run-2.weave"]:
        assert (tmp_path / name).stat().st_size < 20_000
        assert Weave(tmp_path / name).coroutines == ["work"]


def test_a_forked_process_writes_a_file_of_its_own(tmp_path):
    program = """
        async def parent():
            await asyncio.sleep(0)

        async def child():
            await asyncio.sleep(0)

        async def fork():
            await asyncio.create_task(parent())
            process = os.fork()
            if process == 0:
                # Goes on in the middle of a step that the parent records.
                return 0
            os.waitpid(process, 0)
            await asyncio.create_task(parent())
            return process

        with groundup.record("run.weave", megabytes=1):
            process = groundup.run(fork())
            if process == 0:
                groundup.run(child())
            else:
                print(process)
    """
    process = run(program, tmp_path, "-W", "ignore").stdout.strip()
    # The child's first loop is the end of the parent's, as it was when it forked.
    theirs = [f"run-{process}-2.weave", f"run-{process}.weave"]
    assert names(tmp_path) == [*theirs, "run.weave"]
    ours, theirs = Weave(tmp_path / "run.weave"), Weave(tmp_path / theirs[0])
    assert (ours.lost, ours.coroutines[:2], "child" in ours.coroutines) == (
        0,
        ["fork", "parent"],
        False,
    )
    assert (theirs.process, "child" in theirs.coroutines) == (int(process), True)
