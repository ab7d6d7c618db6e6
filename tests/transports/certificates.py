"""TLS for tests: contexts of an authority of their own, and connections made with them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import trustme

from .connections import Recorder, serving, until

NAME = "localhost"


class Echo(Recorder):
    """Sends back what it receives."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(data)


def server_context(authority: trustme.CA, name: str = NAME) -> ssl.SSLContext:
    """Return a context with a certificate for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """Return a context that trusts this authority only, and checks names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@contextlib.asynccontextmanager
async def secured(
    authority: trustme.CA,
    factory: Callable[[], Any] = Recorder,
    peer_factory: Callable[[], Any] = Recorder,
    *,
    client: ssl.SSLContext | None = None,
    server: ssl.SSLContext | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Any, Any, Any]]:
    """Give a client's transport and protocol and the server's protocol, connected over TLS."""
    loop = asyncio.get_running_loop()
    peers: list[Any] = []

    def accept() -> Any:
        peers.append(peer_factory())
        return peers[-1]

    async with serving(accept, ssl=server or server_context(authority)) as (_, address):
        transport, protocol = await loop.create_connection(
            factory,
            *address,
            ssl=client or client_context(authority),
            **{"server_hostname": NAME, **options},
        )
        await until(lambda: peers and hasattr(peers[0], "transport"))
        try:
            yield transport, protocol, peers[0]
        finally:
            for each in (protocol, peers[0]):
                each.transport.abort()
            await protocol.lost
            await peers[0].lost
