"""A trace has the form that is documented for viewers: the Trace Event Format."""

import io
import json

import pytest

from groundup.view import trace, weave

from .recordings import Recording, story

#: What each kind of event must have beside its kind, process and thread.
NEEDED = {
    "M": {"name", "args"},
    "X": {"name", "ts", "dur"},
    "C": {"name", "ts", "args"},
    "b": {"name", "cat", "id", "ts"},
    "e": {"name", "cat", "id", "ts"},
    "s": {"name", "cat", "id", "ts"},
    "f": {"name", "cat", "id", "ts", "bp"},
    "i": {"name", "ts", "s"},
}


def events(recording: Recording) -> list[dict]:
    file = io.StringIO()
    trace.write(weave.from_bytes(recording.to_bytes()), file)
    return json.loads(file.getvalue())["traceEvents"]


@pytest.fixture(scope="module")
def told() -> list[dict]:
    return events(story())


def of(told: list[dict], kind: str) -> list[dict]:
    return [event for event in told if event["ph"] == kind]


def test_every_event_has_what_its_kind_needs(told):
    for event in told:
        assert event.keys() >= {"pid", "tid"} | NEEDED[event["ph"]], event
        assert event.get("ts", 0) >= 0
        assert event.get("dur", 0) >= 0
    assert {event["ph"] for event in told} == NEEDED.keys()


def test_the_loop_and_every_lane_have_a_thread_with_a_name(told):
    named = {
        event["tid"]: event["args"]["name"]
        for event in of(told, "M")
        if event["name"] == "thread_name"
    }
    assert named[0] == "loop"
    assert named[1] == "Task-1 · main"
    assert {event["tid"] for event in told} == named.keys()


def test_bars_of_a_thread_lie_beside_or_within_each_other(told):
    for thread in {event["tid"] for event in told}:
        ends: list[float] = []
        bars = [it for it in of(told, "X") if it["tid"] == thread]
        for bar in sorted(bars, key=lambda it: (it["ts"], -it["dur"])):
            while ends and ends[-1] <= bar["ts"]:
                ends.pop()
            assert not ends or bar["ts"] + bar["dur"] <= ends[-1] + 1e-6
            ends.append(bar["ts"] + bar["dur"])


def test_a_flow_leads_from_within_the_waker_s_bar_to_the_woken_one_s_beginning(told):
    starts, ends = ({it["id"]: it for it in of(told, kind)} for kind in "sf")
    assert starts.keys() == ends.keys()
    assert len(starts) == len(of(told, "s")) == 5
    bars = of(told, "X")
    for number, start in starts.items():
        assert any(
            it["tid"] == start["tid"] and it["ts"] <= start["ts"] <= it["ts"] + it["dur"]
            for it in bars
        )
        end = ends[number]
        assert end["bp"] == "e"
        assert any((it["tid"], it["ts"]) == (end["tid"], end["ts"]) for it in bars)
        assert start["ts"] <= end["ts"]


def test_a_wait_begins_and_ends_on_one_row(told):
    waits = [it for it in told if it.get("cat") == "wait"]
    assert [it["ph"] for it in waits] == ["b", "e"] * (len(waits) // 2)
    for begin, end in zip(waits[::2], waits[1::2], strict=True):
        assert begin["name"] == end["name"]
        assert (begin["id"], begin["tid"]) == (end["id"], end["tid"])
        assert begin["ts"] <= end["ts"]


def test_times_are_microseconds(told):
    longest = max(of(told, "X"), key=lambda it: it["dur"])
    assert longest["dur"] == 800_000
    assert "parse (app.py:41)" in longest["args"]["stack"]


def test_an_empty_recording_gives_a_trace():
    assert {event["ph"] for event in events(Recording())} == {"M"}
