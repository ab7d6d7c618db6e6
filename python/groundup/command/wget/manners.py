"""How to download, as the command line asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """The manners of one command.

    `folder` is where files go; with `paths` the folders of a URL's path are kept; with `go_on`
    files that are there already are taken as done. `at_once` downloads run at a time; each is
    tried again after up to `retries` failures in a row, and `timeout` seconds of silence are one.
    """

    folder: Path
    paths: bool
    go_on: bool
    at_once: int
    retries: int
    timeout: float
