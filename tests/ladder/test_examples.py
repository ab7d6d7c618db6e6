"""The ladder's programs print the lines that the same programs in Rust print."""

from pathlib import Path

import pytest

EXPECTED = Path(__file__).parents[2] / "crates" / "groundup" / "examples" / "expected"


@pytest.mark.parametrize(
    "name",
    [
        "interweave_squares",
        "interweave_unequal",
        "delegate_sum_of_squares",
        "run_generator",
        "run_async",
        "interweave_async",
        "display_in_turn",
        "display_interwoven",
    ],
)
def test_a_program_prints_the_lines_of_its_twin_in_rust(run_example, name):
    result = run_example(name, flags=["-X", "dev", "-W", "error"])
    assert result.stdout == (EXPECTED / f"{name}.txt").read_bytes()
    assert (result.returncode, result.stderr) == (0, b"")
