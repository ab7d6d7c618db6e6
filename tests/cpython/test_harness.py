"""The harness itself: what each way for a test to end costs, and what the list lets stand."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from . import not_applicable, table
from .crew import Crew, Setting, Shard
from .not_applicable import ListError
from .outcome import ASYNCIO, GROUNDUP, Outcome, Status
from .results import Results

pytest.importorskip("test.test_asyncio", reason="this Python comes without its tests")

SAMPLES = "tests.cpython.samples"


def run(loop: str, module: str, limit: float = 30) -> dict[str, Outcome]:
    """Run a module of the samples; return the outcomes by the names of the tests' methods."""
    crew = Crew(Setting(Path(sys.executable), SAMPLES, limit), 1)
    outcomes: dict[str, Outcome] = {}

    def note(shard: Shard, test: str, outcome: Outcome) -> None:
        outcomes[test.rpartition(".")[2]] = outcome

    [tests] = crew.list_tests(loop, [module]).values()
    crew.run([Shard(loop, module, tuple(tests))], note)
    return outcomes


@pytest.fixture(scope="module")
def ends() -> dict[str, Outcome]:
    return run(ASYNCIO, "ends", limit=3)


@pytest.fixture(scope="module")
def loops() -> dict[str, Outcome]:
    return run(GROUNDUP, "loops")


def test_each_test_has_the_outcome_that_is_its_own(ends: dict[str, Outcome]) -> None:
    assert {name: outcome.status for name, outcome in ends.items()} == {
        "test_1_passes": Status.PASSED,
        "test_2_crashes": Status.CRASHED,
        "test_3_hangs_with_a_child": Status.HUNG,
        "test_4_fails_and_leaves_a_mess": Status.FAILED,
        "test_5_sees_no_mess": Status.PASSED,
        "test_6_skips": Status.SKIPPED,
        "test_7_has_a_thread_that_fails": Status.FAILED,
        "test_8_has_a_directory_of_its_own": Status.PASSED,
    }


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("test_2_crashes", "SIGABRT"),
        ("test_2_crashes", "in test_2_crashes"),
        ("test_3_hangs_with_a_child", "Not done after 3 seconds."),
        ("test_3_hangs_with_a_child", "in test_3_hangs_with_a_child"),
        ("test_4_fails_and_leaves_a_mess", "on purpose"),
        ("test_6_skips", "for a reason"),
        ("test_7_has_a_thread_that_fails", "ZeroDivisionError"),
    ],
)
def test_an_outcome_says_how_it_came(ends: dict[str, Outcome], test: str, said: str) -> None:
    assert said in ends[test].detail


def test_what_a_test_started_ends_with_its_worker(ends: dict[str, Outcome]) -> None:
    [child] = re.findall(r"child=(\d+)", ends["test_3_hangs_with_a_child"].detail)
    assert not is_running(int(child))


def is_running(pid: int) -> bool:
    """Tell whether there is a process that is not just waiting for its parent to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_loop_made_in_any_way_is_this_one(loops: dict[str, Outcome]) -> None:
    failed = {name: outcome.detail for name, outcome in loops.items() if not outcome.passed}
    assert failed.keys() == {"test_loop_of_asyncio"}, failed


def test_a_loop_of_asyncios_own_does_not_count(loops: dict[str, Outcome]) -> None:
    assert loops["test_loop_of_asyncio"].detail == "The test made a loop of asyncio's own."


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.toml"
    path.write_text(text)
    return path


ENTRY = """
[[entry]]
reason = "because"
since = "3.12"
until = "3.13"
tests = ["test_x.*.test_a"]
"""


@pytest.mark.parametrize(
    ("version", "listed"),
    [((3, 11, 9), False), ((3, 12, 0), True), ((3, 13, 7), True), ((3, 14, 0), False)],
)
def test_an_entry_is_for_its_versions(
    tmp_path: Path, version: tuple[int, ...], listed: bool
) -> None:
    reasons = not_applicable.read(version, write(tmp_path, ENTRY)).reasons(
        {"test_x": ["test_x.C.test_a", "test_x.C.test_b"]}
    )
    assert reasons == ({"test_x.C.test_a": "because"} if listed else {})


def test_an_entry_for_a_module_that_is_not_run_is_left_alone(tmp_path: Path) -> None:
    assert not_applicable.read((3, 12), write(tmp_path, ENTRY)).reasons({"test_y": []}) == {}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ENTRY.replace("test_a", "test_c"), "matches no test"),
        (ENTRY + ENTRY.replace("test_a", "test_?"), "what another pattern does"),
        (ENTRY.replace("because", " "), "needs"),
        (ENTRY.replace("tests", "test"), "needs"),
        (ENTRY.replace("since", "from"), "takes no from"),
        (ENTRY.replace("entry", "entries"), "can stand"),
    ],
)
def test_an_entry_that_cannot_stand_is_refused(tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(ListError, match=error):
        not_applicable.read((3, 12), write(tmp_path, text)).reasons(
            {"test_x": ["test_x.C.test_a", "test_x.C.test_b"]}
        )


def test_what_asyncio_passes_and_this_loop_does_not_is_missing() -> None:
    passed, failed = Outcome(Status.PASSED, 0), Outcome(Status.FAILED, 0, "first\nlast\n")
    results = Results("3.12", {"test_x": ["a", "b", "c", "d"]}, {"d": "because"})
    assert results.open("test_x") == ["a", "b", "c"]
    results.outcomes[GROUNDUP] |= {"a": passed, "b": failed, "c": failed}
    assert results.open("test_x") == ["b", "c"]
    results.outcomes[ASYNCIO] |= {"b": passed, "c": failed}
    assert results.missing == ["b"]
    assert [line.split() for line in table.table(results)][2:] == [
        ["test_x", "4", "1", "1", "1", "1"],
        ["all", "4", "1", "1", "1", "1"],
    ]
    assert list(table.missing(results, details=False)) == ["failed  b: last"]
    assert [line.split(":")[0] for line in table.failures_of_asyncio(results)] == ["failed  c"]
