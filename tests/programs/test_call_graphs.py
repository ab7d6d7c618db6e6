"""python -m asyncio ps and pstree: another process looks at the tasks of a program on the loop."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="new in Python 3.14")

PROGRAM = """
import asyncio
import groundup


async def sleeper():
    await asyncio.sleep(3600)


async def main():
    assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)
    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper(), name="the sleeper")
        await asyncio.sleep(0.01)
        print("ready", flush=True)


groundup.run(main())
"""


@pytest.fixture
def program():
    """A program whose task sleeps, in a task group of its main task."""
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.parametrize("command", ["ps", "pstree"])
def test_another_process_sees_the_tasks(program, command):
    result = subprocess.run(
        [sys.executable, "-m", "asyncio", command, str(program.pid)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    if "Operation not permitted" in result.stderr or "Permission" in result.stderr:
        pytest.skip("this system does not let a process look into another")
    assert result.returncode == 0, result.stderr
    for name in ["the sleeper", "sleeper", "main", "TaskGroup"]:
        assert name in result.stdout
