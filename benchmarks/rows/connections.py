"""Storms: a connection is made for each request, and closed after the reply."""

from __future__ import annotations

from ..loads import Talk
from ..served import Served, Site
from .echo import BY_HAND, STYLES

WHAT = "Connect, 64 bytes each way, close, twenty at a time."


def row(transport: str, style: str) -> None:
    """Make one row."""

    async def serve(site: Site):
        return await STYLES[style](site, transport)

    Served(
        f"connections/{transport}/{style}",
        serve,
        Talk(64, 20, transport, reconnect=True),
        per="connection",
        by_hand=BY_HAND.get(transport) if style == "protocol" else None,
        what=f"{WHAT} {STYLES[style].__doc__}",
    )


for style in ("protocol", "streams", "sock"):
    row("tcp", style)
row("unix", "protocol")
row("tls", "protocol")
row("tls", "streams")
