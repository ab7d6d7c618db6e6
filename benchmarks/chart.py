"""Results as a chart: one line for each row, a mark on it for how groundup stands to each peer."""

from __future__ import annotations

from pathlib import Path

from .peers import BY_HAND, LOOPS, OURS
from .results import Result

MARKS = {
    BY_HAND: ("black", "|"),
    "asyncio": ("tab:blue", "o"),
    "uvloop": ("tab:orange", "s"),
    "rloop": ("tab:red", "^"),
    "zuvloop": ("tab:purple", "D"),
}
LINE_HEIGHT = 0.19
# In inches, for the title, the axis and the legend.
MARGIN = 1.4
WIDTH = 10.0


def draw(path: Path, results: list[Result], title: str) -> None:
    """Write the chart as SVG."""
    # Only who draws needs it, and has it installed.
    import matplotlib
    from matplotlib import ticker
    from matplotlib.figure import Figure

    figure = Figure((WIDTH, MARGIN + LINE_HEIGHT * len(results)), layout="constrained")
    axes = figure.add_subplot()
    for peer in (BY_HAND, *(loop for loop in LOOPS if loop != OURS)):
        points = [
            (ratio, line)
            for line, result in enumerate(results)
            if (ratio := ratio_of(result, peer)) is not None
        ]
        if points:
            color, mark = MARKS[peer]
            ratios, places = zip(*points, strict=True)
            axes.scatter(ratios, places, s=22, color=color, marker=mark, label=peer, zorder=3)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.set_yticks(range(len(results)), [labelled(result) for result in results], fontsize=7)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.axvline(1, color="gray", linewidth=1)
    axes.grid(alpha=0.3)
    axes.set_xlabel("how many times what groundup needs; right of 1× groundup is ahead")
    axes.set_title(title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.6 / figure.get_figheight()), ncols=5)
    # Text stays text, and the same results give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "groundup"}):
        figure.savefig(path, metadata={"Date": None})


def ratio_of(result: Result, peer: str) -> float | None:
    """The ratio of the row's first figure."""
    compared = result.compared(peer, result.figures[0])
    return compared.ratio if compared else None


def labelled(result: Result) -> str:
    """A row's name, and the figure that it is judged by."""
    return f"{result.name}  ({result.figures[0]})"
