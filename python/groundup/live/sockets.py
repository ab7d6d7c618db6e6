"""Where the sockets of programs lie that can be looked at: in a folder that is the user's alone.

It promises that nobody else can reach a socket in such a folder, nor have put one there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".sock"


def folders() -> list[Path]:
    """Return the folders in which sockets may lie, the best first, whether they exist or not."""
    user = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    found = [Path(runtime, "groundup")] if os.path.isabs(runtime) else []
    found += [Path(f"/run/user/{user}/groundup"), Path(f"/tmp/groundup-{user}")]
    return list(dict.fromkeys(found))


def is_private(folder: Path) -> bool:
    """Return whether `folder` is a folder of the user's own that nobody else may enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and stat.S_IMODE(found.st_mode) & 0o077 == 0
    )


def made_folders() -> Iterator[Path]:
    """Yield the folders that are private; one that does not exist is made when its turn comes."""
    for folder in folders():
        try:
            folder.mkdir(mode=0o700)
        except OSError:
            # It exists, or cannot be made; which of both shows below.
            pass
        if is_private(folder):
            yield folder


def name(folder: Path, process: int) -> Path:
    """Return the name of the socket of the process with this number, in `folder`."""
    return folder / f"{process}{SUFFIX}"


def found(process: int | None = None) -> list[Path]:
    """Return the sockets of all processes, or of one, that lie in private folders."""
    private = [folder for folder in folders() if is_private(folder)]
    if process is not None:
        named = [name(folder, process) for folder in private]
        return [path for path in named if path.is_socket()]
    every = [path for folder in private for path in folder.glob(f"*{SUFFIX}")]
    return [path for path in every if path.stem.isdecimal()]
