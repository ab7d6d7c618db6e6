"""`groundup run` treats a program as `python` does, but for the loop."""

import os
import signal
import subprocess
import sys
import zipfile

import pytest

from .conftest import finish

SHOW = """\
import sys
main = sys.modules["__main__"]
print(sys.argv, sys.path[0], __name__, __file__, __package__, __spec__ and __spec__.name)
print(type(__loader__).__name__, type(__builtins__).__name__, vars(main) is globals())
"""
PROGRAMS = {
    "show.py": SHOW,
    "package/__init__.py": "",
    "package/__main__.py": SHOW,
    "package/module.py": SHOW,
    "empty/__init__.py": "",
    "folder/__main__.py": SHOW,
    "nothing/other.py": "",
    "boom.py": "def f():\n    1 / 0\n\n\n"
    "try:\n    f()\nexcept Exception as e:\n    raise KeyError from e\n",
    "outer.py": "import boom\n",
    "syntax.py": "x = (\n",
    "code.py": "import sys; sys.exit(7)\n",
    "words.py": "import sys; sys.exit('words')\n",
    "interrupted.py": "raise KeyboardInterrupt\n",
    "hook.py": "import sys\nsys.excepthook = lambda *a: print('hook', a[0])\nraise ValueError\n",
    "end.py": "import atexit, sys, threading, time\nx = 5\n"
    "atexit.register(lambda: print('end', x, sys.modules['__main__'].x))\n"
    "threading.Thread(target=lambda: (time.sleep(0.1), print('thread', x))).start()\n",
    "spread.py": "import multiprocessing, pickle\n\n\nclass A:\n    pass\n\n\n"
    "def double(x):\n    return 2 * x\n\n\nif __name__ == '__main__':\n"
    "    print(type(pickle.loads(pickle.dumps(A()))) is A)\n"
    "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
    "        print(pool.map(double, [1, 2]))\n",
}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    for name, source in PROGRAMS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    (tmp_path / "folder" / "link.py").symlink_to("../show.py")
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.write(tmp_path / "folder" / "__main__.py", "__main__.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(*arguments):
    line = [sys.executable, *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(
    "arguments",
    [
        ["show.py", "a", "--help", "--", "-m", "--version"],
        ["./show.py", "run"],
        ["folder/link.py"],
        ["folder", "a"],
        ["folder/"],
        ["program.zip", "-x"],
        ["-m", "show", "-h"],
        ["-mshow", "--", "x"],
        ["-m", "package", "-m"],
        ["-m", "package.module"],
        ["boom.py"],
        ["outer.py"],
        ["syntax.py"],
        ["code.py"],
        ["words.py"],
        ["interrupted.py"],
        ["hook.py"],
        ["end.py"],
        ["spread.py"],
        ["missing.py"],
        ["nothing"],
        ["-m", "missing"],
        ["-m", "missing.module"],
        ["-m", "package.missing"],
        ["-m", "empty"],
        ["-m", "show.py"],
        ["-m", ""],
    ],
    ids=" ".join,
)
def test_a_program_behaves_as_under_python(arguments):
    expected = python(*arguments)
    got = python("-m", "groundup", "run", *arguments)
    assert got.stdout == expected.stdout
    assert got.stderr == expected.stderr.replace(f"{sys.executable}: ", "groundup run: ")
    assert got.returncode == expected.returncode


@pytest.mark.usefixtures("programs")
def test_safe_path_is_kept_safe():
    for arguments in (["show.py"], ["folder"]):
        assert (
            python("-P", *arguments).stdout
            == python(*("-P", "-m", "groundup", "run", *arguments)).stdout
        )


@pytest.mark.usefixtures("programs")
def test_a_module_s_traceback_has_only_its_own_frames():
    trace = python("-m", "groundup", "run", "-m", "outer").stderr
    assert "boom.py" in trace
    assert "runpy" not in trace
    assert "groundup" not in trace


def test_the_entry_point_script_runs_programs_too(programs):
    # What an installer writes for `groundup = "groundup.__main__:main"`.
    script = "import sys\nfrom groundup.__main__ import main\nsys.exit(main())\n"
    (programs / "bin").mkdir()
    (programs / "bin" / "groundup").write_text(script)
    for arguments in (["show.py", "a"], ["boom.py"], ["interrupted.py"]):
        expected, got = python(*arguments), python("bin/groundup", "run", *arguments)
        assert (got.returncode, got.stdout, got.stderr) == (
            expected.returncode,
            expected.stdout,
            expected.stderr,
        )


LOOPS = """\
import asyncio, groundup
async def main():
    return asyncio.get_running_loop()
with asyncio.Runner() as runner:
    loops = [runner.run(main())]
loops.append(asyncio.run(main()))
loops.append(asyncio.new_event_loop())
loops[-1].close()
print([isinstance(loop, groundup.EventLoop) for loop in loops])
"""


@pytest.mark.parametrize("how", [["loops.py"], ["-m", "loops"]])
def test_asyncio_uses_the_groundup_loop(programs, how):
    (programs / "loops.py").write_text(LOOPS)
    result = python("-m", "groundup", "run", *how)
    assert (result.stdout, result.stderr) == ("[True, True, True]\n", "")


def test_ctrl_c_reaches_the_program_as_under_python(programs, command):
    (programs / "sleep.py").write_text(
        "import asyncio\n\n\nasync def main():\n    try:\n"
        "        print('asleep', flush=True)\n        await asyncio.sleep(60)\n"
        "    finally:\n        print('awake', flush=True)\n\n\nasyncio.run(main())\n"
    )
    process = command("run", "sleep.py")
    assert process.stdout.readline() == "asleep\n"
    process.send_signal(signal.SIGINT)
    result = finish(process)
    assert result.code == -signal.SIGINT
    assert result.out == "awake\n"
    assert result.err.endswith("KeyboardInterrupt\n")
    assert os.path.join("command", "run.py") not in result.err


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-x"], ["--", "show.py"]])
def test_wrong_usage_exits_with_2(arguments):
    result = python("-m", "groundup", "run", *arguments)
    assert result.returncode == 2
    assert "usage: groundup " in result.stderr
