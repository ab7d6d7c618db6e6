"""The command: `python -m benchmarks [ROW…]`, which `make bench` calls."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import peers, results, rounds, table
from .program import ROOT
from .row import Row, load_rows, select
from .setting import settle

DOCUMENTS = Path(ROOT, "docs", "benchmarks")


def main() -> int:
    """Measure, show, and write; return the exit code."""
    options = parse(sys.argv[1:])
    load_rows()
    try:
        rows = select(options.rows or ["*"])
    except ValueError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    if options.list:
        print(*(f"{row.name:<38} {row.what}" for row in rows), sep="\n")
        return 0
    measured = measure(rows, options)
    show(measured)
    if options.output:
        write(options.output, measured)
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a smoke test is a run with small numbers, of which nothing is kept."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Compare event loops.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="names or patterns, as in 'echo/*'")
    parser.add_argument("--list", action="store_true", help="show the rows and what they do")
    parser.add_argument(
        "--loops", type=lambda names: names.split(","), help="default: all there are"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement, at least")
    parser.add_argument(
        "--output", type=Path, help="the folder to write to; default: docs/benchmarks"
    )
    parser.add_argument("--load", type=Path, default=built_load(), help="the program groundup-load")
    parser.add_argument("--smoke", action="store_true", help="only see that all rows run")
    options = parser.parse_args(arguments)
    if not options.load.exists():
        parser.error(f"{options.load} is not there; `make bench` and `make test-python` build it")
    if missing := set(options.loops or ()) - peers.installed().keys():
        parser.error(f"not installed: {', '.join(sorted(missing))}")
    options.warmup, options.scale = 0.2, 1.0
    if options.smoke:
        options.rounds, options.seconds, options.warmup, options.scale = 1, 0.01, 0.01, 0.001
        options.loops = options.loops or [peers.OURS]
    # A run without the others has nothing to compare with: it is looked at, and not kept.
    elif not options.loops:
        options.output = options.output or DOCUMENTS
    return options


def built_load() -> Path:
    """Return where cargo puts the load."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or Path(ROOT, "target"))
    return target / "release" / "groundup-load"


def measure(rows: list[Row], options: argparse.Namespace) -> list[results.Result]:
    """Run all rounds behind a progress bar."""
    wanted = options.loops or peers.LOOPS
    versions = {name: it for name, it in peers.installed().items() if name in wanted}
    total = options.rounds * sum(len(row.peers(versions)) for row in rows)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    how = results.conditions(versions, options.rounds, options.seconds)
    with (
        settle(options.seconds, options.warmup, options.scale, options.load) as setting,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        bar = progress.add_task("", total=total, completed=-1)

        def tell(number: int, row: Row, peer: str) -> None:
            description = f"round {number + 1}  {row.name}  {peer}"
            progress.update(bar, advance=1, description=description)

        outcomes = rounds.run(rows, versions, options.rounds, setting, tell)
        progress.update(bar, completed=total)
    return [
        results.Result(row.name, row.per, row.figures, row.what, outcomes[row.name], how)
        for row in rows
    ]


def show(measured: list[results.Result]) -> None:
    """Print what came out, and what did not work."""
    shown = table.terminal(measured)
    # A table that is wider than the terminal is still better than one whose cells are cut.
    width = Console(width=1000).measure(shown).maximum
    Console(width=max(width, Console().width)).print(shown)
    words = [table.LEGEND, *table.failures(measured), table.standing(measured)]
    Console().print(*words, sep="\n", highlight=False)


def write(folder: Path, measured: list[results.Result]) -> None:
    """Write JSON, Markdown and the chart; rows that were not run now stay as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    version = ".".join(platform.python_version_tuple()[:2])
    path = folder / f"python-{version}.json"
    everything = results.merge(results.read(path), measured)
    results.write(path, everything)
    title = f"Event loops on Python {version}"
    chart = path.with_suffix(".svg")
    picture = draw_chart(chart, everything, title)
    text = f"# {title}\n\n{picture}{table.markdown(everything)}"
    path.with_suffix(".md").write_text(text)


def draw_chart(path: Path, everything: list[results.Result], title: str) -> str:
    """Draw, where the library for it is installed; return the Markdown that shows the chart."""
    try:
        from .chart import draw

        draw(path, everything, title)
    except ModuleNotFoundError as missing:
        print(f"benchmarks: no chart, {missing}", file=sys.stderr)
        return ""
    return f"![How many times better groundup is than each peer]({path.name})\n\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
