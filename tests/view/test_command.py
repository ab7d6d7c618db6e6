"""`groundup view`: what it writes, prints and opens, and what it says of what it cannot read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.__main__ import main

from .recordings import Recording, story


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "run.weave"
    path.write_bytes(story().to_bytes())
    return path


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it is to open; the file comes into being with it."""
    opened, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{program} %s")
    return opened


def test_the_page_stands_beside_the_recording_and_is_opened(recording, browser, capsys):
    assert main(["view", str(recording)]) == 0
    page = recording.with_name("run.weave.html")
    assert capsys.readouterr().out == f"{page}\n"
    assert browser.read_text() == page.as_uri()
    assert page.read_bytes().startswith(b"<!doctype html>")


def test_the_page_is_written_where_it_is_asked_for_and_not_opened(recording, browser, capsys):
    page = recording.with_name("picture.html")
    assert main(["view", "--no-open", "-o", str(page), str(recording)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    assert page.exists()
    assert not browser.exists()


def test_the_text_is_as_wide_as_the_terminal(recording, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    assert main(["view", "--text", str(recording)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("app.py: 852 ms, 4 tasks")
    assert max(map(len, lines)) == 90


def test_the_json_is_printed_or_written(recording, capsys):
    assert main(["view", "--json", str(recording)]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["process"] == 4242
    document = recording.with_suffix(".json")
    assert main(["view", "--json", "-o", str(document), str(recording)]) == 0
    assert capsys.readouterr().out == ""
    assert document.read_text() == printed


def test_the_trace_is_written(recording, capsys):
    trace = recording.with_suffix(".trace.json")
    assert main(["view", "--perfetto", str(trace), str(recording)]) == 0
    assert json.loads(trace.read_text())["traceEvents"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--text", "--json", "run.weave"], ["--perfetto", "a", "-o", "b", "run.weave"]],
)
def test_what_cannot_go_together_is_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["view", *arguments])
    assert exit_.value.code == 2
    assert "usage: groundup view" in capsys.readouterr().err


@pytest.mark.parametrize("form", [[], ["--text"], ["--json"], ["--perfetto", "out.json"]])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a recording of groundup"),
        (b"<html>", "not a recording of groundup"),
        (story().to_bytes()[:50], "a recording whose beginning is damaged or missing"),
        (story().to_bytes(version=2), "a recording of format 2; this groundup reads up to 1"),
    ],
)
def test_what_is_no_recording_gives_one_line(tmp_path, monkeypatch, capsys, form, data, reason):
    monkeypatch.chdir(tmp_path)
    Path("run.weave").write_bytes(data)
    assert main(["view", *form, "run.weave"]) == 1
    assert capsys.readouterr() == ("", f"groundup view: run.weave: {reason}\n")
    assert os.listdir() == ["run.weave"]


def test_a_recording_that_is_not_there_gives_one_line(tmp_path, capsys):
    path = tmp_path / "run.weave"
    assert main(["view", str(path)]) == 1
    assert capsys.readouterr() == ("", f"groundup view: {path}: No such file or directory\n")


@pytest.mark.parametrize("form", [["-o"], ["--json", "-o"], ["--text", "-o"], ["--perfetto"]])
def test_what_cannot_be_written_gives_one_line(recording, capsys, form):
    path = recording.with_name("missing") / "out"
    assert main(["view", *form, str(path), str(recording)]) == 1
    assert capsys.readouterr() == ("", f"groundup view: {path}: No such file or directory\n")


def test_a_recording_that_ends_early_is_shown_as_far_as_it_goes(recording, capsys):
    recording.write_bytes(recording.read_bytes()[:-500])
    assert main(["view", "--text", str(recording)]) == 0
    assert "worker" in capsys.readouterr().out


def command(*arguments: str, stdout: int = subprocess.PIPE, **environment: str):
    """Start `groundup view …` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "groundup", "view", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=dict(os.environ, **environment),
    )


@pytest.mark.parametrize("form", ["--text", "--json"])
def test_who_reads_may_have_had_enough(recording, form):
    reading, writing = os.pipe()
    os.close(reading)
    with command(form, str(recording), stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, b"")


def test_a_terminal_without_the_characters_gets_others(tmp_path):
    recording = tmp_path / "run.weave"
    recording.write_bytes(Recording().task(2, "名前").step(2, 5).to_bytes())
    with command("--text", str(recording), PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, b"")
    assert out.isascii()


def test_it_needs_no_packages(tmp_path):
    recording = tmp_path / "run.weave"
    recording.write_bytes(story().to_bytes())
    for package in ("aiohttp", "rich"):
        (tmp_path / f"{package}.py").write_text("raise ModuleNotFoundError\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    with command("--text", str(recording), PYTHONPATH=path) as process:
        _, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, b"")
