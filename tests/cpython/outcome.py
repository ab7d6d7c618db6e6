"""What became of a test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

# The loops, by the names that they have in a table.
ASYNCIO = "asyncio"
GROUNDUP = "groundup"


class Status(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    SKIPPED = "skipped"
    FAILED = "failed"
    CRASHED = "crashed"
    HUNG = "hung"


@dataclass(frozen=True)
class Outcome:
    """How a test ended, after how many seconds, and what there is to say about it."""

    status: Status
    seconds: float
    detail: str = ""

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    @property
    def went_wrong(self) -> bool:
        return self.status not in (Status.PASSED, Status.SKIPPED)

    @property
    def summary(self) -> str:
        """The last line of the detail that says something."""
        lines = [line for line in self.detail.splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Outcome:
        return cls(Status(fields["status"]), fields["seconds"], fields["detail"])
