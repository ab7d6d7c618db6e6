"""What the partial file asks of the file system, where the standard library has no one call for it.

It promises that no link is followed, nothing that exists is overwritten, and one process at a time
has a file. It must not know what is in the files.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from groundup.command.wget.failures import Failure, Kind, of_disk

T = TypeVar("T")

_ALONE = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def as_failure() -> Iterator[None]:
    """Turn an OSError into a Failure of the kind `disk`."""
    try:
        yield
    except OSError as error:
        raise of_disk(error) from error


def open_alone(path: Path) -> int:
    """Open `path` for appending, make it if need be, and lock it; return the descriptor.

    Raises Failure when another process has it, and OSError.
    """
    while True:
        file = os.open(path, _ALONE, 0o666)
        try:
            _lock(file)
            if _is_at(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def write_new(path: Path, text: str) -> None:
    """Make the file `path` with `text` in it. Raises FileExistsError when something is there."""
    with open(os.open(path, _NEW, 0o666), "w", encoding="utf-8") as file:
        file.write(text)


def take_name(path: Path, name: Path) -> bool:
    """Give the file `path` its new `name`, unless something has that name: then return False."""
    try:
        # Unlike a rename, a link fails where something exists, whoever made it and when.
        os.link(path, name, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links: there is a moment between look and leap.
        if os.path.lexists(name):
            return False
        os.rename(path, name)
    else:
        path.unlink()
    return True


async def in_thread(work: Callable[[Path], T], path: Path) -> T:
    """Run `work` on `path` in a thread. When cancelled, wait for its end: it uses our files."""
    running = asyncio.get_running_loop().run_in_executor(None, work, path)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _lock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(Kind.DISK, "another process is downloading it to this folder") from None
    except OSError:
        pass  # A file system without locks.


def _is_at(file: int, path: Path) -> bool:
    """Whether `file` is what `path` names: its last owner may have finished in between."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False
