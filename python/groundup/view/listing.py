"""Long lists in JSON, written piece by piece: all of one at once would take much memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, TextIO

#: So many items are encoded at a time. To encode each by itself takes three times as long.
PIECE = 1000

_encode = json.JSONEncoder(separators=(",", ":")).encode


def write(items: Iterable[dict[str, Any]], file: TextIO) -> None:
    """Write a list of objects."""
    remaining, separator = iter(items), "["
    while piece := list(islice(remaining, PIECE)):
        file.write(f"{separator}\n{_encode(piece)[1:-1]}")
        separator = ","
    file.write("]" if separator == "," else "[]")
