"""What is drawn and told in a terminal."""

import io
import re

import pytest

from groundup.view import columns, names, terminal, weave

from .recordings import MS, STACK, Recording, story


def shown(recording: Recording, width: int = 120) -> list[str]:
    lines = terminal.lines(weave.from_bytes(recording.to_bytes()), width)
    return [line.rstrip() for line in lines]


def below(lines: list[str], title: str) -> list[str]:
    """The lines of a table after its heads."""
    start = next(at for at, line in enumerate(lines) if line.startswith(title)) + 2
    end = next((at for at in range(start, len(lines)) if not lines[at]), len(lines))
    return lines[start:end]


def row(lines: list[str], name: str) -> str:
    """The cells of a lane in the drawing."""
    return next(line[30:] for line in lines if line.strip().startswith(name))


def test_the_longest_step_is_named_with_its_place_and_its_stack():
    lines = below(shown(story()), "Longest steps")
    assert re.match(r"\s*800 ms  worker +parse \(app.py:41\) +50.0 ms  a timer", lines[0])
    assert "worker, while it blocked for 800 ms:" in lines[10]
    assert [line.strip() for line in lines[11:]] == STACK.split("\n")


def test_a_lane_runs_waits_and_stands_ready_in_its_cells():
    it = Recording().task(2, "first").task(4, "second")
    it.step(2, 50 * MS, until="timer").step(4, 25 * MS)
    lines = shown(it.note("poll_begin").take(25 * MS).note("poll_end"), width=50)
    assert row(lines, "first") == "█" * 10 + "▁" + "─" * 9
    assert row(lines, "second") == "·" * 10 + "█" * 5 + "▁"
    assert row(lines, "loop") == "█" * 15 + "▁"


def test_a_child_stands_below_its_parent():
    lines = shown(story())
    at = next(n for n, line in enumerate(lines) if line.startswith("Task-1"))
    assert [line[:8] for line in lines[at + 1 : at + 4]] == ["  worker", "  reader", "  stuck "]


def test_tasks_that_never_finished_tell_what_they_wait_for():
    lines = shown(story())
    assert any(line == "Never finished: 2" for line in lines)
    stuck = below(lines, "Never finished")[1]
    assert re.match(
        r"stuck +lock +852 ms  stuck \(app.py:30\) → Lock.acquire \(locks.py:110\)  app.py:12",
        stuck,
    )


def test_tables_are_in_the_order_of_what_they_are_about():
    lines = shown(story())
    ran = [line.split()[:2] for line in below(lines, "Ran longest")]
    assert ran[:3] == [["800", "ms"], ["40.0", "µs"], ["35.0", "µs"]]
    steps = [int(line.split()[2]) for line in below(lines, "Most steps")]
    assert steps == [3, 2, 2, 1, 1, 1]
    waited = below(lines, "Waited longest")
    assert "Task-1" in waited[0]
    assert "on_result" not in "".join(waited)


def test_locks_and_queues_are_told_with_who_stood_in_line():
    contention = below(shown(story()), "Contention")
    assert [re.split("  +", line)[-2:] for line in contention] == [
        ["lock", "stuck (app.py:30)"],
        ["queue jobs", "reader (app.py:20)"],
    ]
    assert "timer" not in "".join(contention)


def test_what_is_lost_is_said_first():
    lines = shown(story().lose(37).note("mark"))
    assert any(line.startswith("37 records are missing") for line in lines[:4])


def test_time_in_the_kernel_is_told_beside_time_elsewhere():
    assert "1.00 ms in the kernel, and ran 801 ms elsewhere" in shown(story())[1]


def test_an_empty_recording_is_told_as_such():
    assert shown(Recording())[0] == "process 4242: 0 ns, 0 tasks, 0 steps, 0 polls"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_lines_keep_to_the_width_of_the_terminal(width):
    name = "a_task_with_a_name_that_is_far_too_long_for_any_terminal" * 3
    recording = story().task(10, name, name, (name, 1)).step(10, 2_000 * MS, until=name)
    lines = shown(recording, width)
    assert any("a_task" in line for line in lines)
    assert max(map(columns.width, lines)) <= width


def test_names_do_nothing_to_the_terminal():
    evil = "\x1b[2J\x1b]0;title\x07\r\u202e\x9b31m<b>"
    recording = Recording().note("fact", 0, ("program", evil)).task(2, evil, evil, (evil, 3))
    recording.note("link", 1, (evil, 0)).step(2, 9, until=evil, chain=1)
    recording.note("step_begin", 2).note("stack", 0, (evil, 0)).note("step_end")
    recording.note("open", 7, (evil, evil))
    file = io.StringIO()
    terminal.write(weave.from_bytes(recording.to_bytes()), file, 80)
    assert "<b>" in file.getvalue()
    assert file.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "places", "cut"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("名前です", 5, "名前…"), ("名前です", 4, "名…")],
)
def test_a_text_is_cut_to_the_places_it_has(text, places, cut):
    assert columns.cut(text, places) == cut
    assert columns.width(cut) <= places


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1000, "1.00 µs"),
        (9_996, "10.0 µs"),
        (99_960, "100 µs"),
        (999_600, "1.00 ms"),
        (12_345_678, "12.3 ms"),
        (61e9, "61.0 s"),
        (1e12, "1000 s"),
    ],
)
def test_a_time_has_three_digits(nanoseconds, shown):
    assert names.duration(nanoseconds) == shown


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        ("", ""),
        ("f (/app/a.py:3)", "f (/app/a.py:3)"),
        ("f (/app/a.py:3)\ng (/usr/lib/python3.13/json.py:9)", "f (/app/a.py:3)"),
        ("g (/usr/lib/python3.13/json.py:9)", "g (/usr/lib/python3.13/json.py:9)"),
        ("(no stack: the step held the interpreter lock to its end)", ""),
    ],
)
def test_a_stack_is_where_the_program_was(stack, place):
    assert names.innermost(stack) == place
