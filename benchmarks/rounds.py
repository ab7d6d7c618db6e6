"""Runs rows on peers in turn, several rounds of all of them.

What drifts on a machine (its clock, its heat, its neighbours) then meets all peers alike. The order
of the peers changes from round to round, so that none always comes after the same other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from .program import Failed
from .results import Outcome
from .row import Row
from .setting import Setting

# A row's name, then a peer's, then the outcome of each round.
Outcomes = dict[str, dict[str, list[Outcome]]]


def run(
    rows: list[Row],
    loops: Iterable[str],
    rounds: int,
    setting: Setting,
    tell: Callable[[int, Row, str], None],
) -> Outcomes:
    """Run all rounds; `tell` hears of each measurement before it is made."""
    outcomes: Outcomes = {row.name: {peer: [] for peer in row.peers(loops)} for row in rows}
    for number in range(rounds):
        for row in rows:
            for peer in rotated(list(outcomes[row.name]), number):
                tell(number, row, peer)
                earlier = outcomes[row.name][peer]
                # What failed once fails again, and may take its time for it.
                failed = next((outcome for outcome in earlier if "error" in outcome), None)
                earlier.append(failed or attempt(row, peer, setting))
    return outcomes


def attempt(row: Row, peer: str, setting: Setting) -> Outcome:
    """Measure, or say in the outcome why that was not possible."""
    try:
        # More digits than these say nothing.
        return {name: float(f"{value:.6g}") for name, value in row.measure(peer, setting).items()}
    except Failed as failed:
        return {"error": str(failed)}


def rotated(peers: list[str], by: int) -> Iterator[str]:
    """The peers, from another one on."""
    first = by % len(peers)
    yield from peers[first:]
    yield from peers[:first]
