"""https for `groundup wget`, until the loop itself speaks TLS: this file is to go then.

It promises create_connection(ssl=…) as asyncio documents it, by putting asyncio's own TLS protocol
between the loop's TCP transport and the client. It must not know what is downloaded.
"""

from __future__ import annotations

from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any

import groundup


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
        cipher = SSLProtocol(
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
