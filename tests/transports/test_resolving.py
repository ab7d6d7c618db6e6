"""getaddrinfo and getnameinfo: the socket module's, without blocking the loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

import pytest

from .connections import Recorder


async def test_the_answers_are_those_of_the_socket_module():
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    assert found == socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
    found = await loop.getaddrinfo(
        "localhost", "http", family=socket.AF_INET, proto=socket.IPPROTO_TCP
    )
    assert found == socket.getaddrinfo(
        "localhost", "http", family=socket.AF_INET, proto=socket.IPPROTO_TCP
    )
    found = await loop.getaddrinfo(None, 0, flags=socket.AI_PASSIVE)
    assert found == socket.getaddrinfo(None, 0, flags=socket.AI_PASSIVE)


async def test_names_are_those_of_the_socket_module():
    loop = asyncio.get_running_loop()
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    assert await loop.getnameinfo(("127.0.0.1", 80), flags) == ("127.0.0.1", "80")
    assert await loop.getnameinfo(("127.0.0.1", 80)) == socket.getnameinfo(("127.0.0.1", 80), 0)


async def test_failures_are_those_of_the_socket_module():
    loop = asyncio.get_running_loop()
    with pytest.raises(socket.gaierror):
        await loop.getaddrinfo("127.0.0.1", 80, flags=-1)
    with pytest.raises(socket.gaierror):
        await loop.getaddrinfo("not.an.address", 80, flags=socket.AI_NUMERICHOST)
    with pytest.raises(TypeError):
        await loop.getnameinfo("127.0.0.1")


async def test_functions_of_the_socket_module_may_be_replaced(monkeypatch):
    asked = []

    def getaddrinfo(*arguments):
        asked.append((arguments, threading.current_thread() is threading.main_thread()))
        raise socket.gaierror("no such name here")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    loop = asyncio.get_running_loop()
    with pytest.raises(socket.gaierror, match="no such name here"):
        await loop.create_connection(Recorder, "example.test", 80)
    assert asked == [(("example.test", 80, 0, socket.SOCK_STREAM, 0, 0), False)]


async def test_sockets_of_another_class_may_be_made(monkeypatch):
    class Refused(socket.socket):
        def __init__(self, *args, **keywords):
            raise PermissionError("no sockets here")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(socket, "socket", Refused)
    with pytest.raises(PermissionError, match="no sockets here"):
        await loop.create_connection(Recorder, "127.0.0.1", 80)


async def test_a_literal_address_is_not_asked_for(monkeypatch):
    def getaddrinfo(*arguments):
        pytest.fail("asked")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    loop = asyncio.get_running_loop()
    for host in ("127.0.0.1", "::1", "0.0.0.0", b"127.0.0.1"):
        server = await loop.create_server(Recorder, [host], 0)
        server.close()


async def test_debug_mode_logs_what_was_asked_and_how_long_it_took(caplog):
    caplog.set_level(logging.DEBUG, logger="asyncio")
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    await loop.getaddrinfo("127.0.0.1", 80, family=2, type=1)
    question = "127.0.0.1:80, family=2, type=1"
    assert f"Get address info {question}" in [r.getMessage() for r in caplog.records]
    assert any(
        r.getMessage().startswith(f"Getting address info {question} took ") for r in caplog.records
    )
