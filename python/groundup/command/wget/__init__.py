"""`groundup wget`: downloads many URLs at once, each into a file that is whole or is not there.

This module holds the options only, so that the other commands start without aiohttp and rich.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

SOME_FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `groundup wget` to the command line's parser."""
    parser = commands.add_parser(
        "wget",
        help="download many files at once",
        description="Download every URL into a file named after the last part of its path. A file "
        "gets its name only when it is whole. An existing file is never overwritten: the new one "
        "becomes NAME.1, NAME.2 and so on. What was cut off stays in a hidden .part file, and the "
        "same command goes on from there if the server allows it and still has the same file.",
        epilog="Exit codes: 0 all done, 1 some URL failed, 2 wrong usage, 130 interrupted.",
    )
    _add_sources(parser)
    _add_manners(parser)
    parser.set_defaults(carry_out=carry_out, parser=parser)


def carry_out(options: argparse.Namespace) -> int:
    """Download what the parsed `options` ask for and return the command's exit code."""
    if not options.urls and not options.lists:
        options.parser.error("give at least one URL, or -i FILE")
    try:
        from groundup.command.wget import command
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] not in ("aiohttp", "rich"):
            raise
        print(
            f"groundup wget needs the package {missing.name}, which is not installed.\n"
            'Install all that it needs with:  pip install "groundup[wget]"',
            file=sys.stderr,
        )
        return WRONG_USAGE
    return command.carry_out(options)


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("urls", nargs="*", metavar="URL", help="an http or https URL")
    parser.add_argument(
        "-i",
        dest="lists",
        action="append",
        default=[],
        metavar="FILE",
        help="read URLs from FILE, one a line; - is standard input; # begins a comment line",
    )
    parser.add_argument(
        "-o", dest="folder", type=Path, default=Path(), metavar="DIR", help="save below DIR"
    )
    parser.add_argument(
        "-x", "--paths", action="store_true", help="keep the folders of the URL's path below DIR"
    )
    parser.add_argument(
        "-c",
        "--continue",
        dest="go_on",
        action="store_true",
        help="take files that are there already as done, after an interrupted run",
    )


def _add_manners(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-j",
        dest="at_once",
        type=_whole_number_from(1),
        default=64,
        metavar="N",
        help="download N files at once (default: 64)",
    )
    parser.add_argument(
        "--retries",
        type=_whole_number_from(0),
        default=4,
        metavar="N",
        help="try again N times after a failure that may pass (default: 4)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="give up on a connection that is silent for so long (default: 30)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print failures only")


def _whole_number_from(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return read


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
