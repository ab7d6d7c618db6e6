"""A real HTTP server on loopback: a test scripts each path, and reads what was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

Answer = Callable[["Handler"], None]


class Request(NamedTuple):
    path: str
    headers: Message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        origin = self.server.origin
        origin.requests.append(Request(self.path, self.headers))
        origin.routes.get(self.path, origin.default)(self)

    def respond(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer; a header's name has _ for -."""
        self.begin(status, len(body), **headers)
        self.wfile.write(body)

    def begin(self, status: int, length: int | None, **headers: str) -> None:
        """Send the head of an answer, with a Content-Length unless `length` is None."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.flush()

    def drop(self) -> None:
        """Close the connection after this answer, whether it is whole or not."""
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    origin: Origin

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # A client that goes away is part of many tests.


class Origin:
    """The server: `routes` maps paths to answers, `requests` lists what was asked for."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.default: Answer = lambda handler: handler.respond(404, b"no such file")
        self.requests: list[Request] = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.origin = self
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def asked(self, header: str) -> list[str | None]:
        """What each request so far said in `header`."""
        return [request.headers.get(header) for request in self.requests]


def whole(body: bytes, **headers: str) -> Answer:
    """Always answers with all of `body`."""
    return lambda handler: handler.respond(200, body, **headers)


def status(code: int, **headers: str) -> Answer:
    return lambda handler: handler.respond(code, b"sorry", **headers)


def cut(body: bytes, at: int, **headers: str) -> Answer:
    """Promises all of `body`, sends `at` bytes of it and closes the connection."""

    def answer(handler: Handler) -> None:
        handler.begin(200, len(body), **headers)
        handler.wfile.write(body[:at])
        handler.drop()

    return answer


def ranged(body: bytes, etag: str = '"1"') -> Answer:
    """A file of which parts can be had, as RFC 9110 describes it."""

    def answer(handler: Handler) -> None:
        asked = handler.headers.get("Range")
        if asked is None or handler.headers.get("If-Range", etag) != etag:
            handler.respond(200, body, ETag=etag)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            handler.respond(416, Content_Range=f"bytes */{len(body)}")
            return
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.respond(206, body[start:], ETag=etag, Content_Range=place)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Gives each answer once, and the last one for ever."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def held(body: bytes, at: int, until: threading.Event, **headers: str) -> Answer:
    """Sends `at` bytes of `body`, and the rest only when `until` is set."""

    def answer(handler: Handler) -> None:
        handler.begin(200, len(body), **headers)
        handler.wfile.write(body[:at])
        until.wait(30)
        handler.wfile.write(body[at:])

    return answer
