"""What talks to the servers: groundup-load, and wrk for HTTP. Both are native."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from .program import Failed, started

if TYPE_CHECKING:
    from .setting import Setting

LIMIT = 90.0
REPORT = Path(__file__).with_name("wrk.lua")
# Talks for as long as was set, and tells of it: requests, seconds, p50, p99 and busy.
Talking: TypeAlias = Callable[[], dict[str, Any]]


class Load(ABC):
    """What a server has to bear."""

    size: int = 0

    @abstractmethod
    def held(self, setting: Setting) -> int:
        """How many connections there are."""

    @abstractmethod
    def against(self, address: str, setting: Setting) -> AbstractContextManager[Talking]:
        """Connect and warm up."""


@dataclass(frozen=True)
class Talk(Load):
    """Connections that each send a request, wait for the reply, and begin again."""

    size: int = 1024
    connections: int = 20
    transport: str = "tcp"
    """Or unix, udp, tls, websocket."""
    reply: int | None = None
    idle: int = 0
    """Connections beside those, which say one thing in the beginning and stay."""
    reconnect: bool = False
    """A new connection for each request."""

    def held(self, setting: Setting) -> int:
        """How many connections there are."""
        return self._idle(setting) + self._talking(setting)

    def _idle(self, setting: Setting) -> int:
        # As many as may be open at once, less what else is.
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return min(setting.scaled(self.idle), limit - 100) if self.idle else 0

    def _talking(self, setting: Setting) -> int:
        # A scaled-down run does with less of them, and no less than one.
        return min(self.connections, max(5, setting.scaled(self.connections)))

    @contextlib.contextmanager
    def against(self, address: str, setting: Setting) -> Iterator[Talking]:
        """Connect and warm up."""
        with started(self._command(address, setting), LIMIT) as load:
            assert load.hear() == "ready"
            yield lambda: load.ask("go")

    def _command(self, address: str, setting: Setting) -> list[Any]:
        line: list[Any] = [setting.load, "talk", "--size", self.size]
        line += ["--connections", self._talking(setting)]
        line += ["--seconds", setting.seconds, "--warmup", setting.warmup]
        line += ["--unix" if self.transport == "unix" else "--address", address]
        transports: dict[str, list[Any]] = {
            "tls": ["--ca", setting.folder / "authority.crt"],
            "udp": ["--udp"],
            "websocket": ["--websocket"],
        }
        line += transports.get(self.transport, [])
        line += ["--idle", self._idle(setting)]
        if self.reply:
            line += ["--reply", self.reply]
        return line + (["--reconnect"] if self.reconnect else [])


@dataclass(frozen=True)
class Wrk(Load):
    """HTTP requests over connections that are kept."""

    connections: int = 64

    def held(self, setting: Setting) -> int:
        """How many connections there are."""
        return self.connections

    @contextlib.contextmanager
    def against(self, address: str, setting: Setting) -> Iterator[Talking]:
        """Warm up with a run of its own, where one is wanted: wrk cannot do it otherwise."""
        if not shutil.which("wrk"):
            raise Failed("wrk is not installed")
        if setting.warmup >= 0.1:
            self._run(address, 1)
        yield lambda: self._run(address, math.ceil(setting.seconds))

    def _run(self, address: str, seconds: int) -> dict[str, Any]:
        line = ["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "-s", str(REPORT)]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*line, f"http://{address}/"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout
        with process.stdout as stdout:
            output = stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - began
        if process.returncode or not output.strip():
            raise Failed(output.strip() or f"wrk ended with {process.returncode}")
        said = json.loads(output.splitlines()[-1])
        if said["errors"] or not said["requests"]:
            raise Failed(f"wrk: {said['errors']} errors in {said['requests']} requests")
        return {**said, "busy": (used.ru_utime + used.ru_stime) / took}
