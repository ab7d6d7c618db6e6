"""What the clients among the rows are clients of; each is started when the first row needs it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.programs import database_servers

from .program import Failed, started

# Longer than any run: they stay until its end.
LIMIT = 24 * 60 * 60.0


class Backends:
    """Servers by name: `http`, `postgresql` and `redis`."""

    def __init__(self, stack: contextlib.ExitStack, load: Path, folder: Path) -> None:
        self._stack = stack
        self._load = load
        self._folder = folder
        self._addresses: dict[str, str] = {}

    def address(self, name: str) -> str:
        """Return HOST:PORT of the server, which runs from now on; raise Failed without it."""
        if name not in self._addresses:
            try:
                self._addresses[name] = getattr(self, f"_{name}")()
            except (pytest.skip.Exception, pytest.fail.Exception) as missing:
                raise Failed(str(missing)) from None
        return self._addresses[name]

    def _http(self) -> str:
        line = [self._load, "serve", "--answer", "http"]
        return self._stack.enter_context(started(line, LIMIT)).hear()["address"]

    def _postgresql(self) -> str:
        server = self._stack.enter_context(database_servers.postgresql(self._folder))
        return f"127.0.0.1:{server.port}"

    def _redis(self) -> str:
        server = self._stack.enter_context(database_servers.redis(self._folder))
        return f"127.0.0.1:{server.port}"
