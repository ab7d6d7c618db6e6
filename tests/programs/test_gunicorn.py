"""gunicorn on the loop: with uvicorn's worker, and with its own for ASGI."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import httpx
import pytest

from .processes import started
from .readme import example

BODY = bytes(range(256)) * 10_000
LOOP = "groundup.event_loop.EventLoop"
CONFIGURATIONS = {
    "uvicorn": example("python", "# gunicorn.conf.py"),
    "asgi": 'import groundup\n\ngroundup.install()\nworker_class = "asgi"\nasgi_loop = "asyncio"\n',
}


# What each worker says when it has begun to serve; before, it may not hear of signals.
SERVING = r"startup complete|ASGI server listening"


@contextlib.contextmanager
def gunicorn(folder: Path, configuration: str, workers: int = 1):
    """Give the process, and the URL that all its workers serve."""
    (folder / "gunicorn.conf.py").write_text(CONFIGURATIONS[configuration])
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0"]
    where = ["--chdir", str(folder), "--pythonpath", str(Path(__file__).parent)]
    where += ["--worker-tmp-dir", str(folder), "--config", str(folder / "gunicorn.conf.py")]
    arguments = [*where, "--no-control-socket", "--workers", str(workers), "app:application"]
    with started(*command, *arguments) as program:
        url = program.hear(r"Listening at: (\S+)")[1]
        for _ in range(workers):
            program.hear(SERVING)
        yield program, url


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_workers_serve_on_the_loop_and_end_in_order(tmp_path, configuration):
    with gunicorn(tmp_path, configuration, workers=2) as (program, url):
        with httpx.Client(base_url=url) as client:
            told = [client.get("/").json() for _ in range(10)]
            assert {facts["loop"] for facts in told} == {LOOP}
            assert program.pid not in {facts["pid"] for facts in told}
            assert client.post("/echo", content=BODY).content == BODY
            lines = client.get("/stream").text.split()
            assert [int(line) for line in lines] == list(range(1000))
        assert program.end(signal.SIGTERM) == 0
    assert "Traceback" not in program.said


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_a_reload_replaces_the_workers(tmp_path, configuration):
    with gunicorn(tmp_path, configuration) as (program, url):
        before = httpx.get(url).json()
        program.process.send_signal(signal.SIGHUP)
        program.hear(rf"\[{before['pid']}\].*(Worker exiting|Finished server)")
        after = httpx.get(url).json()
        assert after["pid"] != before["pid"]
        assert after["loop"] == LOOP
    assert "Traceback" not in program.said
