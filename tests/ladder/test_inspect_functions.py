"""The program about kinds of functions says what the running interpreter says."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def printed(run_example):
    """What the program prints: the words under each heading, of each function."""
    result = run_example("inspect_functions", flags=["-X", "dev", "-W", "error"])
    assert (result.returncode, result.stderr) == (0, b"")
    functions = {}
    for block in re.split(r"\n(?=\w)", result.stdout.decode()):
        name, *lines = block.splitlines()
        pairs = (line.strip().partition(": ") for line in lines)
        functions[name] = {heading: words.split() for heading, _, words in pairs}
    return functions


@pytest.fixture(scope="module")
def program():
    path = ROOT / "examples" / "inspect_functions.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


@pytest.mark.parametrize(
    ("name", "function", "result", "flags"),
    [
        ("plain", [], ["int"], set()),
        ("generator", ["isgeneratorfunction"], ["generator", "isgenerator"], {"GENERATOR"}),
        (
            "types_coroutine",
            ["isgeneratorfunction"],
            ["generator", "isgenerator", "isawaitable"],
            {"GENERATOR", "ITERABLE_COROUTINE"},
        ),
        (
            "groundup_coroutine",
            ["iscoroutinefunction"],
            ["GeneratorCoroutine", "isawaitable"],
            {"GENERATOR", "ITERABLE_COROUTINE"},
        ),
        (
            "async_def",
            ["iscoroutinefunction"],
            ["coroutine", "iscoroutine", "isawaitable"],
            {"COROUTINE"},
        ),
        (
            "async_generator",
            ["isasyncgenfunction"],
            ["async_generator", "isasyncgen"],
            {"ASYNC_GENERATOR"},
        ),
    ],
)
def test_each_kind_is_told_from_the_others(printed, name, function, result, flags):
    kinds = {"GENERATOR", "ITERABLE_COROUTINE", "COROUTINE", "ASYNC_GENERATOR"}
    assert [word for word in printed[name]["the function"] if word != "isfunction"] == function
    assert printed[name]["a call gives"] == result
    assert kinds & set(printed[name]["co_flags"]) == flags


def test_the_flags_are_those_of_the_running_interpreter(printed, program):
    for function in program.FUNCTIONS:
        number, *names = printed[function.__name__]["co_flags"]
        assert int(number) == sum(getattr(inspect, f"CO_{name}") for name in names)
        if inspect.isfunction(function):
            assert int(number) == function.__code__.co_flags


def test_the_mark_of_a_generator_based_coroutine_is_a_bit(printed):
    marked = int(printed["types_coroutine"]["co_flags"][0])
    assert marked == int(printed["generator"]["co_flags"][0]) | inspect.CO_ITERABLE_COROUTINE
    assert (inspect.CO_GENERATOR, inspect.CO_ITERABLE_COROUTINE) == (0x20, 0x100)


def test_the_decorator_leaves_the_function_without_the_mark(program):
    function = program.groundup_coroutine.__wrapped__
    assert not function.__code__.co_flags & inspect.CO_ITERABLE_COROUTINE


def test_the_chapter_has_the_same_in_its_table(printed):
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs/ladder.md").read_text().splitlines()]
    table = {row[0].strip(): [cell.split() for cell in row[1:]] for row in rows if len(row) == 5}
    for name, words in printed.items():
        kind, *which_is = words["a call gives"]
        assert table[name] == [words["the function"], [kind], which_is, words["co_flags"][1:]]
