"""The command: see the package."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from . import conformance, table
from .conformance import Selection, SelectionError
from .crew import WorkerLostError
from .interpreter import Interpreter, UnsuitableError
from .not_applicable import ListError
from .outcome import Outcome
from .results import Results


def main() -> int:
    """Run what the command line names; return 1 if a test is missing, 2 if none could be run."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("tests.cpython: terminated"))
    everything = []
    try:
        for interpreter in [Interpreter.probe(path) for path in options.python]:
            results = conformance.run(interpreter, _selection(options), _show)
            everything.append(results)
            _report(results, details=options.details)
    except (UnsuitableError, SelectionError, ListError, WorkerLostError) as error:
        print(f"tests.cpython: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps([results.as_json() for results in everything], indent=1))
    return 1 if any(results.missing for results in everything) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cpython",
        description="Run CPython's tests of asyncio on groundup's loop.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add, this = parser.add_argument, Path(sys.executable)
    add("--python", nargs="+", type=Path, default=[this], help="interpreters with groundup")
    add("--module", nargs="+", default=[], help="modules, as in test_events; none means all")
    add("--test", default="", help="what the tests' ids must have in them; may be a pattern")
    add("--jobs", type=int, default=Selection.jobs, help="how many tests run at a time")
    add("--limit", type=float, default=Selection.limit, help="seconds until a test has hung")
    add("--details", action="store_true", help="show all that is known of what is missing")
    add("--json", type=Path, help="a file to write all outcomes to")
    return parser


def _selection(options: argparse.Namespace) -> Selection:
    return Selection(tuple(options.module), options.test, options.limit, options.jobs)


def _show(outcome: Outcome) -> None:
    """Show that the run goes on, where somebody looks."""
    if sys.stderr.isatty():
        mark = "." if outcome.passed else outcome.status[0].upper()
        print(mark, end="", file=sys.stderr, flush=True)


def _report(results: Results, *, details: bool) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for lines in (
        list(table.table(results)),
        list(table.failures_of_asyncio(results)),
        list(table.missing(results, details=details)),
    ):
        if lines:
            print(*lines, sep="\n", end="\n\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
