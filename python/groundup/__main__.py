"""The front door of the `groundup` command: reads the command line and starts one sub-command.

It promises that whatever follows a program's name in `groundup run` reaches that program untouched.
It must not know what the sub-commands do, nor import what only one of them needs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import groundup
from groundup.command import run, top, view, wget


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (default: those of this process) and return the exit code.

    Exit codes: 0 success, 1 something failed, 2 wrong usage, 130 interrupted by Ctrl-C; with
    `groundup run`, whatever the program exits with. Raises SystemExit as argparse does, for usage
    errors and `--help`, and whatever a program under `groundup run` raises.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    own, programs = run.split(given)
    options = _parser().parse_args(own)
    options.program_arguments = programs
    code: int = options.carry_out(options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="groundup",
        description="Run programs and download files on the groundup event loop, and see "
        "what a program does, or did.",
    )
    parser.add_argument("--version", action="version", version=f"groundup {groundup.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run.add_parser(commands)
    top.add_parser(commands)
    view.add_parser(commands)
    wget.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
