"""What takes more than one read: it is read on at once, unless something has its turn before."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from .connections import connected, turns, unix_pair, until

FILL = 16
FILLS = 10


class Filled(asyncio.BufferedProtocol):
    """Notes each time that its buffer was filled, and does something then."""

    def __init__(self, name: str, notes: list[str], act: Any = None) -> None:
        self.name = name
        self.notes = notes
        self.act = act
        self.buffer = bytearray(FILL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.notes.append(self.name)
        if self.act:
            self.act(self)


async def filled(act: Any, until_noted: int = FILLS) -> list[str]:
    """Return what is noted of a connection that fills the buffer some times."""
    notes: list[str] = []
    async with connected(lambda: Filled("data", notes, act), unix_pair) as (_, _, far):
        far.send(bytes(FILL * FILLS))
        await until(lambda: len(notes) >= until_noted)
    return notes


@pytest.mark.groundup_only
async def test_what_has_come_over_one_connection_is_read_before_another_is():
    notes: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        ends = []
        for name in "ab":
            pair = connected(lambda name=name: Filled(name, notes), unix_pair)
            ends.append((await stack.enter_async_context(pair))[2])
        for far in ends:
            far.send(bytes(FILL * FILLS))
        await until(lambda: len(notes) == 2 * FILLS)
    assert notes in (["a"] * FILLS + ["b"] * FILLS, ["b"] * FILLS + ["a"] * FILLS)


async def test_a_callback_has_its_turn_before_more_is_read():
    loop = asyncio.get_running_loop()
    notes = await filled(lambda protocol: loop.call_soon(protocol.notes.append, "callback"), 8)
    assert notes[:8] == ["data", "callback"] * 4


async def test_a_callback_from_another_thread_has_its_turn_before_more_is_read():
    loop = asyncio.get_running_loop()

    def call(protocol: Filled) -> None:
        loop.call_soon_threadsafe(protocol.notes.append, "callback")

    assert (await filled(call, 8))[:8] == ["data", "callback"] * 4


async def test_a_timer_that_is_due_has_its_turn_where_it_has_without_reading_on():
    loop = asyncio.get_running_loop()

    def set_timer(protocol: Filled) -> None:
        protocol.act = None
        loop.call_at(loop.time(), protocol.notes.append, "timer")

    assert (await filled(set_timer, FILLS + 1))[:4] == ["data", "data", "timer", "data"]


async def test_nothing_more_is_read_once_reading_is_paused():
    notes: list[str] = []

    def pause(protocol: Filled) -> None:
        protocol.transport.pause_reading()

    async with connected(lambda: Filled("data", notes, pause), unix_pair) as (_, _, far):
        far.send(bytes(FILL * FILLS))
        await until(lambda: notes)
        await turns(5)
        assert notes == ["data"]


async def test_nothing_more_is_read_once_the_transport_is_closed():
    assert await filled(lambda protocol: protocol.transport.close(), 1) == ["data"]


async def test_what_is_read_on_goes_to_the_protocol_that_was_set():
    def hand_over(protocol: Filled) -> None:
        protocol.transport.set_protocol(Filled("other", protocol.notes))

    assert await filled(hand_over) == ["data"] + ["other"] * (FILLS - 1)
