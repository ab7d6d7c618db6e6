"""What a body notes while it runs on one loop, in words that are the same on both."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from comparison import outcome, plain

# In bytes; more than any socket or pipe of these tests holds.
MUCH = 4 << 20

ENDINGS = (KeyboardInterrupt, SystemExit)


class Tape(list[Any]):
    """Notes in the order they were made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        loop.set_exception_handler(lambda _, report: self.note("report", described(report)))

    def note(self, *words: Any) -> None:
        self.append(words[0] if len(words) == 1 else words)

    def attempt(self, name: str, call: Callable[..., Any], *args: Any) -> None:
        """Note what a call returns or raises."""
        result = outcome(call, *args)
        if isinstance(result, tuple):
            result = tuple(map(words, map(str, result)))
        self.note(name, result if isinstance(result, (bool, int, str, tuple)) else neutral(result))

    async def turns(self, count: int = 3) -> None:
        """Let the loop turn, and note each turn in which something was noted."""
        for _ in range(count):
            before = len(self)
            await asyncio.sleep(0)
            if len(self) > before:
                self.note("turn")

    def state(self, transport: Any) -> None:
        """Note what a transport says of itself."""
        answers = {"is_closing": transport.is_closing()}
        for name in ("is_reading", "get_write_buffer_size"):
            if hasattr(transport, name):
                answer = outcome(getattr(transport, name))
                answers[name] = amount(answer) if isinstance(answer, int) else "not there"
        self.note("state", answers)

    def run(self, scene: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run a scene to its end, however often something ends the run; return the notes."""
        task = self.loop.create_task(limited(scene))
        while not task.done():
            try:
                self.loop.run_until_complete(task)
            except ENDINGS as error:
                self.note("run ended by", repr(error))
            except BaseException as error:
                self.note("scene raised", neutral(error))
        return list(self)


def amount(size: int | str) -> int | str:
    """A size in bytes, but for how much a full socket holds: that depends on how it was filled."""
    return "much" if isinstance(size, int) and size > 1000 else size


async def limited(scene: Coroutine[Any, Any, Any]) -> Any:
    async with asyncio.timeout(20):
        return await scene


def described(report: dict[str, Any]) -> dict[str, str]:
    """A report to the exception handler: all its keys, in the order they were given."""
    return {key: neutral(value) for key, value in report.items() if key != "source_traceback"}


def neutral(value: Any) -> str:
    """A value in words that do not depend on the loop, its numbers or its addresses."""
    if isinstance(value, BaseException):
        return words(repr(value))
    for kind, name in KINDS.items():
        if isinstance(value, kind):
            return name
    return words(value if isinstance(value, str) else repr(value))


KINDS = {
    asyncio.BaseTransport: "a transport",
    asyncio.BaseProtocol: "a protocol",
    asyncio.AbstractServer: "a server",
    asyncio.Task: "a task",
    asyncio.Future: "a future",
    asyncio.Handle: "a handle",
    socket.socket: "a socket",
}


def words(text: str) -> str:
    """A text without names of classes and numbers that are a loop's own, or a version's."""
    text = plain(text)
    text = re.sub(r"(callback [\w.<>]+)\(.*\)", r"\1()", text)
    text = re.sub(r"Cannot call \w+\(\)", "Cannot call it", text)
    text = re.sub(r"must be a bytes.*, not", "must be bytes, not", text)
    text = re.sub(r"<asyncio\.TransportSocket[^>]*>", "a socket", text)
    text = re.sub(r"<(asyncio\.sslproto\._SSLProtocolTransport|TlsTransport)[^>]*>+", "TLS", text)
    text = re.sub(
        r"<(_Selector\w+Transport|_Unix\w+Transport|\w+Transport)\b[^<>]*(<[^<>]*>)?[^<>]*>",
        "a transport",
        text,
    )
    # This loop names the protocol's method, where asyncio names its own that calls it.
    text = re.sub(
        r"callback (\w+Transport\._\w+|\w+\.(\w+_lost|\w+_received))\(.*\)",
        "callback of a transport",
        text,
    )
    text = re.sub(r"<[\w.]*(SSLProtocol|TlsProtocol) object[^>]*>", "a protocol", text)
    # TLS is received into a buffer by asyncio.
    text = text.replace("protocol.buffer_updated()", "protocol.data_received()")
    # asyncio's handles forget their callback when they are cancelled, also while it runs.
    text = re.sub(r"callback (None|\w+\.<locals>\.ready)\(\)", "callback of a handle", text)
    text = re.sub(r"laddr=[^>]*", "laddr=…", text)
    text = re.sub(r"\b(fd|name)=\d+", r"\1=…", text)
    return re.sub(r" at \S+\.py:\d+", "", text)


@contextlib.contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected Unix sockets that do not block: what one sends is there at once."""
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


@contextlib.contextmanager
def datagram_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The same for datagrams, with names."""
    near, far = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
    with near, far:
        for end in (near, far):
            end.setblocking(False)
            end.bind("")
        near.connect(far.getsockname())
        far.connect(near.getsockname())
        yield near, far


def drain(far: socket.socket) -> int | str:
    """Receive all that is there; tell how much it was, or that it was the end."""
    count = 0
    while True:
        try:
            data = far.recv(1 << 18)
        except BlockingIOError:
            return count
        except OSError as error:
            return type(error).__name__
        if not data:
            return f"{count} and the end"
        count += len(data)
