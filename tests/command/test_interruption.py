"""Whatever ends a download early, no file looks whole, and the next command goes on from there."""

import os
import resource
import signal
import time

import pytest

from .conftest import files, finish
from .origin import held, ranged, whole

SENT = 200_000


@pytest.fixture
def under_way(command, origin, folder, body, gate):
    """A command that has one file, and part of another that does not go on."""
    origin.routes = {"/a": held(body, SENT, gate, ETag='"1"'), "/b": whole(b"b")}
    process = command("wget", "-o", str(folder), origin.url("/a"), origin.url("/b"))
    wait_for(lambda: has_part(folder, SENT) and (folder / "b").exists())
    yield process
    process.kill()
    process.communicate()


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def has_part(folder, size):
    return any(path.stat().st_size >= size for path in folder.glob(".a.*.part"))


def goes_on(wget, origin, folder, body):
    """The same command, later, needs only what is missing."""
    origin.routes = {"/a": ranged(body), "/b": whole(b"b")}
    origin.requests.clear()
    result = wget("-c", origin.url("/a"), origin.url("/b"))
    assert result.code == 0, result
    assert [(request.path, request.headers["Range"]) for request in origin.requests] == [
        ("/a", f"bytes={SENT}-")
    ]
    assert files(folder) == {"a": body, "b": b"b"}


def test_ctrl_c_ends_promptly_with_a_summary(under_way, wget, origin, folder, body):
    began = time.monotonic()
    under_way.send_signal(signal.SIGINT)
    result = finish(under_way)
    assert time.monotonic() - began < 5
    assert result.code == 130
    assert "1 saved" in result.out
    assert "interrupted: 1 of 2 not finished" in result.err
    assert "Traceback" not in result.err
    assert not (folder / "a").exists()
    goes_on(wget, origin, folder, body)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_command_leaves_no_file_that_looks_whole(
    under_way, wget, origin, folder, body, number
):
    under_way.send_signal(number)
    assert finish(under_way).code == -number
    assert not (folder / "a").exists()
    goes_on(wget, origin, folder, body)


def test_ctrl_c_while_waiting_to_try_again(command, origin, folder):
    origin.default = lambda handler: handler.respond(503, Retry_After="100")
    process = command("wget", "-o", str(folder), origin.url("/a"))
    wait_for(lambda: origin.requests)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert finish(process).code == 130
    assert time.monotonic() - began < 5
    assert files(folder) == {}


def test_two_commands_do_not_write_one_partial_file(under_way, wget, origin, folder, body, gate):
    result = wget(origin.url("/a"))
    assert result.code == 1
    assert "disk: another process is downloading it to this folder" in result.err
    gate.set()
    assert finish(under_way).code == 0
    assert files(folder) == {"a": body, "b": b"b"}


def limit_file_size(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_disk_that_takes_no_more(command, wget, origin, folder, body):
    origin.routes = {"/a": whole(body, ETag='"1"'), "/b": whole(b"b")}
    urls = [origin.url("/a"), origin.url("/b")]
    process = command("wget", "-o", str(folder), *urls, preexec_fn=limit_file_size(SENT))
    result = finish(process)
    assert result.code == 1
    assert result.err == f"failed {urls[0]}: disk: File too large\n"
    assert len(origin.requests) == 2, "a full disk is no reason to download again"
    assert not (folder / "a").exists()
    assert (folder / "b").read_bytes() == b"b"
    goes_on(wget, origin, folder, body)


def test_a_folder_that_cannot_be_made(wget, folder):
    folder.write_bytes(b"a file")
    result = wget("http://127.0.0.1/a")
    assert result.code == 2
    assert result.err == f"groundup wget: {folder}: File exists\n"


def test_a_path_that_is_too_long_for_the_file_system(wget, origin, folder):
    origin.default = lambda handler: handler.respond(200, b"x")
    deep = origin.url("/" + "d/" * 2500 + "a")
    result = wget("-x", deep, origin.url("/b"))
    assert result.code == 1
    assert "disk: File name too long" in result.err
    assert files(folder) == {"b": b"x"}


def test_nobody_reads_the_news(command, origin, folder):
    origin.default = lambda handler: handler.respond(200, b"x")
    read, write = os.pipe()
    os.close(read)
    urls = [origin.url(f"/{number}") for number in range(20)]
    process = command("wget", "-o", str(folder), *urls, stdout=write)
    os.close(write)
    result = finish(process)
    assert (result.code, result.err) == (0, "")
    assert len(files(folder)) == 20


def test_a_large_body_is_not_held_in_memory(command, origin, folder):
    size, block = 100_000_000, bytes(1_000_000)

    def large(handler) -> None:
        handler.begin(200, size)
        for _ in range(size // len(block)):
            handler.wfile.write(block)

    origin.routes = {"/large": large, "/small": whole(b"x")}
    peaks = {}
    for name in ("small", "large"):
        process = command("wget", "-o", str(folder), origin.url(f"/{name}"))
        with process.stdout, process.stderr:
            _, exit_status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(exit_status)
        assert process.returncode == 0
        peaks[name] = usage.ru_maxrss * 1024
    assert (folder / "large").stat().st_size == size
    assert peaks["large"] - peaks["small"] < 20_000_000
