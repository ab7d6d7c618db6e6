"""What a protocol does inside one of its methods over TLS, and what comes of it, turn by turn.

The peer is a session that the test drives by hand, so that nothing depends on when it answers.
"""

from __future__ import annotations

import socket
import ssl

import pytest
import trustme

import groundup

from .acts import ACTS, Script
from .conftest import seen
from .tape import Tape, drain, pair

METHODS = ["connection_made", "data_received", "eof_received", "connection_lost"]


class Peer:
    """The other side of a TLS connection."""

    def __init__(self, sock, context, **options):
        self.sock, self.incoming, self.outgoing = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, **options)

    def take(self, call, *args):
        """Call a method of the session, and exchange what there is; None if it waits."""
        try:
            self.incoming.write(self.sock.recv(1 << 18))
        except OSError:
            pass
        try:
            return call(*args)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLError, OSError) as error:
            return type(error).__name__
        finally:
            try:
                self.sock.send(self.outgoing.read())
            except OSError:
                pass


@pytest.fixture(scope="module")
def contexts():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    # A third ticket after the handshake would arrive whenever the peer likes.
    server.num_tickets = 0
    return server, client


async def life(tape, protocol, near, far, contexts):
    server, client = contexts
    peer = Peer(far, server, server_side=True)
    connecting = tape.loop.create_task(
        tape.loop.create_connection(
            lambda: protocol, sock=near, ssl=client, server_hostname="localhost"
        )
    )
    for _ in range(20):
        await tape.turns(1)
        peer.take(peer.session.do_handshake)
        if connecting.done():
            break
    tape.note("connected", connecting.done() and connecting.exception() is None)
    transport = protocol.transport
    tape.note("is_closing", transport.is_closing())
    for data in (b"one", b"two"):
        tape.note("peer writes", peer.take(peer.session.write, data))
        await tape.turns()
    tape.note("is_closing", transport.is_closing())
    if not transport.is_closing():
        tape.attempt("write", transport.write, b"answer")
    await tape.turns()
    tape.note("peer reads", amount_read(peer))
    await tape.turns()
    tape.note("peer ends", peer.take(peer.session.unwrap))
    await tape.turns(4)
    tape.note("peer ends", peer.take(peer.session.unwrap))
    far.shutdown(socket.SHUT_WR)
    await tape.turns(4)
    tape.attempt("close", transport.close)
    await tape.turns(4)
    tape.note("at the end", drain(far) in ("0 and the end", "ConnectionResetError"))
    if not transport.is_closing():
        transport.abort()
    await tape.turns(3)


def amount_read(peer):
    count = 0
    while isinstance(data := peer.take(peer.session.read, 1 << 18), bytes) and data:
        count += len(data)
    return "much" if count > 1000 else count


# Where asyncio's transport fails once it is lost, for want of a protocol.
ASYNCIO_FAILS = {("connection_lost", "close and write"), ("connection_lost", "limits")}


@pytest.mark.parametrize("act", [act for act in ACTS if act != "write_eof"])
@pytest.mark.parametrize("method", METHODS)
def test_what_a_protocol_does_in_a_method(same, contexts, method, act):
    def body(loop):
        tape = Tape(loop)
        with pair() as (near, far):
            script = Script(tape, "", method, ACTS[act])
            return tape.run(life(tape, script, near, far, contexts))

    if (method, act) in ASYNCIO_FAILS:
        tape = seen(groundup.new_event_loop, body).returned
        assert not any("report" in note for note in tape)
        assert sum("connection_lost" in note for note in tape) == 1
    else:
        same(body)
