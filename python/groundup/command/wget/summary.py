"""The last words of the command: what came of all URLs, and why each one that failed did.

It promises one line for every failure, on standard error. It must not decide the exit code.
"""

from __future__ import annotations

import sys

from rich.filesize import decimal

from groundup.command.wget.display import say
from groundup.command.wget.transfers import Tally


def report(tally: Tally, *, quiet: bool, interrupted: bool = False) -> None:
    """Print the summary of `tally`; with `quiet` only what went wrong."""
    for url, failure in tally.failures:
        print(f"failed {url}: {failure}", file=sys.stderr)
    if not quiet:
        say(_sentence(tally))
    if interrupted:
        missing = tally.wanted - tally.done
        print(
            f"interrupted: {missing:,} of {tally.wanted:,} not finished; "
            "the same command with -c goes on from here",
            file=sys.stderr,
        )


def _sentence(tally: Tally) -> str:
    speed = decimal(int(tally.speed))
    parts = [
        f"{tally.saved:,} saved ({decimal(tally.received)} in {tally.seconds:.1f} s, {speed}/s)"
    ]
    for number, what in (
        (tally.resumed, "of them resumed"),
        (tally.encoded, "of them compressed by the server"),
        (tally.kept, "already there"),
        (tally.repeated, "given more than once"),
        (len(tally.failures), "failed"),
    ):
        if number:
            parts.append(f"{number:,} {what}")
    return ", ".join(parts)
