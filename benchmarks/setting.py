"""What all measurements of a run have in common: how long, how many, on which cores, with what."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .backends import Backends
from .certificates import write_certificates


@dataclass(frozen=True)
class Setting:
    """How to measure."""

    seconds: float
    """How long a measurement takes, at least, where the row has no fixed number of operations."""
    warmup: float
    """How long a load runs before that."""
    scale: float
    """What fixed numbers of operations, connections and so on are multiplied with."""
    core: int
    """Where the measured process runs; everything else runs on another core."""
    load: Path
    """The program groundup-load."""
    folder: Path
    """For sockets; it holds the certificates."""
    backends: Backends

    def scaled(self, number: int) -> int:
        """A number of things, as many as this run can do with."""
        return max(1, round(number * self.scale))


@contextlib.contextmanager
def settle(seconds: float, warmup: float, scale: float, load: Path) -> Iterator[Setting]:
    """Give a setting; keep this process, and with it all loads, off the core that is measured."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])
    raise_limit()
    with TemporaryDirectory(prefix="groundup-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        write_certificates(folder)
        backends = Backends(stack, load, folder)
        yield Setting(seconds, warmup, scale, cores[0], load, folder, backends)
    os.sched_setaffinity(0, cores)


def raise_limit(wanted: int = 50_000) -> None:
    """Allow many open files, as many as one may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
