"""The benchmark runs: every row once, with small numbers; and it compares as it says."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import pytest
from benchmarks import chart, results, rounds, table
from benchmarks.program import ROOT, Failed
from benchmarks.row import FAMILIES, ROWS, Row, load_rows, select

load_rows()


def result(figures=("cpu", "rate"), **outcomes):
    conditions = {
        "versions": {"groundup": "1"},
        "rounds": 3,
        "seconds": 1,
        "date": "2026-01-01T10:00+00:00",
        "system": "Linux",
        "cores": 2,
        "processor": "a processor",
        "malloc": {"MALLOC_ARENA_MAX": "1"},
    }
    by_peer = {name.replace("_", " "): list(given) for name, given in outcomes.items()}
    return results.Result("echo/row", "request", figures, "What it does.", by_peer, conditions)


def costs(*values):
    return [{"cpu": value, "rate": 1000 / value} for value in values]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_runs(family, tmp_path):
    rows = [row for row in ROWS.values() if row.family == family]
    line = [sys.executable, "-m", "benchmarks", "--smoke", "--output", str(tmp_path), f"{family}/*"]
    ran = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (written,) = tmp_path.glob("*.json")
    measured = json.loads(written.read_text())
    assert list(measured) == [row.name for row in rows]
    missing = set()
    for row in rows:
        outcomes = measured[row.name]["outcomes"]
        assert list(outcomes) == row.peers(["groundup"])
        for (outcome,) in outcomes.values():
            error = outcome.pop("error", None)
            if error and error.endswith("is not installed"):
                missing.add(error)
                continue
            assert error is None, f"{row.name}: {error}"
            assert set(row.figures) <= outcome.keys()
            assert all(math.isfinite(outcome[figure]) for figure in row.figures)
    if missing and os.environ.get("GROUNDUP_TEST_SERVERS") != "required":
        pytest.skip(", ".join(sorted(missing)))
    assert not missing


def test_every_row_says_what_it_does():
    assert [row.name for row in ROWS.values() if not row.what] == []


def test_rows_are_chosen_by_patterns_with_or_without_the_family():
    names = [row.name for row in select(["sleep0", "ladder/*-rust"])]
    assert names == ["scheduling/sleep0", "ladder/interweave-rust"]
    with pytest.raises(ValueError, match="'slepe0'"):
        select(["slepe0"])


def test_a_ratio_above_one_means_that_groundup_is_ahead():
    row = result(groundup=costs(2, 2, 2), uvloop=costs(3, 3, 3))
    assert row.compared("uvloop", "cpu").ratio == 1.5
    assert row.compared("uvloop", "rate").ratio == 1.5
    assert row.compared("groundup", "cpu").ratio is None


def test_a_ratio_is_the_median_of_those_of_the_rounds():
    row = result(groundup=costs(1, 10, 100), uvloop=costs(2, 10, 100))
    assert row.compared("uvloop", "cpu").ratio == 1
    assert row.compared("uvloop", "cpu").median == 10


def test_spread_is_half_the_distance_of_the_extremes():
    assert result(groundup=costs(8, 10, 12)).compared("groundup", "cpu").spread == 0.2


def test_a_load_that_was_the_bottleneck_shows():
    slow = [{"cpu": 1.0, "rate": 500_000.0, "busy": 0.99}]
    fair = [{"cpu": 2.0, "rate": 500_000.0, "busy": 0.99}]
    row = result(groundup=slow, uvloop=fair)
    assert row.compared("groundup", "cpu").load_bound
    assert not row.compared("uvloop", "cpu").load_bound
    assert table.LOAD_BOUND in table.cell(row, "groundup", "rate")


def test_the_rows_in_which_groundup_is_not_ahead_are_named():
    ahead = result(groundup=costs(2), uvloop=costs(3), by_hand=costs(1))
    behind = result(groundup=costs(2), uvloop=costs(1), asyncio=costs(3))
    text = table.standing([ahead, behind._replace(name="echo/other")])
    assert text == (
        "groundup is ahead of every loop in 1 of 2 rows; not in echo/other (uvloop 0.50×)."
    )


class Failing(Row):
    """It fails on one peer."""

    tries = 0

    def measure(self, peer, setting):
        if peer == "rloop":
            Failing.tries += 1
            raise Failed("NotImplementedError")
        return {"time": 1.0}


def test_one_that_fails_does_not_end_the_run_and_is_not_tried_again(monkeypatch):
    monkeypatch.delitem(ROWS, "test/failing", raising=False)
    row = Failing("test/failing", "try", ("time",), Failing.__doc__)
    monkeypatch.delitem(ROWS, "test/failing")
    told = []
    outcomes = rounds.run(
        [row], ["rloop", "groundup"], 2, None, lambda number, row, peer: told.append(peer)
    )
    assert told == ["rloop", "groundup", "groundup", "rloop"]
    assert Failing.tries == 1
    measured = result(("time",), **outcomes["test/failing"])
    assert measured.error("rloop") == "NotImplementedError"
    text = table.markdown([measured])
    assert "a processor, Linux, MALLOC_ARENA_MAX=1; 2026-01-01." in text
    assert "| failed | 1 ±0% |" in text
    assert "rloop failed in `row`: NotImplementedError" in text


def test_rows_that_were_not_run_again_keep_their_results(tmp_path):
    old = [
        one._replace(name=name) for one in [result()] for name in ("tasks/future", "tasks/wait-for")
    ]
    results.write(tmp_path / "kept.json", old)
    new = result(groundup=costs(1))._replace(name="tasks/future")
    merged = results.merge(results.read(tmp_path / "kept.json"), [new])
    assert merged == [new, old[1]]


def test_the_chart_is_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    row = result(groundup=costs(1), uvloop=costs(2), by_hand=costs(1))
    chart.draw(tmp_path / "chart.svg", [row], "A title")
    assert "<svg" in (tmp_path / "chart.svg").read_text()
