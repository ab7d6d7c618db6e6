"""One attempt at one URL: asks for what is missing and appends it to the partial file.

It promises that an attempt that returns has brought all bytes of one version of the remote file,
and that no body is held in memory. It must not know when or how often attempts are made.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from groundup.command.wget.failures import Failure, Kind, of_status
from groundup.command.wget.partial import Partial
from groundup.command.wget.transfers import Transfer
from groundup.command.wget.version import Range, Version

_WHOLE = frozenset({200, 203})
_PART = 206
_NO_SUCH_RANGE = 416


class Outdated(Exception):
    """The partial file is of no use any more: the remote file is another one now."""


async def attempt(
    session: aiohttp.ClientSession, url: URL, partial: Partial, transfer: Transfer
) -> None:
    """Bring `partial` from the bytes it has to all bytes of `url`.

    Raises Outdated when it has to start without those bytes, Failure for an answer that is of no
    use, and what aiohttp raises.
    """
    async with session.get(url, headers=_missing(partial)) as response:
        total = _accept(response, partial)
        encoding = partial.version.encoding if partial.version else None
        transfer.start(partial.size, total, encoding)
        async for chunk in response.content.iter_any():
            partial.append(chunk)
            transfer.grow(len(chunk))
    if total is not None and partial.size != total:
        problem = f"{partial.size} of {total} bytes came"
        raise Failure(Kind.CUT, problem, passing=True)


def _missing(partial: Partial) -> dict[str, str]:
    """The headers that ask for what comes after the bytes of `partial`, if it is still the same."""
    if not partial.size or not partial.version or not partial.version.validator:
        return {}
    return {"Range": f"bytes={partial.size}-", "If-Range": partial.version.validator}


def _accept(response: aiohttp.ClientResponse, partial: Partial) -> int | None:
    """Make `partial` ready for the body of `response`; return the size of the whole, if known."""
    version = Version.of(response.headers, response.content_length)
    if response.status in _WHOLE:
        partial.start_over(version)
        return version.total
    asked = "Range" in _missing(partial)
    if asked and response.status == _PART:
        part = Range.of(response.headers)
        if part and partial.version and partial.version.continues(part, version, partial.size):
            return part.total
        raise Outdated
    if asked and response.status == _NO_SUCH_RANGE:
        raise Outdated
    raise of_status(response.status, response.reason or "", _retry_after(response))


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """The seconds that Retry-After asks for (RFC 9110, section 10.2.3), or None."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
