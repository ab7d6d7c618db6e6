"""Whatever stands in a file that begins as a recording does, it is shown somehow."""

import io
import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from groundup.view import document, page, terminal, trace, weave

from .recordings import VERBS, Recording

#: Few of each, so that records have to do with each other; and some that are far out.
SUBJECTS = st.sampled_from([0, 1, 2, 3, 4, 9, (1 << 64) - 1])
TEXTS = st.sampled_from(["", "lock", "queue", "a" * 300, "\x1b[31m", "f (a.py:1)\ng (b.py:2)"])
DETAILS = st.one_of(
    st.integers(0, 5),
    st.tuples(TEXTS, st.integers(0, 4)),
    st.tuples(TEXTS, TEXTS),
    st.just((1 << 64) - 1),
)
TIMES = st.one_of(st.integers(0, 1000), st.sampled_from([-5, 1 << 40]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(VERBS)), SUBJECTS, DETAILS, TIMES), max_size=60))
def test_any_records_are_shown_in_every_form(records):
    recording = Recording()
    for verb, subject, detail, time in records:
        recording.take(time).note(verb, subject, detail)
    woven = weave.from_bytes(recording.to_bytes())
    text, objects, events = io.StringIO(), io.StringIO(), io.StringIO()
    terminal.write(woven, text, 80)
    assert text.getvalue().replace("\n", "").isprintable()
    document.write(woven, objects)
    trace.write(woven, events)
    for written in (objects, events):
        json.loads(written.getvalue(), parse_constant=lambda constant: 1 / 0)
    assert page.render(woven).count(b'id="weave">') == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(VERBS)), SUBJECTS, DETAILS), max_size=60))
def test_numbers_in_columns_stand_for_something(records):
    recording = Recording()
    for verb, subject, detail in records:
        recording.take(7).note(verb, subject, detail)
    woven = weave.from_bytes(recording.to_bytes())
    for column, table in REFERENCES.items():
        limit = len(woven.strings) if table == "strings" else woven.length(table)
        assert all(-1 <= number < limit for number in woven.columns[column]), column
    for step, (kind, cause) in enumerate(woven.rows("steps", "causeKind", "cause")):
        assert kind != weave.STEP or cause <= step
    for began in ("steps.began", "waits.began", "polls.began"):
        times = list(woven.columns[began])
        assert times == sorted(times)
        assert not any(map(math.isnan, times))


#: Columns of numbers of texts, or of rows of other tables: what the page verifies too.
REFERENCES = {
    **dict.fromkeys(document.TEXTS, "strings"),
    **dict.fromkeys(("lanes.parent", "steps.lane", "waits.lane", "cancels.lane"), "lanes"),
    **dict.fromkeys(("stacks.step", "cancels.step"), "steps"),
    **dict.fromkeys(("waits.chain", "chains.rest"), "chains"),
    "transfers.socket": "sockets",
}
