"""Whole programs that are recorded because their environment or the command line says so.

The processes that such a program starts are told by their environment, each with a file of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from groundup.boxes import black_box
from groundup.recording import Recording, record

__all__ = ["BLACK_BOX", "RECORD", "record_as_told", "record_program"]

#: The variable that names the file that the program is recorded to.
RECORD = "GROUNDUP_RECORD"
#: The variable that names the black box of the program.
BLACK_BOX = "GROUNDUP_BLACK_BOX"
#: The variables for numbers, and what those are to `record` and `black_box`.
NUMBERS = {"GROUNDUP_MEGABYTES": "megabytes", "GROUNDUP_STEP_LIMIT": "step_limit"}

#: What is recorded because the program was told so.
_told: Recording | None = None


def record_as_told() -> None:
    """Record this program from now on if the environment says so.

    GROUNDUP_RECORD names a file to record to, GROUNDUP_BLACK_BOX a black box; GROUNDUP_MEGABYTES
    and GROUNDUP_STEP_LIMIT are the numbers that `record` and `black_box` take. Raises what those
    and `Recording.start` do, and ValueError when there are both names, or a number is none.
    """
    names = [variable for variable in (RECORD, BLACK_BOX) if os.environ.get(variable)]
    if len(names) == 2:
        raise ValueError(f"set {RECORD} or {BLACK_BOX}, not both")
    for variable in names:
        record_program(variable, os.environ[variable], _numbers())


def record_program(variable: str, path: str, numbers: Mapping[str, float]) -> Recording:
    """Record this program to its end, and the processes that it starts.

    Those that import groundup write files with their numbers in the names, as run-1234.weave. What
    the environment has said before does not hold any more.

    Args:
        variable: The variable that would say so, RECORD or BLACK_BOX.
        path: The name of the file.
        numbers: `megabytes` and `step_limit`, if they are not to be as ever.
    """
    global _told
    begin = record if variable == RECORD else black_box
    recording = begin(path, **numbers)
    if _told is not None:
        _told.stop()
    recording.start()
    _told = recording
    for name in (RECORD, BLACK_BOX, *NUMBERS):
        os.environ.pop(name, None)
    os.environ[variable] = _path_of_children(path, "-p%p" if variable == BLACK_BOX else "-%p")
    for name, option in NUMBERS.items():
        if option in numbers:
            os.environ[name] = str(numbers[option])
    return recording


def _path_of_children(path: str, mark: str) -> str:
    whole = Path(os.path.abspath(path))
    if "%p" in whole.name:
        return str(whole)
    return str(whole.with_name(f"{whole.stem}{mark}{whole.suffix}"))


def _numbers() -> dict[str, float]:
    """Return the numbers that the environment gives, by what they are."""
    numbers = {}
    for variable, option in NUMBERS.items():
        value = os.environ.get(variable)
        if value:
            try:
                numbers[option] = float(value)
            except ValueError:
                raise ValueError(f"{variable} must be a number, got {value!r}") from None
    return numbers
