"""Writing at the end: half-closing, writing when it is too late, and peers that are gone."""

from __future__ import annotations

import logging

import pytest

from .connections import Recorder, connected, receive, reset, turns, unix_pair, until

WARNING = "socket.send() raised exception."


async def test_write_eof_ends_the_writing_half():
    async with connected() as (transport, protocol, far):
        assert transport.can_write_eof()
        transport.write(b"all")
        transport.write_eof()
        transport.write_eof()
        assert await receive(far, 100) == b"all"
        far.send(b"answer")
        await until(lambda: protocol.received == b"answer")
        assert not transport.is_closing()


async def test_write_eof_waits_for_what_is_written():
    size = 8 << 20
    async with connected() as (transport, protocol, far):
        transport.write(bytes(size))
        transport.write_eof()
        assert len(await receive(far, size + 1)) == size
        far.send(b"answer")
        await until(lambda: protocol.received == b"answer")


@pytest.mark.parametrize("data", [b"late", b""])
async def test_nothing_can_be_written_after_write_eof(data):
    async with connected() as (transport, _, _):
        transport.write_eof()
        with pytest.raises(RuntimeError, match=r"^Cannot call write\(\) after write_eof\(\)$"):
            transport.write(data)
        with pytest.raises(RuntimeError, match=r"^Cannot call write(lines)?\(\) after write_eof"):
            transport.writelines([data])


async def test_write_eof_after_close_does_nothing():
    async with connected() as (transport, protocol, _):
        transport.close()
        transport.write_eof()
        assert await protocol.lost is None


async def test_writing_after_close_is_ignored_with_a_warning_at_last(caplog):
    caplog.set_level(logging.WARNING, logger="asyncio")
    async with connected() as (transport, protocol, far):
        transport.close()
        for _ in range(4):
            transport.write(b"late")
        assert caplog.messages == []
        for number in range(3):
            transport.write(b"late")
            assert caplog.messages == [WARNING] * (number + 1)
        transport.write(b"")
        assert len(caplog.messages) == 3
        assert await protocol.lost is None
        transport.write(b"later still")
        assert await receive(far, 100) == b""


async def test_writing_to_a_lost_connection_is_ignored_with_a_warning_at_last(caplog):
    caplog.set_level(logging.WARNING, logger="asyncio")
    async with connected() as (transport, protocol, far):
        reset(far)
        await protocol.lost
        for _ in range(10):
            transport.write(b"late")
        assert caplog.messages == [WARNING] * 6


async def test_what_is_written_while_closing_is_sent_too():
    """asyncio takes it while earlier data is waiting."""
    size = 8 << 20
    async with connected() as (transport, protocol, far):
        transport.write(bytes(size))
        transport.close()
        transport.write(b"more")
        received = await receive(far, size + 5)
        assert len(received) == size + 4
        assert received.endswith(b"more")
        assert await protocol.lost is None


async def test_writing_to_a_peer_that_is_gone_ends_the_connection():
    async with connected(lambda: Recorder(), unix_pair) as (transport, protocol, far):
        transport.pause_reading()
        far.close()
        transport.write(b"x")
        reason = await protocol.lost
        assert isinstance(reason, BrokenPipeError)
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_a_peer_that_goes_while_data_is_waiting_ends_the_connection():
    async with connected() as (transport, protocol, far):
        transport.pause_reading()
        transport.write(bytes(8 << 20))
        await turns(3)
        reset(far)
        assert isinstance(await protocol.lost, (ConnectionResetError, BrokenPipeError))
        assert transport.get_write_buffer_size() == 0
