"""Which file a URL is saved in: a name taken from its path that stays below one folder.

It promises that no name leaves the folder, hides, follows a link, or is given twice; and that the
same URLs in the same order and the same folder get the same names. It must not know the network.
"""

from __future__ import annotations

import stat
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from yarl import URL

# A file system allows 255 bytes; the rest is for numbers and for the name of the partial file.
LONGEST = 200
LONGEST_SUFFIX = 20
UNNAMED = "index.html"


class Place(NamedTuple):
    """Where a URL goes: the file's `path`, its `base` name without a number, and if it `exists`."""

    path: Path
    base: str
    exists: bool


class Names:
    """Gives every URL a place of its own below `folder`.

    With `paths` the folders of the URL's path are kept. With `go_on` a file that is there is the
    URL's place; else the place is one where nothing is yet: NAME, NAME.1, NAME.2 and so on.
    """

    def __init__(self, folder: Path, *, paths: bool = False, go_on: bool = False) -> None:
        self._folder = folder
        self._paths = paths
        self._go_on = go_on
        self._files: set[Path] = set()
        self._folders: dict[Path, Path] = {folder: folder}
        self._last: dict[Path, int] = {}

    def place(self, url: URL) -> Place:
        """The place of `url`. Raises OSError when the folder cannot be looked into."""
        *outer, last = url.raw_path.split("/")
        folder = self._folder
        for segment in filter(None, outer if self._paths else []):
            folder = self._folder_for(folder / plain(segment))
        base = plain(last) if last else UNNAMED
        path = self._first(folder / base, self._can_be_file)
        self._files.add(path)
        return Place(path, base, _mode(path) is not None)

    def another(self, place: Place) -> Place:
        """A place beside `place`, which somebody else has just taken."""
        path = self._first(place.path.with_name(place.base), self._is_nothing)
        self._files.add(path)
        return Place(path, place.base, exists=False)

    def _folder_for(self, wanted: Path) -> Path:
        if wanted not in self._folders:
            given = self._first(wanted, self._can_be_folder)
            self._folders |= {wanted: given, given: given}
        return self._folders[wanted]

    def _first(self, path: Path, suits: Callable[[Path], bool]) -> Path:
        candidate, number = path, 0
        while not suits(candidate):
            # Numbers below the last one are taken for good: thousands of one name stay cheap.
            number = max(number + 1, self._last.get(path, 0))
            candidate = path.with_name(f"{path.name}.{number}")
        if number:
            self._last[path] = number
        return candidate

    def _can_be_folder(self, path: Path) -> bool:
        mode = _mode(path)
        return path not in self._files and (mode is None or stat.S_ISDIR(mode))

    def _can_be_file(self, path: Path) -> bool:
        if path in self._files or path in self._folders:
            return False
        mode = _mode(path)
        return mode is None or (self._go_on and stat.S_ISREG(mode))

    def _is_nothing(self, path: Path) -> bool:
        return path not in self._files and path not in self._folders and _mode(path) is None


def plain(segment: str) -> str:
    """A file name for one percent-encoded `segment` of a URL's path, of at most LONGEST bytes.

    Slashes, NUL and everything that does not print become `_`, as does a dot in front, so that no
    name is `..`, hides, or looks like one of this command's own partial files. A segment that is
    not UTF-8 stays percent-encoded.
    """
    try:
        text = urllib.parse.unquote(segment, errors="strict")
    except UnicodeDecodeError:
        text = segment
    text = "".join(c if c.isprintable() and c != "/" else "_" for c in text)
    if text.startswith("."):
        text = "_" + text[1:]
    return _shorten(text)


def _shorten(name: str) -> str:
    data = name.encode()
    if len(data) <= LONGEST:
        return name
    suffix = Path(name).suffix.encode()
    suffix = suffix if len(suffix) <= LONGEST_SUFFIX else b""
    return (data[: LONGEST - len(suffix)]).decode(errors="ignore") + suffix.decode()


def _mode(path: Path) -> int | None:
    """What is at `path`, links not followed, or None when there is nothing."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
