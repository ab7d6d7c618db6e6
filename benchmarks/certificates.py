"""Certificates for the TLS rows, made anew for each run."""

from __future__ import annotations

import ssl
from pathlib import Path


def write_certificates(folder: Path) -> None:
    """Write authority.crt, server.key and server.crt, for 127.0.0.1 and localhost."""
    # Not for the measured processes, which do not have to bear it.
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.crt")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(folder / "server.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(folder / "server.crt", append=True)


def server_context(folder: Path) -> ssl.SSLContext:
    """Return what a server needs to speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context
