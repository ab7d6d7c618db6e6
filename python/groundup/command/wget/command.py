"""Carries out `groundup wget`: plans, downloads on the loop, and sums up.

It promises an exit code that says whether every URL was saved, and a prompt end after Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import resource
import signal
import sys
from typing import NoReturn

import groundup
from groundup.command.wget import INTERRUPTED, SOME_FAILED, WRONG_USAGE, display, summary
from groundup.command.wget.crew import Crew
from groundup.command.wget.manners import Manners
from groundup.command.wget.plan import Plan, read
from groundup.command.wget.transfers import Tally

# A connection, a file, and what the loop and the interpreter have open.
FILES_PER_DOWNLOAD, OTHER_FILES = 2, 64


def carry_out(options: argparse.Namespace) -> int:
    """Download what the parsed `options` ask for and return the exit code."""
    _print_any_name()
    try:
        plan = Plan.of(read(options.urls, options.lists))
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"groundup wget: {error.filename}: {error.strerror}", file=sys.stderr)
        return WRONG_USAGE
    tally = Tally(wanted=len(plan.urls) + len(plan.failures), repeated=plan.repeated)
    for url, failure in plan.failures:
        tally.fail(url, failure)
    _allow_open_files(FILES_PER_DOWNLOAD * options.at_once + OTHER_FILES)
    try:
        groundup.run(_download(options, plan, tally))
    except KeyboardInterrupt:
        _leave(options, tally)
    summary.report(tally, quiet=options.quiet)
    return SOME_FAILED if tally.failures else 0


async def _download(options: argparse.Namespace, plan: Plan, tally: Tally) -> None:
    manners = Manners(
        folder=options.folder,
        paths=options.paths,
        go_on=options.go_on,
        at_once=options.at_once,
        retries=options.retries,
        timeout=options.timeout,
    )
    try:
        with display.choose(tally, quiet=options.quiet) as shown:
            try:
                await Crew(manners, tally, shown).download(plan)
            except asyncio.CancelledError:
                # From here on nothing takes long, and a second Ctrl-C would only spoil it.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                raise
    except asyncio.CancelledError:
        _leave(options, tally)


def _leave(options: argparse.Namespace, tally: Tally) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    summary.report(tally, quiet=options.quiet, interrupted=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # All partial files are closed. A name look-up, though, may hold a thread for half a minute
    # more, and the interpreter would wait for it.
    os._exit(INTERRUPTED)


def _print_any_name() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _allow_open_files(number: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(number, hard), hard))
