"""Running whole programs on the loop: within a time limit, and with nothing left to report."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme

import groundup

from . import database_servers

# In seconds; far longer than any test takes, and shorter than pytest's own limit.
LIMIT = 45


@pytest.fixture(scope="module", autouse=True)
def _few_objects(few_objects: None) -> None:
    """All these tests collect garbage."""


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    """What the loop hands to its exception handler; a test that expects it empties the list."""
    return []


@pytest.fixture
def run(reports: list[dict[str, Any]]) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run a coroutine on groundup's loop."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        async def limited() -> Any:
            assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)
            async with asyncio.timeout(LIMIT):
                return await main

        with asyncio.Runner(loop_factory=groundup.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(lambda _, report: reports.append(report))
            return runner.run(limited())

    yield run
    # What is left over warns or reports now, in the test that made it.
    gc.collect()
    assert reports == []


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that only these tests trust."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with server.key and server.crt, for localhost and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificate")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "server.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(folder / "server.crt", append=True)
    return folder


@pytest.fixture(scope="session")
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.crt", certificate / "server.key")
    return context


@pytest.fixture(scope="session")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """It trusts that authority only, and checks names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@pytest.fixture
def run_anyio(reports: list[dict[str, Any]]) -> Iterator[Callable[..., None]]:
    """Run a coroutine function with anyio on groundup's loop."""
    options = {"loop_factory": groundup.new_event_loop}

    async def limited(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, groundup.EventLoop)
        loop.set_exception_handler(lambda _, report: reports.append(report))
        with anyio.fail_after(LIMIT):
            await main()

    yield lambda main: anyio.run(limited, main, backend_options=options)
    gc.collect()
    assert reports == []


@pytest.fixture(scope="session")
def postgresql(certificate: Path) -> Iterator[database_servers.DatabaseServer]:
    """A PostgreSQL server."""
    with database_servers.postgresql(certificate) as started:
        yield started


@pytest.fixture(scope="session")
def redis_server(certificate: Path) -> Iterator[database_servers.DatabaseServer]:
    """A Redis server."""
    with database_servers.redis(certificate) as started:
        yield started
