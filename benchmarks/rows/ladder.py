"""The ladder: what a step of `interweave` costs, against the same taking of turns by hand."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import groundup

from ..in_process import counted
from ..peers import BY_HAND
from ..program import started
from ..row import Measured, Row

if TYPE_CHECKING:
    from ..setting import Setting

GENERATORS = 100


def numbers(count):
    yield from range(count)


def generators(count):
    return [numbers(-(-count // GENERATORS)) for _ in range(GENERATORS)]


async def send_loop(count):
    """A queue, and generator.send."""
    ready = deque(generators(count))
    while ready:
        generator = ready.popleft()
        try:
            generator.send(None)
        except StopIteration:
            continue
        ready.append(generator)


@counted("ladder/interweave-python", per="step", by_hand=send_loop)
async def interweave(count):
    """A hundred generators in turn by groundup.interweave; by hand: a deque and send."""
    for _ in groundup.interweave(generators(count)):
        pass


@counted("ladder/run-all-python", per="step", by_hand=send_loop)
async def run_all(count):
    """A hundred generators to their ends by groundup.run_all; by hand: a deque and send."""
    groundup.run_all(generators(count))


class InterweaveRust(Row):
    """A hundred generators in Rust in turn by interweave; by hand: a VecDeque and resume."""

    runs_on_loops = False
    has_by_hand = True

    def measure(self, peer: str, setting: Setting) -> Measured:
        steps = max(10, round(setting.seconds * 1e6))
        line = [setting.load, "ladder", "--generators", GENERATORS, "--steps", steps]
        if peer == BY_HAND:
            line.append("--by-hand")
        with started(line, 60, setting.core) as ladder:
            return ladder.hear()


InterweaveRust("ladder/interweave-rust", "step", ("time",), InterweaveRust.__doc__)
