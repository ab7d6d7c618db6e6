"""Transports and servers as ordinary Python objects: attributes can be set, methods replaced."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from typing import Any

import pytest

from .certificates import secured
from .connections import connected, serving
from .datagrams import on_loopback
from .pipes import pipe, reading, writing
from .processes import child


@asynccontextmanager
async def stream(_):
    async with connected() as (transport, _, _):
        yield transport


@asynccontextmanager
async def tls(authority):
    async with secured(authority) as (transport, _, _):
        yield transport


@asynccontextmanager
async def datagrams(_):
    async with on_loopback() as (transport, _, _):
        yield transport


@asynccontextmanager
async def read_pipe(_):
    with pipe() as (reader, _):
        async with reading(reader) as (transport, _):
            yield transport


@asynccontextmanager
async def write_pipe(_):
    with pipe() as (_, writer):
        async with writing(writer) as (transport, _):
            yield transport


@asynccontextmanager
async def process(_):
    async with child("cat") as (transport, _):
        yield transport


@asynccontextmanager
async def server(_):
    async with serving() as (server, _):
        yield server


@pytest.mark.parametrize("kind", [stream, tls, datagrams, read_pipe, write_pipe, process, server])
async def test_attributes_can_be_set_and_methods_replaced(authority, kind):
    async with kind(authority) as thing:
        close = thing.close
        closed = []

        def replacement() -> Any:
            closed.append(True)
            return close()

        thing.close = replacement
        thing.label = "mine"
        assert (vars(thing)["close"], vars(thing)["label"]) == (replacement, "mine")
        thing.close()
        assert closed == [True]
        del thing.close
        assert thing.close == close


async def test_a_replaced_method_is_what_a_stream_writer_calls():
    async with connected() as (transport, protocol, _):
        written = []
        transport.write = written.append
        loop = asyncio.get_running_loop()
        writer = asyncio.StreamWriter(transport, protocol, None, loop)
        writer.write(b"data")
        assert written == [b"data"]


async def test_a_transport_in_a_cycle_with_its_attributes_is_collected():
    async def lost_transport():
        async with connected() as (transport, protocol, _):
            write = transport.write
            transport.write = lambda data: write(data)
            protocol.transport = None
            transport.abort()
            return weakref.ref(transport)

    gone = await lost_transport()
    gc.collect()
    assert gone() is None


async def test_a_stream_tells_that_it_is_closing():
    async with connected() as (transport, _, _):
        before = transport._closing
        transport.close()
        assert (before, transport._closing) == (False, True)


async def test_a_stream_tells_that_it_is_paused():
    async with connected() as (transport, _, _):
        before = transport._paused
        transport.pause_reading()
        during = transport._paused
        transport.resume_reading()
        assert (before, during, transport._paused) == (False, True, False)
