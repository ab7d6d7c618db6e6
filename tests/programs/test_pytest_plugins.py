"""pytest runs whose async tests are on the loop, by pytest-asyncio's hook and anyio's fixture."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .readme import example

PYTEST_ASYNCIO = """
import asyncio

import groundup
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def line():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()
        await writer.wait_closed()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared():
    return asyncio.get_running_loop()


@pytest.mark.asyncio
async def test_the_loop():
    assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)


@pytest.mark.asyncio
async def test_a_fixture(line):
    reader, writer = line
    writer.write(b"hello\\n")
    assert await reader.readline() == b"HELLO\\n"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("number", range(3))
async def test_a_shared_loop(shared, number):
    assert isinstance(shared, groundup.EventLoop)
    assert shared is asyncio.get_running_loop()


@pytest.mark.asyncio
async def test_that_fails():
    await asyncio.sleep(0.001)
    assert isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop)
"""

ANYIO = """
import asyncio

import anyio
import groundup
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": groundup.new_event_loop}


@pytest.fixture
async def pair():
    send, receive = anyio.create_memory_object_stream(1)
    async with send, receive:
        yield send, receive


@pytest.mark.parametrize("number", range(4))
async def test_a_fixture(pair, number):
    assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)
    send, receive = pair
    await send.send(number)
    assert await receive.receive() == number


async def test_threads():
    assert await anyio.to_thread.run_sync(anyio.from_thread.run, anyio.sleep, 0.001) is None


async def test_that_fails():
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 60)
        raise AssertionError("SelectorEventLoop")
"""


SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize("options", [(), ("--asyncio-debug",)], ids=["plain", "debug"])
def test_pytest_asyncio(tmp_path, options):
    pytest.importorskip("pytest_asyncio")
    (tmp_path / "conftest.py").write_text(example("python", "# conftest.py"))
    expect_one_failure(tmp_path, PYTEST_ASYNCIO, 5, "-p", "no:anyio", *SCOPE, *options)


def test_anyio(tmp_path):
    pytest.importorskip("anyio")
    expect_one_failure(tmp_path, ANYIO, 5, "-p", "no:asyncio")


def expect_one_failure(folder, tests, passed, *options):
    """Run tests of which one fails, as it should, and the others pass without a warning."""
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=45)
    assert "SelectorEventLoop" in ran.stdout
    assert re.search(rf"= 1 failed, {passed} passed in ", ran.stdout), ran.stdout
