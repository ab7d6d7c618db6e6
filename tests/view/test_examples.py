"""The examples of the chapter on recordings have the troubles that it tells of, and show them."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from groundup.view import figures, names
from groundup.view.weave import Weave, load

EXAMPLES = Path(__file__).parents[2] / "examples"


def recorded(folder: Path, trouble: str) -> tuple[Weave, list[str]]:
    """What the example of a trouble recorded of itself, and the lines that it printed."""
    ran = subprocess.run(
        [sys.executable, EXAMPLES / f"find_{trouble}.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert ran.stderr == ""
    assert os.listdir(folder) == [f"{trouble}.weave"]
    *printed, hint = ran.stdout.splitlines()
    assert hint == f"see: groundup view {trouble}.weave"
    weave = load(folder / f"{trouble}.weave")
    assert weave.facts["program"] == f"find_{trouble}.py"
    return weave, printed


def lane(weave: Weave, name: str) -> int:
    return list(weave.texts("lanes.name")).index(name)


def longest_gap(weave: Weave, lane: int) -> float:
    """The longest time between the beginnings of two steps of a lane."""
    began = [it[1] for it in weave.rows("steps", "lane", "began") if it[0] == lane]
    return max(later - earlier for earlier, later in pairwise(began))


def test_a_blocking_call_is_the_longest_step_and_keeps_all_others_from_running(tmp_path):
    weave, _ = recorded(tmp_path, "blocking_call")
    step = figures.longest_steps(weave, 1)[0]
    assert names.lane(weave, weave.number("steps.lane", step)) == "log in ann · log_in"
    stack = dict(weave.rows("stacks", "step", "text"))[step]
    assert names.innermost(weave.strings[int(stack)]).startswith("check_password (")
    took = weave.columns["steps.took"][step]
    assert took > 10 * weave.columns["steps.took"][figures.longest_steps(weave, 2)[1]]
    for number in range(4):
        assert longest_gap(weave, lane(weave, f"pings-{number}")) > took


def test_a_lost_wake_up_leaves_a_task_that_waits_for_ever(tmp_path):
    weave, printed = recorded(tmp_path, "lost_wakeup")
    assert printed == ["a", "left over: b"]
    printer = lane(weave, "printer")
    assert printer in figures.never_finished(weave)
    wait = figures.open_waits(weave)[printer]
    assert weave.text("waits.what", wait) == "event 1"
    chain = weave.chain(weave.number("waits.chain", wait))
    assert figures.waiter(chain).startswith("print_all (find_lost_wakeup.py:")


def test_a_starved_task_stood_ready_far_longer_than_it_ran(tmp_path):
    weave, _ = recorded(tmp_path, "starved_task")
    totals = figures.totals(weave)
    heart = totals[lane(weave, "heart")]
    assert heart.ready > 10 * heart.running
    crunchers = [totals[lane(weave, f"cruncher-{number}")] for number in range(6)]
    assert sum(it.running for it in crunchers) > 0.5 * weave.ended
