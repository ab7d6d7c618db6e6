"""https for `groundup wget`, until the loop itself speaks TLS: this file is to go then.

It promises create_connection(ssl=…) as asyncio documents it, by putting asyncio's own TLS protocol
between the loop's TCP transport and the client. It must not know what is downloaded.
"""

from __future__ import annotations

from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any

import groundup


class Cipher(SSLProtocol):
    """asyncio's TLS protocol on a transport that knows public methods only."""

    def connection_made(self, transport: Any) -> None:
        """Begin the handshake on `transport`."""
        abortable: Any = Abortable(transport)
        super().connection_made(abortable)


class Abortable:
    """A transport with the one private method that asyncio's TLS protocol calls."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _force_close(self, error: BaseException | None) -> None:
        # The error itself goes to whoever waits for the handshake.
        self._transport.abort()


class TlsLoop(groundup.EventLoop):
    """The groundup loop with TLS for outgoing connections."""

    async def create_connection(
        self,
        protocol_factory: Callable[[], Any],
        *address: Any,
        ssl: Any = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: Any = None,
        ssl_shutdown_timeout: Any = None,
        **others: Any,
    ) -> Any:
        """Connect as asyncio's loop does; with `ssl`, an SSLContext, to a transport that encrypts.

        Raises OSError when there is no connection and ssl.SSLError when there is no trust.
        """
        if not ssl:
            return await super().create_connection(protocol_factory, *address, **others)
        protocol = protocol_factory()
        trusted = self.create_future()
        cipher = Cipher(
            self,
            protocol,
            ssl,
            trusted,
            server_side=False,
            server_hostname=server_hostname,
            ssl_handshake_timeout=ssl_handshake_timeout,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
        )
        transport, _ = await super().create_connection(lambda: cipher, *address, **others)
        try:
            await trusted
        except BaseException:
            transport.close()
            raise
        return cipher._app_transport, protocol
