"""What is to be downloaded: the URLs of the command line and of lists, each one once.

It promises an answer for every line: a URL to download, one that was there before, or a Failure.
It must not know the network or the folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from yarl import URL

from groundup.command.wget.failures import Failure, Kind

_STDIN = 0


@dataclass(slots=True)
class Plan:
    """The `urls` to download in their order, how many were `repeated`, and those that are none.

    Kept as text: a list of many thousands stays small.
    """

    urls: dict[str, None] = field(default_factory=dict)
    repeated: int = 0
    failures: list[tuple[str, Failure]] = field(default_factory=list)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Plan:
        """Sort `texts` into a plan."""
        plan = cls()
        for text in texts:
            try:
                url = str(parse(text))
            except Failure as failure:
                plan.failures.append((text, failure))
                continue
            plan.repeated += url in plan.urls
            plan.urls[url] = None
        return plan


def read(urls: Iterable[str], lists: Iterable[str]) -> Iterator[str]:
    """The `urls`, then those in the files `lists`, where `-` is standard input.

    Empty lines and lines that begin with # are left out. Raises OSError for a list that cannot be
    read.
    """
    yield from urls
    for name in lists:
        # Bytes that are not UTF-8 become surrogates, which no URL has: that line alone fails.
        file = _STDIN if name == "-" else name
        with open(
            file, encoding="utf-8-sig", errors="surrogateescape", closefd=name != "-"
        ) as list_:
            lines = (line.strip() for line in list_)
            yield from (line for line in lines if line and not line.startswith("#"))


def parse(text: str) -> URL:
    """The URL that `text` is, without a fragment. Raises Failure when it cannot be downloaded."""
    try:
        url = URL(text).with_fragment(None)
        host = url.host
        str(url.port)  # Raises for a port that is none.
    except UnicodeError:
        raise Failure(Kind.URL, "not text that a host name can have") from None
    except ValueError as error:
        raise Failure(Kind.URL, str(error)) from None
    if not url.scheme:
        raise Failure(Kind.URL, "no scheme: an http or https URL begins with http:// or https://")
    if url.scheme not in ("http", "https"):
        raise Failure(Kind.URL, f"the scheme {url.scheme} is neither http nor https")
    if not host:
        raise Failure(Kind.URL, "no host")
    return url
