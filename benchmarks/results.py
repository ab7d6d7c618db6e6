"""What was measured, compared, and kept as JSON: medians, spread, and ratios.

A ratio says how many times better groundup is than a peer: above 1 it is ahead. It is the median of
the rounds' ratios, since two measurements of one round are nearer to each other than two medians.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from .peers import BY_HAND, LOOPS, OURS
from .row import FIGURES, ROWS

# The figures of one measurement, or the reason why there are none, as "error".
Outcome = dict[str, Any]
# In the order of the table: the limit, the peers, ours.
PEERS = (BY_HAND, *LOOPS)


class Compared(NamedTuple):
    """A figure of a peer in a row."""

    median: float
    spread: float
    """Half the distance from the least to the greatest, as a part of the median."""
    ratio: float | None
    """How many times better groundup is; None where it was not measured, and for itself."""
    load_bound: bool
    """Whether the load was busier than what was measured, and near its limit."""


class Result(NamedTuple):
    """A row, measured."""

    name: str
    per: str
    figures: tuple[str, ...]
    what: str
    outcomes: dict[str, list[Outcome]]
    conditions: dict[str, Any]
    """When and how: the date, versions, rounds, seconds."""

    @property
    def peers(self) -> list[str]:
        """Those that the row was run on."""
        return [peer for peer in PEERS if peer in self.outcomes]

    def error(self, peer: str) -> str | None:
        """Why there are no figures of a peer."""
        return next((one["error"] for one in self.outcomes.get(peer, []) if "error" in one), None)

    def compared(self, peer: str, figure: str) -> Compared | None:
        """Compare a figure; None where there is none."""
        if self.error(peer) or not self.outcomes.get(peer):
            return None
        values = [one[figure] for one in self.outcomes[peer]]
        median = statistics.median(values)
        spread = (max(values) - min(values)) / 2 / median if median else 0.0
        return Compared(median, spread, self._ratio(peer, values, figure), self._load_bound(peer))

    def _ratio(self, peer: str, values: list[float], figure: str) -> float | None:
        if peer == OURS or self.error(OURS) or not self.outcomes.get(OURS):
            return None
        pairs = zip(values, (one[figure] for one in self.outcomes[OURS]), strict=True)
        ratios = [theirs / ours for theirs, ours in pairs if theirs > 0 and ours > 0]
        if FIGURES[figure].more_is_better:
            ratios = [1 / ratio for ratio in ratios]
        return statistics.median(ratios) if ratios else None

    def _load_bound(self, peer: str) -> bool:
        busy = statistics.median(one.get("busy", 0.0) for one in self.outcomes[peer])
        if busy < 0.9 or not {"cpu", "rate"} <= set(self.figures):
            return False
        server = [one["cpu"] * one["rate"] / 1e6 for one in self.outcomes[peer]]
        return busy > statistics.median(server)

    def as_json(self) -> dict[str, Any]:
        """All of it, with what follows from it."""
        summary = {
            figure: {
                peer: compared._asdict()
                for peer in self.peers
                if (compared := self.compared(peer, figure))
            }
            for figure in self.figures
        }
        return {**self._asdict(), "summary": summary}


def conditions(versions: dict[str, str], rounds: int, seconds: float) -> dict[str, Any]:
    """Describe the circumstances of a run."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        # The measured processes inherit them, and they can matter more than the loop.
        "malloc": {name: it for name, it in os.environ.items() if name.startswith("MALLOC_")},
        "versions": versions,
        "rounds": rounds,
        "seconds": seconds,
    }


def processor() -> str:
    """Return the processor's name, as the kernel has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def read(path: Path) -> list[Result]:
    """Return what was written, of the rows that still exist."""
    if not path.exists():
        return []
    kept = []
    for name, row in json.loads(path.read_text()).items():
        if name in ROWS:
            del row["summary"]
            kept.append(Result(**{**row, "figures": tuple(row["figures"])}))
    return kept


def write(path: Path, results: list[Result]) -> None:
    """Write results as JSON, by the names of their rows."""
    text = json.dumps({result.name: result.as_json() for result in results}, indent=1)
    path.write_text(text + "\n")


def merge(earlier: list[Result], later: list[Result]) -> list[Result]:
    """Take each row's later result, in the order of the table."""
    by_name = {result.name: result for result in [*earlier, *later]}
    return [by_name[name] for name in ROWS if name in by_name]
