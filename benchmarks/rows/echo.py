"""Servers that send back what they got, in each of the styles that asyncio has.

A name reads transport / style / size of a message / connections. Each connection has one message
underway. The servers by hand serve the same on bare epoll.
"""

from __future__ import annotations

import asyncio
import socket

from .. import certificates
from ..loads import Talk
from ..served import Served, Site

SIZES = {64: "64B", 1024: "1KiB", 16384: "16KiB", 102400: "100KiB", 1048576: "1MiB"}
CONNECTIONS = (1, 500, 5000)
USUAL = (1024, 20)
PIECE = 65536


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buffer = memoryview(bytearray(4 * PIECE))

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        # The transport may keep what it is given, and the buffer is used again.
        self.transport.write(bytes(self.buffer[:count]))


class DatagramEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def echo_read(reader, writer):
    while data := await reader.read(PIECE):
        writer.write(data)
        await writer.drain()
    writer.close()


async def echo_lines(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


def echo_exactly(size):
    async def echo(reader, writer):
        try:
            while True:
                writer.write(await reader.readexactly(size))
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    return echo


async def serve_factory(site: Site, factory, transport="tcp"):
    """Serve a protocol; return the address and the server."""
    loop = asyncio.get_running_loop()
    if transport == "unix":
        return site.socket, await loop.create_unix_server(factory, site.socket)
    context = certificates.server_context(site.folder) if transport == "tls" else None
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context)
    return address_of(server), server


async def serve_handler(site: Site, handler, transport="tcp"):
    """Serve a handler of streams; return the address and the server."""
    if transport == "unix":
        return site.socket, await asyncio.start_unix_server(handler, site.socket)
    context = certificates.server_context(site.folder) if transport == "tls" else None
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    return address_of(server), server


def address_of(server):
    host, port = server.sockets[0].getsockname()
    return f"{host}:{port}"


async def serve_protocol(site: Site, transport="tcp"):
    """asyncio.Protocol: data_received, transport.write."""
    return await serve_factory(site, Echo, transport)


async def serve_buffered(site: Site, transport="tcp"):
    """asyncio.BufferedProtocol, a buffer of 256 KiB for each connection."""
    return await serve_factory(site, BufferedEcho, transport)


async def serve_streams(site: Site, transport="tcp"):
    """Streams: read, write, drain."""
    return await serve_handler(site, echo_read, transport)


async def serve_readline(site: Site, transport="tcp"):
    """Streams: readline, write, drain."""
    return await serve_handler(site, echo_lines, transport)


async def serve_readexactly(site: Site, transport="tcp"):
    """Streams: readexactly, write, drain."""
    return await serve_handler(site, echo_exactly(site.size), transport)


async def serve_sock(site: Site, transport="tcp"):
    """loop.sock_accept, sock_recv, sock_sendall, with a task for each connection."""
    loop = asyncio.get_running_loop()
    tasks = set()

    async def echo(connection):
        with connection:
            while data := await loop.sock_recv(connection, 4 * PIECE):
                await loop.sock_sendall(connection, data)

    async def accept():
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setblocking(False)
            if transport == "tcp":
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(echo(connection))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    if transport == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(site.socket)
        listener.listen(100)
        address = site.socket
    else:
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    listener.setblocking(False)
    return address, loop.create_task(accept()), tasks


async def serve_datagrams(site: Site, transport="udp"):
    """asyncio.DatagramProtocol: datagram_received, transport.sendto."""
    loop = asyncio.get_running_loop()
    sender, _ = await loop.create_datagram_endpoint(DatagramEcho, ("127.0.0.1", 0))
    return "{}:{}".format(*sender.get_extra_info("sockname")), sender


async def serve_sock_datagrams(site: Site, transport="udp"):
    """loop.sock_recvfrom, sock_sendto, in one task."""
    loop = asyncio.get_running_loop()
    socket_ = socket.socket(type=socket.SOCK_DGRAM)
    socket_.bind(("127.0.0.1", 0))
    socket_.setblocking(False)

    async def echo():
        while True:
            data, address = await loop.sock_recvfrom(socket_, PIECE)
            await loop.sock_sendto(socket_, data, address)

    return "{}:{}".format(*socket_.getsockname()), loop.create_task(echo())


STYLES = {
    "protocol": serve_protocol,
    "buffered": serve_buffered,
    "streams": serve_streams,
    "readline": serve_readline,
    "readexactly": serve_readexactly,
    "sock": serve_sock,
}
DATAGRAM_STYLES = {"protocol": serve_datagrams, "sock": serve_sock_datagrams}
BY_HAND = {"tcp": (), "unix": ("--unix", "SOCKET"), "udp": ("--udp",)}


def row(transport, style, size, connections):
    """Make one row."""
    styles = DATAGRAM_STYLES if transport == "udp" else STYLES

    async def serve(site: Site):
        return await styles[style](site, transport)

    Served(
        f"echo/{transport}/{style}/{SIZES[size]}/{connections}",
        serve,
        Talk(size, connections, transport),
        by_hand=BY_HAND.get(transport) if style == "protocol" else None,
        what=styles[style].__doc__,
    )


for style in STYLES:
    row("tcp", style, *USUAL)
for style in ("protocol", "buffered", "streams", "sock"):
    for size in sorted(SIZES.keys() - {1024}):
        row("tcp", style, size, 20)
    for connections in CONNECTIONS:
        row("tcp", style, 1024, connections)
for style in ("protocol", "streams", "sock"):
    row("unix", style, *USUAL)
for size in (64, 1024):
    row("udp", "protocol", size, 20)
# More would not fit into the server's socket, and what does not is lost.
row("udp", "protocol", 16384, 4)
row("udp", "sock", *USUAL)
for style in ("protocol", "buffered", "streams", "readline"):
    row("tls", style, *USUAL)
for style in ("protocol", "streams"):
    row("tls", style, 102400, 20)
    row("tls", style, 1024, 500)
