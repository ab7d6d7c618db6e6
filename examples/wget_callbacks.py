"""Downloads a URL with callbacks: each step is told what to call when it is done.

The program reads inside out, and each callback has to carry along what the next ones need; that is
what generators and `async` spare us. It speaks just enough HTTP/1.0 (RFC 1945) to fetch a body.
"""

import asyncio
import sys
from urllib.parse import urlsplit

import groundup


class Response(asyncio.Protocol):
    """Collects a response, and calls back when the server has closed the connection."""

    def __init__(self, request, callback):
        self.request = request
        self.callback = callback
        self.received = bytearray()

    def connection_made(self, transport):
        transport.write(self.request)

    def data_received(self, data):
        self.received += data

    def connection_lost(self, error):
        self.callback(error, bytes(self.received))


def wget(loop, url, callback):
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    request = f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"

    def received(error, response):
        content = b""
        try:
            content = body(response) if error is None else b""
        except (OSError, ValueError) as failure:
            error = failure
        callback(error, content)

    def connected(connecting):
        if connecting.exception():
            callback(connecting.exception(), b"")

    connection = loop.create_connection(
        lambda: Response(request.encode(), received), parts.hostname, parts.port or 80
    )
    connecting = loop.create_task(connection)
    connecting.add_done_callback(connected)


def body(response):
    head, _, content = response.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    if status.split(" ")[1:2] != ["200"]:
        raise OSError(f"the server answered {status!r}")
    for name, _, value in (header.partition(":") for header in headers):
        if name.lower() == "content-length" and int(value) != len(content):
            raise OSError(f"{len(content)} bytes came of {int(value)}")
    return content


def main(url):
    loop = groundup.new_event_loop()
    failures = []

    def done(error, content):
        loop.stop()
        if error is None:
            sys.stdout.buffer.write(content)
        else:
            failures.append(error)

    wget(loop, url, done)
    try:
        loop.run_forever()
    finally:
        loop.close()
    if failures:
        sys.exit(f"{url}: {failures[0]}")


if __name__ == "__main__":
    main(sys.argv[1])
