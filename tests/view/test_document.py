"""The document in JSON says all that the weave says, in words where there are words."""

import io
import json

import pytest

from groundup.view import document, weave

from .recordings import Recording, story


def written(recording: Recording) -> dict:
    file = io.StringIO()
    document.write(weave.from_bytes(recording.to_bytes()), file)

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    return json.loads(file.getvalue(), parse_constant=refuse)


def test_it_has_a_table_for_each_of_the_weave():
    told = written(story())
    woven = weave.from_bytes(story().to_bytes())
    tables = {name.split(".")[0] for name in woven.columns}
    assert told.keys() == tables | {"format", "process", "wall", "ended", "lost", "facts"}
    for table in tables:
        assert len(told[table]) == woven.length(table)


def test_texts_words_and_flags_stand_for_themselves():
    told = written(story())
    assert told["lanes"][1]["name"] == "worker"
    assert told["lanes"][1]["kind"] == "task"
    assert told["lanes"][2]["ended"] is None
    assert told["steps"][1]["causeKind"] == "step"
    assert told["waits"][0]["what"] == "tasks"
    assert told["waits"][0]["over"] is True
    assert [it["came"] for it in told["transfers"]] == [True, False]
    assert told["cancels"] == [{"lane": 3, "time": 850_043_000, "step": 4}]


def test_numbers_are_whole():
    steps = written(story())["steps"]
    assert steps[0] == {
        "lane": 0,
        "began": 1_000,
        "took": 10_000,
        "woken": 0,
        "causeKind": "unknown",
        "cause": 0,
    }


def test_it_does_nothing_to_a_terminal():
    file = io.StringIO()
    recording = Recording().task(2, "\x1b]0;evil\x07\u202e")
    document.write(weave.from_bytes(recording.to_bytes()), file)
    assert file.getvalue().replace("\n", "").isprintable()
    assert json.loads(file.getvalue())["lanes"][0]["name"] == "\x1b]0;evil\x07\u202e"
