"""Whole programs that are recorded because their environment or the command line says so.

The processes that such a program starts are told by their environment, each with a file of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from groundup.recording import MEGABYTES, Recording, record

__all__ = ["record_as_told", "record_program"]

#: The file that the program is recorded to.
RECORD = "GROUNDUP_RECORD"
#: How large it may become.
SIZE = "GROUNDUP_MEGABYTES"

#: What is recorded because the program was told so.
_told: Recording | None = None


def record_as_told() -> None:
    """Record this program from now on if the environment variable GROUNDUP_RECORD names a file.

    GROUNDUP_MEGABYTES says how large it may become. Raises what `record` and `Recording.start` do,
    and ValueError when a variable that is to be a number is none.
    """
    path = os.environ.get(RECORD)
    if path:
        record_program(path, _number(SIZE, MEGABYTES))


def record_program(path: str, megabytes: float) -> Recording:
    """Record this program to its end, and the processes that it starts; see `record`.

    Those that import groundup write files with their numbers in the names, as run-1234.weave. What
    the environment has said before does not hold any more.
    """
    global _told
    recording = record(path, megabytes=megabytes)
    if _told is not None:
        _told.stop()
    recording.start()
    _told = recording
    os.environ[RECORD] = _path_of_children(path)
    os.environ[SIZE] = str(megabytes)
    return recording


def _path_of_children(path: str) -> str:
    whole = Path(os.path.abspath(path))
    if "%p" in whole.name:
        return str(whole)
    return str(whole.with_name(f"{whole.stem}-%p{whole.suffix}"))


def _number(variable: str, default: float) -> float:
    value = os.environ.get(variable)
    if not value:
        return default
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{variable} must be a number, got {value!r}") from None
