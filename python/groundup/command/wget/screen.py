"""The live display on a terminal: a bar for each file under way, and one for all of them.

It promises to cost a download nothing: it looks at the tally a few times a second, draws what fits
on the screen, and ignores the rest. It must not be told of every chunk.
"""

from __future__ import annotations

import itertools
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from groundup.command.wget.display import Display
from groundup.command.wget.transfers import Tally, Transfer

FRAMES_PER_SECOND = 8
MOST_ROWS = 16


class Screen(Display):
    """Draws `tally` on the terminal of standard output while the context lasts."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._console = Console()
        self._live = Live(
            get_renderable=self.draw,
            console=self._console,
            refresh_per_second=FRAMES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def draw(self) -> Table:
        """The picture of this moment."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(ratio=2, no_wrap=True, overflow="ellipsis")
        table.add_column(ratio=2)
        table.add_column(justify="right", no_wrap=True)
        # The rows that fit: all others, the total and the cursor need a line each.
        room = max(0, min(MOST_ROWS, self._console.size.height - 3))
        active = list(self._tally.active)
        for transfer in itertools.islice(active, room):
            table.add_row(Text(transfer.name), _bar(transfer), _state(transfer))
        if len(active) > room:
            table.add_row(Text(f"and {len(active) - room} more", style="dim"))
        table.add_row(*self._total())
        return table

    def _total(self) -> tuple[Text, ProgressBar, Text]:
        tally = self._tally
        failed = f", {len(tally.failures):,} failed" if tally.failures else ""
        return (
            Text(f"{tally.done:,} of {tally.wanted:,} files{failed}", style="bold"),
            ProgressBar(total=max(tally.wanted, 1), completed=tally.done),
            Text(f"{decimal(tally.received)} {decimal(int(tally.speed))}/s", style="bold"),
        )


def _bar(transfer: Transfer) -> ProgressBar:
    # Without a total the bar pulses, which would look busy where nothing comes.
    unknown = None if transfer.here and not transfer.waiting else 1
    return ProgressBar(total=transfer.total or unknown, completed=transfer.here)


def _state(transfer: Transfer) -> Text:
    if transfer.waiting:
        return Text(transfer.waiting, style="yellow")
    if not transfer.here:
        return Text("connecting", style="dim")
    of_total = f"/{decimal(transfer.total)}" if transfer.total is not None else ""
    return Text(f"{decimal(transfer.here)}{of_total} {decimal(int(transfer.speed))}/s")
