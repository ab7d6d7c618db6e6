"""`groundup view`: shows a recording as a page, in the terminal, or as a file for other programs.

It promises one line, and no traceback, for what cannot be read or written. What shows is imported
when it is needed, so that the other commands start without it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from groundup.view.weave import Weave

SUCCESS, FAILED = 0, 1

#: How many places a line has where there is no terminal: columns and lines.
PAPER = (120, 50)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe `groundup view` to the command line's parser."""
    parser = commands.add_parser(
        "view",
        help="show a recording of a program",
        description="Write a page that shows a recording, print its name, and open it in a "
        "browser. The page is one file that needs neither a network nor anything beside it.",
    )
    parser.add_argument("recording", type=Path, metavar="FILE", help="a recording, as run.weave")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--text", action="store_true", help="print a drawing and tables instead")
    forms.add_argument("--json", action="store_true", help="print all that is known, in JSON")
    forms.add_argument(
        "--perfetto", type=Path, metavar="OUT", help="write a trace for Perfetto's viewer instead"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="write the page, the text or the JSON here (default: the page beside the recording, "
        "with .html after its name; the others to standard output)",
    )
    parser.add_argument("--no-open", action="store_true", help="do not open the page in a browser")
    parser.set_defaults(carry_out=carry_out, parser=parser)


def carry_out(options: argparse.Namespace) -> int:
    """Show what the parsed `options` ask for and return the command's exit code."""
    from groundup.view import weave

    if options.perfetto and options.output:
        options.parser.error("argument -o/--output: not allowed with argument --perfetto")
    try:
        shown = weave.load(options.recording)
    except OSError as error:
        return _fail(options.recording, error.strerror)
    except ValueError as error:
        return _fail(options.recording, error)
    try:
        _form(options)(shown, options)
    except BrokenPipeError:
        # Who read has had enough. The interpreter would try once more to write what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _fail(error.filename or "standard output", error.strerror)
    return SUCCESS


def _fail(name: object, reason: object) -> int:
    print(f"groundup view: {name}: {reason}", file=sys.stderr)
    return FAILED


def _form(options: argparse.Namespace) -> Callable[[Weave, argparse.Namespace], None]:
    if options.text:
        return _print_text
    if options.json:
        return _print_json
    return _write_trace if options.perfetto else _write_page


def _print_text(weave: Weave, options: argparse.Namespace) -> None:
    from groundup.view import terminal

    width = PAPER[0] if options.output else shutil.get_terminal_size(PAPER).columns
    with _output(options) as file:
        terminal.write(weave, file, width)


def _print_json(weave: Weave, options: argparse.Namespace) -> None:
    from groundup.view import document

    with _output(options) as file:
        document.write(weave, file)


@contextmanager
def _output(options: argparse.Namespace) -> Iterator[TextIO]:
    if options.output:
        with options.output.open("w", encoding="utf-8") as file:
            yield file
        return
    # A terminal may lack the characters of the drawing.
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="replace")
    yield sys.stdout
    sys.stdout.flush()


def _write_trace(weave: Weave, options: argparse.Namespace) -> None:
    from groundup.view import trace

    with options.perfetto.open("w", encoding="utf-8") as file:
        trace.write(weave, file)


def _write_page(weave: Weave, options: argparse.Namespace) -> None:
    from groundup.view import page

    path = options.output or options.recording.with_name(f"{options.recording.name}.html")
    path.write_bytes(page.render(weave))
    print(path)
    if not options.no_open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
