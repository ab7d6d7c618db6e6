"""Real database servers: each in a new folder, on loopback, with nothing kept.

PostgreSQL and Redis have to be installed; their packages' own services are not used.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .processes import started

DEBIAN = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)


class DatabaseServer(NamedTuple):
    """Where a server listens: on ports of 127.0.0.1, and on a socket in a folder."""

    port: int
    tls_port: int
    folder: Path


def find(name: str) -> str:
    """Return a program's path; without it there is nothing to test against."""
    if path := shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *DEBIAN])):
        return path
    if os.environ.get("GROUNDUP_TEST_SERVERS") == "required":
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed")


@contextlib.contextmanager
def postgresql(certificate: Path) -> Iterator[DatabaseServer]:
    """Give a PostgreSQL server with a superuser named postgres, who needs no password."""
    initdb, postgres = find("initdb"), find("postgres")
    with owned_folder() as (folder, user):
        data = folder / "data"
        arguments = ["--username=postgres", "--auth=trust", "--no-sync", "--no-locale"]
        command = [initdb, "--pgdata", str(data), "--encoding=UTF8", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
        give_certificate(certificate, data, user)
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",
            "ssl": "on",
            "shared_buffers": "8MB",
        }
        options = [word for name in settings for word in ("-c", f"{name}={settings[name]}")]
        with started(postgres, "-D", str(data), *options, cwd=folder, **user) as program:
            program.hear("ready to accept connections")
            yield DatabaseServer(port, port, folder)
            # This signal ends it without waiting for its clients.
            assert program.end(signal.SIGINT) == 0, program.said


@contextlib.contextmanager
def redis(certificate: Path) -> Iterator[DatabaseServer]:
    """Give a Redis server, whose socket is `redis.sock`."""
    path = find("redis-server")
    with owned_folder() as (folder, user):
        give_certificate(certificate, folder, user)
        port, tls_port = free_port(), free_port()
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "unixsocket": folder / "redis.sock",
            "tls-port": tls_port,
            "tls-cert-file": folder / "server.crt",
            "tls-key-file": folder / "server.key",
            "tls-auth-clients": "no",
            "save": "",
        }
        options = [word for name in settings for word in (f"--{name}", str(settings[name]))]
        with started(path, *options, cwd=folder, **user) as program:
            program.hear("Ready to accept connections")
            yield DatabaseServer(port, tls_port, folder)


@contextlib.contextmanager
def owned_folder() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give a folder, and how to run a process as its owner, who is never root.

    PostgreSQL refuses to run as root. The folder's path is short, as that of a socket must be.
    """
    with tempfile.TemporaryDirectory(prefix="groundup-") as name:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(name, nobody.pw_uid, nobody.pw_gid)
        yield Path(name), user


def give_certificate(certificate: Path, folder: Path, user: dict[str, Any]) -> None:
    """Copy server.key and server.crt, as the owner's."""
    for name in ("server.key", "server.crt"):
        copy = shutil.copy(certificate / name, folder)
        os.chmod(copy, 0o600)
        if user:
            os.chown(copy, user["user"], user["group"])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
