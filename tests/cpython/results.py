"""What a run on one interpreter came to: the outcomes on both loops, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .outcome import ASYNCIO, GROUNDUP, Outcome


@dataclass
class Results:
    """The tests by module, the reasons of those left out, and the outcomes by loop and test."""

    version: str
    tests: dict[str, list[str]]
    not_applicable: dict[str, str]
    outcomes: dict[str, dict[str, Outcome]] = field(
        default_factory=lambda: {ASYNCIO: {}, GROUNDUP: {}}
    )
    seconds: float = 0.0

    @property
    def missing(self) -> list[str]:
        """The tests that asyncio's loop passes and this one does not, though they apply."""
        return [test for module in self.tests for test in self._missing_of(module)]

    def open(self, module: str) -> list[str]:
        """Return the tests of a module that apply and that this loop has not passed, or not yet."""
        passed = self._passed(module, GROUNDUP)
        return [test for test in self._applicable(module) if test not in passed]

    def counts(self, module: str) -> list[int]:
        """Return a row of the table: see table.COLUMNS."""
        tests, applicable = len(self.tests[module]), len(self._applicable(module))
        passed, missing = len(self._passed(module, GROUNDUP)), len(self._missing_of(module))
        return [tests, tests - applicable, passed, applicable - passed - missing, missing]

    def _applicable(self, module: str) -> list[str]:
        return [test for test in self.tests[module] if test not in self.not_applicable]

    def _missing_of(self, module: str) -> list[str]:
        passed = self._passed(module, ASYNCIO)
        return [test for test in self.open(module) if test in passed]

    def _passed(self, module: str, loop: str) -> set[str]:
        outcomes = self.outcomes[loop]
        return {test for test in self.tests[module] if test in outcomes and outcomes[test].passed}

    def as_json(self) -> dict[str, Any]:
        loops = {
            loop: {test: outcome.as_json() for test, outcome in outcomes.items()}
            for loop, outcomes in self.outcomes.items()
        }
        return {
            "python": self.version,
            "seconds": self.seconds,
            "not_applicable": self.not_applicable,
            "missing": self.missing,
            **loops,
        }
