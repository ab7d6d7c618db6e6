"""Which version of a remote file bytes belong to, so that two versions are never glued together.

It promises to recognise another version whenever the server gives it a chance to, and to ask for a
range only where it does (RFC 9110, sections 8.8, 13.1.5 and 14). It must not know the disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Self

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a remote file.

    `validator` is what If-Range can name it by: a strong entity tag or a date that is old enough
    to be a strong one; `total` its size in bytes and `encoding` its Content-Encoding, if known.
    """

    validator: str | None
    total: int | None
    encoding: str | None

    @classmethod
    def of(cls, headers: Mapping[str, str], total: int | None) -> Self:
        """The version that an answer with these `headers` and `total` bytes of body carries."""
        encoding = headers.get("Content-Encoding", "").strip().lower()
        return cls(_validator(headers), total, None if encoding in ("", "identity") else encoding)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The version that `to_json` wrote. Raises ValueError when it is anything else."""
        try:
            version = cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from None
        sized = version.total is None or (type(version.total) is int and version.total > 0)
        if not sized or not isinstance(version.validator, str):
            raise ValueError("not a version that can be resumed")
        return version

    def to_json(self) -> str:
        """This version as a line of JSON."""
        return json.dumps(asdict(self))

    def continues(self, part: Range, other: Self, size: int) -> bool:
        """Whether an answer with `part` of version `other` goes on after our `size` bytes."""
        return (
            part.start == size
            and part.end >= part.start
            and part.total is not None
            and part.end < part.total
            and self.total in (None, part.total)
            and other.validator in (None, self.validator)
            and other.encoding in (None, self.encoding)
        )


class Range(NamedTuple):
    """A Content-Range: bytes `start` to `end`, both included, of `total` (None: unknown)."""

    start: int
    end: int
    total: int | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self | None:
        """The range that `headers` announce, or None when they announce none that makes sense."""
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if match is None:
            return None
        start, end, total = match.groups()
        return cls(int(start), int(end), None if total == "*" else int(total))


def _validator(headers: Mapping[str, str]) -> str | None:
    tag = headers.get("ETag", "")
    if tag.startswith('"'):
        return tag
    modified, sent = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        age = parsedate_to_datetime(sent) - parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return None
    # A file that changed twice within one second would keep its date.
    return modified if age.total_seconds() >= 1 else None
