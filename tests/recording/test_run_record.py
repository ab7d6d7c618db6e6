"""Programs that are recorded as a whole: `groundup run --record`, and the environment."""

import os
import signal
import subprocess
import sys

import pytest

from .reading import Weave, names, run

APP = """\
import asyncio, os, signal, sys


async def work():
    await asyncio.sleep(0.01)
    {end}


asyncio.run(work())
"""
ENDS = {
    "end": ("pass", 0),
    "exception": ("1 / 0", 1),
    "exit": ("sys.exit(7)", 7),
    "interrupt": ("raise KeyboardInterrupt", -signal.SIGINT),
    "_exit": ("os._exit(3)", 3),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    "abort": ("os.abort()", -signal.SIGABRT),
}


def groundup(folder, *arguments, **environment):
    line = [sys.executable, "-m", "groundup", "run", *arguments]
    environment = {**os.environ, "PYTHONFAULTHANDLER": "", **environment}
    return subprocess.run(
        line, cwd=folder, capture_output=True, text=True, timeout=30, check=False, env=environment
    )


@pytest.mark.parametrize("end", ENDS)
def test_a_program_is_recorded_however_it_ends(tmp_path, end):
    act, status = ENDS[end]
    (tmp_path / "app.py").write_text(APP.format(end=act))
    result = groundup(tmp_path, "--record", "run.weave", "--megabytes", "1", "app.py")
    weave = Weave(tmp_path / "run.weave")
    assert (result.returncode, "work" in weave.coroutines) == (status, True)
    assert weave.facts["program"] == "app.py"
    assert "run.weave" not in result.stderr


@pytest.mark.parametrize("end", ENDS)
def test_the_environment_has_a_program_recorded(tmp_path, end):
    act, status = ENDS[end]
    app = APP.format(end=act).replace("asyncio.run(", "import groundup; groundup.run(")
    (tmp_path / "app.py").write_text(app)
    environment = {"GROUNDUP_RECORD": "run.weave", "GROUNDUP_MEGABYTES": "0.5"}
    result = subprocess.run(
        [sys.executable, "app.py"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=30,
        check=False,
    )
    weave = Weave(tmp_path / "run.weave")
    assert (result.returncode, "work" in weave.coroutines) == (status, True)
    assert weave.facts["program"] == "app.py"


def test_a_module_is_recorded(tmp_path):
    (tmp_path / "app.py").write_text(APP.format(end="print(sys.argv[1:])"))
    result = groundup(tmp_path, "--record=run.weave", "-m", "app", "--record", "x", "-m")
    assert result.stdout == "['--record', 'x', '-m']\n"
    assert "work" in Weave(tmp_path / "run.weave").coroutines


def test_options_behind_the_name_are_the_programs(tmp_path):
    (tmp_path / "app.py").write_text("import sys; print(sys.argv)")
    result = groundup(tmp_path, "app.py", "--record", "run.weave", "--megabytes")
    assert result.stdout == "['app.py', '--record', 'run.weave', '--megabytes']\n"
    assert names(tmp_path) == ["app.py"]


def test_a_program_without_a_loop_leaves_no_file_and_one_is_told(tmp_path):
    (tmp_path / "app.py").write_text("print('done')")
    result = groundup(tmp_path, "--record", "run.weave", "app.py")
    assert (result.returncode, result.stdout) == (0, "done\n")
    assert result.stderr == "groundup run: no groundup loop has run, so nothing was recorded\n"
    assert names(tmp_path) == ["app.py"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--record", "missing/run.weave"], "No such file or directory: '{}/missing/run.weave'"),
        (["--record", "a", "--megabytes", "0"], "megabytes must be 1/16 to 16384, got 0.0"),
        (["--record", "a", "--megabytes", "many"], "argument --megabytes: invalid float value"),
        (["--megabytes"], "argument --megabytes: invalid float value: 'app.py'"),
        (["--record", "a", "--black-box", "b"], "not allowed with argument --record"),
        (["--step-limit", "1"], "--megabytes and --step-limit need --record or --black-box"),
        (["--black-box", "a", "--step-limit", "0"], "step_limit must be 0.001 seconds or more"),
        (["--rec", "a"], "unrecognized arguments: --rec"),
        (["--record", "a"], "give a script, or -m and a module"),
    ],
)
def test_wrong_options_are_explained(tmp_path, options, message):
    (tmp_path / "app.py").write_text("print('ran')")
    program = [] if "a script" in message else ["app.py"]
    result = groundup(tmp_path, *options, *program)
    assert (result.returncode, result.stdout, names(tmp_path)) == (2, "", ["app.py"])
    assert message.format(tmp_path) in result.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"GROUNDUP_RECORD": "no/run.weave"}, "FileNotFoundError: [Errno 2] No such file"),
        ({"GROUNDUP_RECORD": "a", "GROUNDUP_MEGABYTES": "x"}, "GROUNDUP_MEGABYTES must be a num"),
        ({"GROUNDUP_RECORD": "a", "GROUNDUP_BLACK_BOX": "b"}, "set GROUNDUP_RECORD or GROUNDUP_"),
        ({"GROUNDUP_RECORD": "a", "GROUNDUP_MEGABYTES": "0"}, "megabytes must be 1/16 to 16384"),
    ],
)
def test_a_wrong_environment_is_explained(tmp_path, environment, message):
    result = run("", tmp_path, env={**os.environ, **environment})
    assert (result.returncode, message in result.stderr) == (1, True)


def test_the_command_line_comes_before_the_environment(tmp_path):
    (tmp_path / "app.py").write_text(APP.format(end="pass"))
    result = groundup(tmp_path, "--record", "b.weave", "app.py", GROUNDUP_RECORD="a.weave")
    assert (result.returncode, result.stderr) == (0, "")
    assert names(tmp_path) == ["app.py", "b.weave"]


CHILDREN = """\
import asyncio, multiprocessing
import groundup


async def child():
    await asyncio.sleep(0)


async def parent(process):
    process.start()
    await asyncio.sleep(0)
    await asyncio.to_thread(process.join)


def main():
    groundup.run(child())


if __name__ == "__main__":
    process = multiprocessing.get_context("{method}").Process(target=main)
    asyncio.run(parent(process))
    print(process.pid, process.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_have_files_of_their_own(tmp_path, method):
    (tmp_path / "app.py").write_text(CHILDREN.format(method=method))
    result = groundup(tmp_path, "--record", "run.weave", "--megabytes", "1", "app.py")
    process, status = result.stdout.split()
    assert (status, names(tmp_path)) == ("0", ["app.py", f"run-{process}.weave", "run.weave"])
    assert "parent" in Weave(tmp_path / "run.weave").coroutines
    weave = Weave(tmp_path / f"run-{process}.weave")
    assert ("child" in weave.coroutines, "parent" in weave.coroutines) == (True, False)
    assert weave.process == int(process)


@pytest.mark.parametrize("end", ENDS)
def test_a_black_box_is_kept_if_the_program_fails_or_dies(tmp_path, end):
    act, status = ENDS[end]
    (tmp_path / "app.py").write_text(APP.format(end=act))
    result = groundup(tmp_path, "--black-box", "box.weave", "--megabytes", "1", "app.py")
    box = "box.weave"
    left = {"exception": "box-1.weave", "_exit": box, "kill": box, "abort": box}.get(end)
    assert (result.returncode, names(tmp_path)) == (status, ["app.py", *filter(None, [left])])
    if left:
        assert "work" in Weave(tmp_path / left).coroutines


def test_a_black_box_hears_of_late_steps(tmp_path):
    (tmp_path / "app.py").write_text(APP.format(end="import time; time.sleep(0.1)"))
    result = groundup(tmp_path, "--black-box=box.weave", "--step-limit", "0.03", "app.py")
    assert (result.returncode, names(tmp_path)) == (0, ["app.py", "box-1.weave"])
    [(who, _)] = Weave(tmp_path / "box-1.weave").stacks
    assert who == "work"


def test_the_environment_gives_a_black_box(tmp_path):
    environment = {"GROUNDUP_BLACK_BOX": "box.weave", "GROUNDUP_STEP_LIMIT": "0.03"}
    source = """
        async def work():
            time.sleep(0.1)
        groundup.run(work())
    """
    result = run(source, tmp_path, env={**os.environ, **environment})
    assert (result.stderr, names(tmp_path)) == ("", ["box-1.weave"])


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_without_trouble_leave_no_box(tmp_path, method):
    (tmp_path / "app.py").write_text(CHILDREN.format(method=method))
    result = groundup(tmp_path, "--black-box", "box.weave", "--megabytes", "1", "app.py")
    assert (result.stdout.split()[1], names(tmp_path)) == ("0", ["app.py"])
