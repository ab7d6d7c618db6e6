"""The page: one HTML file that shows a weave in any browser, without a network.

It promises that nothing in a recording becomes markup: the data are compressed and in base64.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from importlib import resources

from groundup.view.weave import Weave

#: The version of what the page reads.
FORMAT = 1
#: Columns begin at multiples of this many bytes.
ALIGNMENT = 8
#: The data stand behind this.
MARKER = b'<script type="application/octet-stream" id="weave">'


def render(weave: Weave) -> bytes:
    """Return the page that shows `weave`, in UTF-8."""
    page = resources.files("groundup.view").joinpath("page.html").read_bytes()
    before, marker, after = page.partition(MARKER)
    # Quick rather than small: a recording has millions of numbers.
    compressor = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS)
    data = compressor.compress(pack(weave)) + compressor.flush()
    return b"".join([before, marker, base64.b64encode(data), after])


def pack(weave: Weave) -> bytes:
    """Return the bytes that the page reads: a head in JSON after its length, and the columns."""
    places: dict[str, dict[str, object]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, (kind, data) in weave.packed.items():
        places[name] = {"type": kind, "offset": offset, "length": len(weave.columns[name])}
        parts += [data, bytes(-len(data) % ALIGNMENT)]
        offset += len(data) + len(parts[-1])
    head = _head(weave, places)
    begin = struct.pack("<I", len(head)) + head
    return b"".join([begin, bytes(-len(begin) % ALIGNMENT), *parts])


def _head(weave: Weave, places: dict[str, dict[str, object]]) -> bytes:
    head = {
        "format": FORMAT,
        "process": weave.process,
        "wall": weave.wall,
        "ended": weave.ended,
        "lost": weave.lost,
        "facts": weave.facts,
        "strings": weave.strings,
        "columns": places,
    }
    return json.dumps(head, separators=(",", ":")).encode()
