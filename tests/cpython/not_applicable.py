"""The list of tests that do not apply: `not_applicable.toml`, read and checked.

Each entry must have a reason and name tests that exist. A pattern that matches nothing, or the same
as another one, is an error, so that the list stays what it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("not_applicable.toml")

Version = tuple[int, ...]


class ListError(Exception):
    """The list has an entry that cannot stand."""


@dataclass(frozen=True)
class Entry:
    """Patterns of tests' ids, the versions of Python they are for, and why they do not apply."""

    tests: list[str]
    reason: str
    since: Version
    until: Version

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Entry:
        """Return an entry of the file; raise ListError if it has not what one must have."""
        reason = fields.get("reason", "").strip()
        if not reason or not fields.get("tests"):
            raise ListError(f"an entry needs 'tests' and a 'reason': {fields}")
        if unknown := fields.keys() - {"tests", "reason", "since", "until"}:
            raise ListError(f"an entry takes no {', '.join(sorted(unknown))}: {fields}")
        since, until = _version(fields.get("since", "3")), _version(fields.get("until", "3"))
        return cls(fields["tests"], reason, since, until)

    def is_for(self, version: Version) -> bool:
        """Tell whether it is for a version; an end of 3.12 means all of 3.12."""
        return self.since <= version and version[: len(self.until)] <= self.until


class NotApplicable:
    """The entries for one version of Python."""

    def __init__(self, entries: Iterable[Entry], version: Version) -> None:
        self._reasons = {
            pattern: entry.reason
            for entry in entries
            if entry.is_for(version)
            for pattern in entry.tests
        }

    def reasons(self, tests: dict[str, list[str]]) -> dict[str, str]:
        """Return the reason of each test that does not apply, of those of some modules.

        Raise ListError if a pattern for one of the modules matches no test, or two match one.
        """
        found: dict[str, str] = {}
        for pattern, reason in self._reasons.items():
            names = tests.get(pattern.partition(".")[0])
            if names is None:
                continue
            matched = [name for name in names if fnmatchcase(name, pattern)]
            if not matched:
                raise ListError(f"{pattern!r} matches no test of this version")
            if twice := found.keys() & matched:
                raise ListError(f"{pattern!r} matches what another pattern does: {sorted(twice)}")
            found.update(dict.fromkeys(matched, reason))
        return found


def read(version: Version, path: Path = LIST) -> NotApplicable:
    """Read the list, for one version of Python; raise ListError if it is not as it must be."""
    content = tomllib.loads(path.read_text())
    if content.keys() - {"entry"}:
        raise ListError(f"only tables [[entry]] can stand in {path}")
    return NotApplicable(map(Entry.of, content.get("entry", [])), version)


def _version(text: str) -> Version:
    return tuple(int(number) for number in text.split("."))
