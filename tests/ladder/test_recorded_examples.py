"""Recordings of the ladder's programs tell what these did, step by step."""

import re

import pytest
from tests.recording.stories import Story

from groundup.view import weave

STORIES = {
    "run_generator": [
        "square runs, by nobody",
        "square runs, by square",
        "square has returned",
    ],
    "run_async": [
        "sum_of_squares runs, by nobody",
        "sum_of_squares runs, by sum_of_squares",
        "sum_of_squares runs, by sum_of_squares",
        "sum_of_squares has returned",
    ],
    "display_in_turn": [
        "display_both runs, by nobody",
        *["display_both runs, by display_both"] * 6,
        "display_both has returned",
    ],
}


@pytest.fixture
def tell(run_example, tmp_path, monkeypatch):
    """Run an example that is recorded, and tell its story."""
    path = tmp_path / "run.weave"
    monkeypatch.setenv("GROUNDUP_RECORD", str(path))

    def tell(name, *arguments):
        assert run_example(name, *arguments).returncode == 0
        return Story(weave.load(path)).lines

    return tell


@pytest.mark.parametrize("name", STORIES)
def test_each_yield_ends_a_step(tell, name):
    assert tell(name) == STORIES[name]


@pytest.mark.parametrize("style", ["generator", "async"])
def test_a_download_waits_for_its_socket_and_gets_every_byte(tell, style, server, body):
    story = tell(f"wget_{style}", f"{server}/folder/file?query=1")
    assert story[0] == "wget runs, by nobody"
    assert story[-1] == "wget has returned"
    assert story.index("descriptor a opens: tcp 127.0.0.1") < story.index("descriptor a closes")
    gave = [re.fullmatch(r"descriptor a gave (\d+) bytes", line) for line in story]
    # The head of the answer comes before the body.
    assert len(body) < sum(int(match[1]) for match in gave if match) < len(body) + 500
    assert story.count("wget runs, by descriptor a") >= 2
