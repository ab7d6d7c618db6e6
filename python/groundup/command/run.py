"""`groundup run`: starts a script or a module as `python` would, with asyncio on this loop.

It promises what `python` promises a program: sys.argv, sys.path[0], a real `__main__` module, exit
codes, and tracebacks that show the program's own frames only. It must not know the loop, beyond
asking for it to be installed.
"""

from __future__ import annotations

import argparse
import atexit
import os
import sys
from collections.abc import Sequence
from types import ModuleType, TracebackType

import groundup
from groundup.command import program
from groundup.recorded_program import BLACK_BOX, RECORD, record_program

#: Options whose value is an argument of its own.
OPTIONS_WITH_VALUE = {"-m", "--record", "--black-box", "--megabytes", "--step-limit"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `groundup run` to the command line's parser."""
    parser = commands.add_parser(
        "run",
        help="run a program with asyncio on the groundup loop",
        usage="groundup run [OPTION ...] SCRIPT [ARGUMENT ...]\n"
        "       groundup run [OPTION ...] -m MODULE [ARGUMENT ...]",
        allow_abbrev=False,
        description="Run a program as python does, with asyncio.run on the groundup loop. "
        "What follows the script's or the module's name is the program's own.",
    )
    parser.add_argument("script", nargs="?", help="a script, or a folder or zip with __main__.py")
    parser.add_argument("-m", dest="module", help="run this module, as python -m does")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--record", metavar="FILE", help="record its loops, for `groundup view`")
    kept.add_argument(
        "--black-box",
        metavar="FILE",
        help="keep what its loops did last when a step is late, an exception ends the program, or "
        "the process dies",
    )
    parser.add_argument(
        "--megabytes",
        type=float,
        metavar="NUMBER",
        help="how large a recording becomes (default: 64; a black box: 16); the oldest goes then",
    )
    parser.add_argument(
        "--step-limit",
        type=float,
        metavar="SECONDS",
        help="when a step is late, and its stack is noted (default: 0.1; in a black box: never)",
    )
    parser.set_defaults(carry_out=carry_out, parser=parser)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cut a command line into the part for `groundup` and the arguments of the program to run.

    Other sub-commands keep all of it. argparse alone cannot do this: it would take `--help` and
    `--` from the program.
    """
    own = len(arguments)
    if list(arguments[:1]) == ["run"]:
        own = _end_of_options(arguments)
    return list(arguments[:own]), list(arguments[own:])


def _end_of_options(arguments: Sequence[str]) -> int:
    """Return where the program's own arguments begin: behind its name."""
    place = 1
    while place < len(arguments):
        argument = arguments[place]
        place += 2 if argument in OPTIONS_WITH_VALUE else 1
        if argument == "--" or not argument.startswith("-") or argument.startswith("-m"):
            break
    return place


def carry_out(options: argparse.Namespace) -> int:
    """Run the program that `options` names and return 0, or let its exception out.

    Raises SystemExit(2) when there is no such script, SystemExit(1) when there is no such module,
    with python's messages; and whatever the program raises.
    """
    if (options.module is None) == (options.script is None):
        options.parser.error("give a script, or -m and a module")
    groundup.install()
    sys.argv = [options.script or "-m", *options.program_arguments]
    main = sys.modules["__main__"] = ModuleType("__main__")
    try:
        found = _find(options)
        sys.argv[0] = found.argv0
        main.__dict__.update(found.attributes)
        _record(options)
        exec(found.code, main.__dict__)
    except BaseException:
        _hide_frames_outside(main)
        raise
    return 0


def _find(options: argparse.Namespace) -> program.Program:
    try:
        if options.module is not None:
            return program.module(options.module)
        return program.script(options.script)
    except program.NotFound as missing:
        print(f"groundup run: {missing}", file=sys.stderr)
        sys.exit(missing.exit_code)


def _record(options: argparse.Namespace) -> None:
    """Begin to record the program, if `options` say so."""
    parser: argparse.ArgumentParser = options.parser
    path = options.record or options.black_box
    told = {"megabytes": options.megabytes, "step_limit": options.step_limit}
    numbers = {name: number for name, number in told.items() if number is not None}
    if path is None:
        if numbers:
            parser.error("--megabytes and --step-limit need --record or --black-box")
        return
    try:
        recorded = record_program(RECORD if options.record else BLACK_BOX, path, numbers)
    except (OSError, RuntimeError, ValueError) as error:
        parser.error(str(error))
    if options.record:
        atexit.register(_say_if_nothing, recorded, os.getpid())


def _say_if_nothing(recorded: groundup.Recording, process: int) -> None:
    # Children that were forked have files of their own.
    if not recorded.paths and os.getpid() == process:
        print("groundup run: no groundup loop has run, so nothing was recorded", file=sys.stderr)


def _hide_frames_outside(main: ModuleType) -> None:
    """Let an uncaught exception's traceback begin where the program begins.

    The interpreter still reports the exception itself: so exit codes, the program's own
    sys.excepthook and death by SIGINT are python's.
    """
    report = sys.excepthook

    def report_program_frames(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        while trace is not None and trace.tb_frame.f_globals is not main.__dict__:
            trace = trace.tb_next
        report(kind, error.with_traceback(trace), trace)

    sys.excepthook = report_program_frames
