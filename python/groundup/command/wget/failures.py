"""Why a download failed: a kind that a person can act on, a reason, and whether it may pass.

It promises a Failure for every exception that an attempt can end with. It must not know how often
something is tried, nor print.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from enum import StrEnum

import aiohttp


class Kind(StrEnum):
    """The kinds of failure, as the summary names them."""

    URL = "URL"
    DNS = "DNS"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "TLS"
    HTTP = "HTTP"
    REDIRECT = "redirect"
    CUT = "cut off"
    PROTOCOL = "protocol"
    DISK = "disk"
    UNEXPECTED = "unexpected"


class Failure(Exception):
    """A download, or one attempt at it, that failed.

    `passing` says that another attempt may succeed; `wait` is how many seconds the server asked to
    wait before it, if it did.
    """

    def __init__(
        self, kind: Kind, reason: str, *, passing: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
        self.passing = passing
        self.wait = wait


# What servers say that are busy or broken for now (RFC 9110; 425 is RFC 8470, 429 RFC 6585).
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
_CUT = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


def of_status(status: int, phrase: str, wait: float | None = None) -> Failure:
    """The failure that an HTTP `status` other than success means; `wait` is its Retry-After."""
    reason = f"{status} {phrase}".strip()
    if wait is not None:
        reason += f" (asks to wait {wait:.0f} s)"
    return Failure(Kind.HTTP, reason, passing=status in _PASSING_STATUSES, wait=wait)


def of_disk(error: OSError) -> Failure:
    """The failure that an error of the file system means."""
    return Failure(Kind.DISK, error.strerror or str(error))


def of_network(error: Exception, timeout: float) -> Failure:
    """The failure that an exception of an attempt means, where silence ended after `timeout` s."""
    match error:
        case Failure():
            return error
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return Failure(Kind.TLS, _tls_reason(error))
        case aiohttp.TooManyRedirects():
            return Failure(Kind.REDIRECT, f"{len(error.history)} redirects and no end")
        case aiohttp.InvalidUrlRedirectClientError() | aiohttp.NonHttpUrlRedirectClientError():
            return Failure(Kind.REDIRECT, f"to {error}, which is no http or https URL")
        case aiohttp.InvalidURL():
            return Failure(Kind.URL, error.description or "not a valid URL")
        case UnicodeError():
            return Failure(Kind.DNS, "not a valid host name")
        case TimeoutError():
            return Failure(Kind.TIMEOUT, f"silent for {timeout:g} s", passing=True)
        case aiohttp.ClientPayloadError():
            return Failure(Kind.CUT, "the body ended too early", passing=True)
        case aiohttp.ServerDisconnectedError():
            return Failure(Kind.CUT, "the server closed the connection", passing=True)
        case aiohttp.ClientResponseError():
            return Failure(Kind.PROTOCOL, "not a valid HTTP answer")
        case aiohttp.ClientConnectorError():
            return _of_socket(error.os_error)
        case OSError():
            return _of_socket(error)
    return Failure(Kind.UNEXPECTED, f"{type(error).__name__}: {error}")


def _of_socket(error: OSError) -> Failure:
    reason = error.strerror or str(error)
    if isinstance(error, socket.gaierror):
        return Failure(Kind.DNS, reason, passing=error.errno == socket.EAI_AGAIN)
    number = error.errno or 0
    if number == errno.ECONNREFUSED:
        return Failure(Kind.REFUSED, "nothing listens there", passing=True)
    if number == errno.ETIMEDOUT:
        return Failure(Kind.TIMEOUT, reason, passing=True)
    if number in _UNREACHABLE:
        return Failure(Kind.UNREACHABLE, os.strerror(number), passing=True)
    if number in _CUT:
        return Failure(Kind.CUT, os.strerror(number), passing=True)
    return Failure(Kind.UNEXPECTED, reason)


def _tls_reason(error: Exception) -> str:
    cause: BaseException = error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
    message = getattr(cause, "verify_message", None) or getattr(cause, "reason", None)
    return str(message or cause)
