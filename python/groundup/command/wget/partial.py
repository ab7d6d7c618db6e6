"""The partial file: what has arrived of one URL, under a hidden name, until it is whole.

It promises that a file's own name appears only when all its bytes are on the disk, and that bytes
are resumed only if they are known to belong to one version of the remote file. It must not know
HTTP beyond a Version.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from groundup.command.wget.disk import as_failure, in_thread, open_alone, take_name, write_new
from groundup.command.wget.names import Place
from groundup.command.wget.version import Version

# Below this many bytes a new start costs less than to note the version and ask for the rest.
WORTH_RESUMING = 64 * 1024


class Partial:
    """The bytes of `url` so far, beside the `place` they are for. A context manager.

    `size` is the number of bytes, `version` the version they belong to (None: there are none yet).
    Leaving the context keeps what can be resumed and removes the rest. Each method raises a Failure
    of the kind `disk` where the file system refuses.
    """

    def __init__(self, place: Place, url: str) -> None:
        # Named after the URL too: another one of the same name neither finds nor touches it.
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        self._path = place.path.with_name(f".{place.base}.{mark}.part")
        self._note = self._path.with_name(self._path.name + ".json")
        self._noted = self._named = False
        self.size = 0
        self.version: Version | None = None

    def __enter__(self) -> Self:
        with as_failure():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open_alone(self._path)
            try:
                self._recall()
            except BaseException:
                os.close(self._file)
                raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            # The names go while the lock is held, so they are never those of the next process.
            if not self._named and not (self._noted and self.size):
                self._forget()
                self._path.unlink()
        except OSError:
            pass  # The folder cannot be written to any more: the leftover is hidden and not whole.
        finally:
            os.close(self._file)

    def start_over(self, version: Version | None) -> None:
        """Drop all bytes; what is appended next belongs to `version`."""
        with as_failure():
            self._drop()
            self.version = version
            if version is None or version.validator is None:
                return
            if version.total is None or version.total >= WORTH_RESUMING:
                write_new(self._note, version.to_json())
                self._noted = True

    def append(self, data: bytes) -> None:
        """Add `data` after the bytes that are there."""
        # Straight from the loop: a chunk is what aiohttp has buffered, 128 KiB at most. Where this
        # was measured, 64 KiB went into the page cache in 27 us and 128 KiB in 180 us, while a trip
        # to a thread and back cost 57 us more. What does take long, finishing, goes to a thread.
        view = memoryview(data)
        with as_failure():
            while view:
                written = os.write(self._file, view)
                self.size += written
                view = view[written:]

    async def finish(self, place: Place, another: Callable[[Place], Place]) -> Place:
        """Put all bytes on the disk, then give them the name of `place`; return the place used.

        Where something else has that name by now, asks `another` for a new one.
        """
        with as_failure():
            while not await in_thread(self._settle, place.path):
                place = another(place)
        return place

    def _settle(self, name: Path) -> bool:
        try:
            os.fsync(self._file)
        except OSError:
            # Which bytes were lost is unknown: there is nothing to resume.
            self._drop()
            raise
        self._named = take_name(self._path, name)
        if self._named:
            self._forget()
        return self._named

    def _recall(self) -> None:
        self.size = os.fstat(self._file).st_size
        self._noted = self._note.exists()
        try:
            self.version = Version.from_json(self._note.read_text()) if self._noted else None
        except ValueError:
            pass
        total = self.version.total if self.version else None
        if self.version is None or (total is not None and self.size > total):
            self._drop()
        elif self.size == total:
            # All is there but the name: asking for the last byte asks whether it is still true.
            self.size -= 1
            os.ftruncate(self._file, self.size)

    def _drop(self) -> None:
        # In this order a crash at any point leaves no note beside bytes of another version.
        self._forget()
        if self.size:
            os.ftruncate(self._file, 0)
        self.size, self.version = 0, None

    def _forget(self) -> None:
        if self._noted:
            self._note.unlink()
            self._noted = False
