"""`groundup top`: shows what a running program's tasks are doing, once or again and again.

It must not know how that is found out, nor how it is drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from groundup.live.program import Program
    from groundup.live.screen import Screen

FAILED, INTERRUPTED = 1, 130
#: How often is read what is new, in seconds: oftener than a busy loop fills a ring.
BREATH = 0.25
#: More tasks than a program has.
ALL = sys.maxsize


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `groundup top` to the command line's parser."""
    parser = commands.add_parser(
        "top",
        help="show what the tasks of a running program are doing",
        description="Show what the tasks of a running program are doing: their states, who awaits "
        "whom, steps per second, lag. The program must be yours and be recorded, or have a black "
        "box: by groundup.record or groundup.black_box, or by GROUNDUP_RECORD or "
        "GROUNDUP_BLACK_BOX. Looking at it costs it nothing. Without a process, list those that "
        "can be looked at.",
        epilog="Keys: t by time, s by steps, w by how long they have waited, q quit. A + after a "
        "time means at least: it began before anything is known. Exit codes: 0 done, 1 there is no "
        "looking at it, 2 wrong usage, 130 interrupted.",
    )
    parser.add_argument("process", nargs="?", type=_process, help="the number of the process")
    parser.add_argument(
        "--once", action="store_true", help="print what is so now, and leave; so if no terminal"
    )
    parser.add_argument("--json", action="store_true", help="print what is so now, as JSON")
    parser.add_argument(
        "--sort",
        choices=("time", "steps", "waits"),
        default="time",
        help="what comes first: who ran longest, took the most steps, has waited longest",
    )
    parser.add_argument(
        "--every",
        type=_seconds,
        default=1.0,
        metavar="SECONDS",
        help="how often to look, and how far back the first look goes (default: 1)",
    )
    parser.set_defaults(carry_out=carry_out, parser=parser)


def carry_out(options: argparse.Namespace) -> int:
    """Show what the parsed `options` ask for and return the command's exit code."""
    # The other commands start without it.
    from groundup.live.program import Unreachable

    try:
        if options.process is None:
            _list(options)
        elif options.json or options.once or not sys.stdout.isatty():
            _show_once(options)
        else:
            _show(options)
    except BrokenPipeError:
        # Who read has had enough. The interpreter would try once more to write what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Unreachable, OSError, ValueError) as problem:
        print(f"groundup top: {problem}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _list(options: argparse.Namespace) -> None:
    from groundup.live import program, table

    answers = list(program.programs())
    if options.json:
        shown = [{"process": it.process, "facts": it.facts, "files": it.files} for it in answers]
        print(json.dumps(shown, indent=2))
    else:
        print("\n".join(table.draw_list(answers, _width())))


def _show_once(options: argparse.Namespace) -> None:
    from groundup.live import program, table

    found = program.Program(options.process)
    loops = found.look(options.sort, ALL, options.every)
    if options.json:
        shown = {"process": found.process, "facts": found.facts, "loops": loops}
        print(json.dumps(shown, indent=2))
    else:
        print("\n".join(table.draw(found, loops, options.sort, ALL, _width())))


def _show(options: argparse.Namespace) -> None:
    from groundup.live import program, table
    from groundup.live.screen import Screen

    orders = {"t": "time", "s": "steps", "w": "waits"}
    found, order = program.Program(options.process), options.sort
    with Screen() as screen:
        key = ""
        while key != "q":
            width, height = screen.size
            loops = found.look(order, height, options.every)
            most = height // max(len(loops), 1) - table.AROUND_TABLE
            screen.draw(table.draw(found, loops, order, max(most, 1), width))
            key = _wait(screen, found, options.every)
            order = orders.get(key, order)


def _wait(screen: Screen, found: Program, seconds: float) -> str:
    """Wait for a key, or until it is time for the next look."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if key := screen.key(min(left, BREATH)):
            return key
        found.keep_up(seconds)
    return ""


def _width() -> int:
    """Return how many places a line has; where there is no terminal, as many as it takes."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


def _process(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not the number of a process")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0.1 to 3600")
    return seconds
