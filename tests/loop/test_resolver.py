"""Names are looked up in the default executor; about addresses nobody is asked."""

import asyncio
import socket
import time

import pytest

import groundup
from comparison import entry, log


def test_getaddrinfo_answers_as_the_module_socket_does(same):
    async def body(loop):
        return [
            await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM),
            await loop.getaddrinfo("::1", None, family=socket.AF_INET6, type=socket.SOCK_DGRAM),
            await loop.getaddrinfo(None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE),
            await loop.getaddrinfo("localhost", "http", proto=socket.IPPROTO_TCP),
        ]

    answers = same(body)
    assert answers[0] == socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    assert len(answers) == 4


@pytest.mark.parametrize("host", ["127.0.0.1", b"127.0.0.1", "::1", "fe80::1%lo"], ids=repr)
@pytest.mark.parametrize("port", [80, "80", b"80", None], ids=repr)
def test_an_address_needs_no_thread(host, port):
    async def body():
        loop = asyncio.get_running_loop()
        answer = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        assert loop._default_executor is None
        return answer

    assert groundup.run(body()) == socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@pytest.mark.parametrize(("host", "port"), [("localhost", 80), ("127.0.0.1", "http"), (None, 80)])
def test_a_name_is_looked_up_in_a_thread(host, port):
    async def body():
        loop = asyncio.get_running_loop()
        await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        assert loop._default_executor is not None

    groundup.run(body())


def test_getnameinfo_answers_as_the_module_socket_does(same):
    async def body(loop):
        flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        return [
            await loop.getnameinfo(("127.0.0.1", 80), flags),
            await loop.getnameinfo(("::1", 81, 0, 0), flags=flags),
        ]

    assert same(body) == [("127.0.0.1", "80"), ("::1", "81")]


def test_a_name_that_does_not_resolve_raises_gaierror(same):
    async def body(loop):
        with pytest.raises(socket.gaierror) as caught:
            await loop.getaddrinfo("name.invalid", 80)
        return caught.value.errno, str(caught.value)

    assert same(body)[0] in (socket.EAI_NONAME, socket.EAI_AGAIN)


@pytest.mark.parametrize(
    "address", [("127.0.0.1",), ("127.0.0.1", 80, 0, 0, 0), "127.0.0.1", None], ids=repr
)
def test_getnameinfo_wants_an_address(same, address):
    async def body(loop):
        with pytest.raises(Exception) as caught:
            await loop.getnameinfo(address)
        return type(caught.value).__name__, str(caught.value)

    assert same(body)[0] in ("TypeError", "OSError")


def test_functions_that_a_program_puts_into_the_module_are_used(same, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: ("getaddrinfo", args))
    monkeypatch.setattr(socket, "getnameinfo", lambda *args: ("getnameinfo", args))

    async def body(loop):
        info = await loop.getaddrinfo("host", 5, family=1, type=2, proto=3, flags=4)
        loop.set_debug(True)
        return info, await loop.getaddrinfo("host", 5), await loop.getnameinfo(("host", 5), 6)

    assert same(body) == (
        ("getaddrinfo", ("host", 5, 1, 2, 3, 4)),
        ("getaddrinfo", ("host", 5, 0, 0, 0, 0)),
        ("getnameinfo", (("host", 5), 6)),
    )


def test_in_debug_mode_look_ups_are_logged(same):
    async def body(loop):
        loop.set_debug(True)
        loop.slow_callback_duration = 30
        with log() as records:
            await loop.getaddrinfo("127.0.0.1", 80)
            await loop.getaddrinfo(
                "::1", "80", family=socket.AF_INET6, type=socket.SOCK_STREAM,
                proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST,
            )  # fmt: skip
        return [entry(record) for record in records if "address info" in record.getMessage()]

    logged = same(body)
    assert logged[0] == "DEBUG: Get address info 127.0.0.1:80"
    assert logged[1].startswith("DEBUG: Getting address info 127.0.0.1:80 took …ms: [(")
    assert logged[2].startswith("DEBUG: Get address info ::1:'80', family=<AddressFamily.AF_INET6")
    assert len(logged) == 4


def test_in_debug_mode_a_slow_look_up_stands_out(same, monkeypatch):
    def slow(*args):
        time.sleep(0.2)
        return []

    async def body(loop):
        loop.set_debug(True)
        with log() as records:
            await loop.getaddrinfo("host", 80)
        return [entry(record) for record in records if "address info" in record.getMessage()]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert same(body) == [
        "DEBUG: Get address info host:80",
        "INFO: Getting address info host:80 took …ms: []",
    ]


def test_hints_are_keywords(loop):
    with pytest.raises(TypeError):
        loop.getaddrinfo("127.0.0.1", 80, socket.AF_INET)
