"""Methods of the loop that are coroutine functions, as asyncio's are.

A method in Rust returns a coroutine, but nothing about it says so. Programs ask: a mock that stands
in for a coroutine function has to be awaitable. So the methods that connect, serve and look up are
wrapped in functions that are marked. Those that move the bytes of a socket (sock_recv,
sock_sendall, …) are not: each call would pay for it.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

_ClassT = TypeVar("_ClassT", bound=type)

_NAMES = (
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "sendfile",
    "shutdown_asyncgens",
    "shutdown_default_executor",
    "sock_accept",
    "sock_connect",
    "sock_sendfile",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


def with_coroutine_functions(cls: _ClassT) -> _ClassT:
    """Give a class coroutine functions in place of the methods that return coroutines."""
    for name in _NAMES:
        setattr(cls, name, _coroutine_function(getattr(cls, name)))
    return cls


def _coroutine_function(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    def function(self: Any, /, *args: Any, **keywords: Any) -> Awaitable[Any]:
        return method(self, *args, **keywords)

    return _mark(function)


def _mark(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have inspect and asyncio take a function for what its result makes it."""
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(function)
    if sys.version_info < (3, 14):
        function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return function
