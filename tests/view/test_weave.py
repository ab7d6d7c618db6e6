"""A recording that was written byte by byte is read as what it tells."""

import math

import pytest

from groundup.view import weave as weaves

from .recordings import STACK, Recording, story


def read(recording: Recording) -> weaves.Weave:
    return weaves.from_bytes(recording.to_bytes())


def test_the_head_and_the_facts_are_read():
    weave = read(story())
    assert (weave.process, weave.lost) == (4242, 0)
    assert weave.wall == pytest.approx(1_790_000_000.123)
    assert weave.facts == {"program": "app.py", "python": "3.13.0"}


def test_lanes_have_names_places_and_parents():
    weave = read(story())
    assert list(weave.texts("lanes.name"))[:4] == ["Task-1", "worker", "reader", "stuck"]
    assert list(weave.columns["lanes.parent"])[:4] == [-1, 0, 0, 0]
    assert weave.text("lanes.file", 1) == "app.py"
    assert weave.number("lanes.line", 1) == 10
    assert weave.text("lanes.exception", 0) == "ValueError('bad')"
    assert math.isnan(weave.columns["lanes.ended"][2])


def test_steps_have_their_times_and_wakers():
    weave = read(story())
    first = next(weave.rows("steps", "lane", "began", "took", "woken", "causeKind"))
    assert first == (0, 1_000, 10_000, 0, weaves.UNKNOWN)
    kinds = set(weave.columns["steps.causeKind"])
    assert kinds >= {weaves.STEP, weaves.TIMER, weaves.THREAD, weaves.SIGNAL, weaves.POLL}


def test_a_wait_leads_to_who_awaits_whom():
    weave = read(story())
    chains = [weave.chain(int(chain)) for chain in weave.columns["waits.chain"]]
    assert chains[0] == ["main (app.py:9)", "gather"]
    assert [] in chains


def test_a_chain_cannot_go_in_a_circle():
    recording = Recording().note("link", 1, ("a", 2)).note("link", 2, ("b", 1))
    assert [read(recording).chain(number) for number in (1, 2)] == [["a"], ["b", "a"]]


def test_a_stack_belongs_to_the_step_that_blocked():
    weave = read(story())
    step = weave.number("stacks.step", 0)
    assert weave.text("stacks.text", 0) == STACK
    assert weave.columns["steps.took"][step] == 800e6


def test_what_is_missing_is_counted():
    assert read(Recording().note("mark").lose(37).note("mark")).lost == 37


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a recording of groundup"),
        (b"GET / HTTP/1.1\r\n\r\n", "not a recording of groundup"),
        (story().to_bytes()[:40], "damaged or missing"),
        (story().to_bytes(version=9), "of format 9; this groundup reads up to 1"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_reason(data, reason):
    with pytest.raises(ValueError, match=reason):
        weaves.from_bytes(data)


def test_a_recording_that_ends_early_is_read_as_far_as_it_goes():
    whole = story().to_bytes()
    counts = [weaves.from_bytes(whole[:end]).length("steps") for end in range(64, len(whole), 7)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == read(story()).length("steps")
