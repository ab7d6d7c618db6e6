"""Closing and aborting: in which order, from where, and what comes after."""

from __future__ import annotations

import asyncio

import pytest

from .connections import Recorder, connected, receive, tcp_pair, turns, until

MUCH = 10 << 20


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_connection_lost_comes_in_the_next_turn(way):
    order = []

    class Protocol(Recorder):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            order.append("connection_lost")

    loop = asyncio.get_running_loop()
    async with connected(Protocol) as (transport, protocol, _):
        loop.call_soon(order.append, "before")
        getattr(transport, way)()
        loop.call_soon(order.append, "after")
        assert transport.is_closing()
        assert order == []
        assert await protocol.lost is None
        assert order == ["before", "connection_lost", "after"]


@pytest.mark.parametrize("ways", [("close", "close"), ("abort", "abort"), ("close", "abort")])
async def test_closing_twice_is_closing_once(ways):
    async with connected() as (transport, protocol, _):
        for way in ways:
            getattr(transport, way)()
        await protocol.lost
        for way in ways:
            getattr(transport, way)()
        await turns(3)
        assert protocol.calls == ["connection_made", "connection_lost"]


async def test_the_peer_sees_the_end_of_file():
    async with connected() as (transport, _, far):
        transport.close()
        assert await receive(far, 1) == b""


async def test_closing_waits_for_what_is_written():
    async with connected() as (transport, protocol, far):
        transport.write(bytes(MUCH))
        transport.close()
        await turns(5)
        assert not protocol.lost.done()
        assert len(await receive(far, MUCH + 1)) == MUCH
        assert await protocol.lost is None


async def test_aborting_drops_what_is_written():
    async with connected() as (transport, protocol, far):
        transport.write(bytes(MUCH))
        transport.abort()
        assert await protocol.lost is None
        received = await receive(far, MUCH)
        assert len(received) < MUCH


async def test_aborting_ends_a_closing_that_waits():
    async with connected() as (transport, protocol, far):
        transport.write(bytes(MUCH))
        transport.close()
        await turns(3)
        transport.abort()
        assert await protocol.lost is None
        assert len(await receive(far, MUCH)) < MUCH


@pytest.mark.parametrize("way", ["close", "abort"])
async def test_a_protocol_may_end_the_connection_when_it_is_made(way):
    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.write(b"sorry")
            getattr(transport, way)()

    near, far = tcp_pair()
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(Protocol, sock=near)
    assert transport.is_closing()
    assert await protocol.lost is None
    assert protocol.calls == ["connection_made", "connection_lost"]
    assert await receive(far, 100) == b"sorry"
    far.close()


async def test_the_connection_is_lost_before_create_connection_returns_it():
    order = []

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.close()

        def connection_lost(self, exc):
            order.append("connection_lost")

    near, far = tcp_pair()
    await asyncio.get_running_loop().create_connection(Protocol, sock=near)
    order.append("returned")
    assert order == ["connection_lost", "returned"]
    far.close()


@pytest.mark.parametrize("way", ["close", "abort"])
@pytest.mark.parametrize("method", ["data_received", "eof_received"])
async def test_a_protocol_may_end_the_connection_in_any_method(way, method):
    class Protocol(Recorder):
        def data_received(self, data):
            super().data_received(data)
            if method == "data_received":
                getattr(self.transport, way)()

        def eof_received(self):
            super().eof_received()
            getattr(self.transport, way)()
            return True

    async with connected(Protocol) as (_, protocol, far):
        far.send(b"x")
        await until(lambda: protocol.received)
        if method == "eof_received":
            far.close()
        assert await protocol.lost is None
        assert protocol.calls[-2:] == [method, "connection_lost"]


@pytest.mark.groundup_only
async def test_a_protocol_may_end_the_connection_when_it_resumes():
    class Protocol(Recorder):
        def resume_writing(self):
            super().resume_writing()
            self.transport.close()

    async with connected(Protocol) as (transport, protocol, far):
        transport.write(bytes(MUCH))
        assert len(await receive(far, MUCH + 1)) == MUCH
        assert await protocol.lost is None
        assert protocol.calls[-2:] == ["resume_writing", "connection_lost"]


async def test_nothing_can_be_done_in_connection_lost_but_it_does_no_harm():
    class Protocol(Recorder):
        def connection_lost(self, exc):
            self.transport.write(b"x")
            self.transport.close()
            self.transport.abort()
            self.transport.pause_reading()
            self.transport.resume_reading()
            assert self.transport.get_write_buffer_size() == 0
            assert self.transport.get_extra_info("socket").fileno() >= 0
            super().connection_lost(exc)

    async with connected(Protocol) as (transport, protocol, _):
        transport.close()
        assert await protocol.lost is None


async def test_what_connection_lost_raises_is_reported_and_the_socket_is_closed(reports):
    error = LookupError("lost")

    class Protocol(Recorder):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            raise error

    async with connected(Protocol) as (transport, protocol, far):
        transport.close()
        await protocol.lost
        assert await receive(far, 1) == b""
        await until(lambda: reports)
        [report] = reports
        assert report["exception"] is error
        assert report["message"].startswith("Exception in callback ")
        assert "connection_lost(" in report["message"]


async def test_what_connection_made_raises_is_reported_and_the_connection_stays(reports):
    error = LookupError("made")

    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            raise error

    async with connected(Protocol) as (_, protocol, far):
        [report] = reports
        assert report["exception"] is error
        assert report["message"].startswith("Exception in callback ")
        assert "connection_made(" in report["message"]
        far.send(b"data")
        await until(lambda: protocol.received == b"data")


@pytest.mark.groundup_only
async def test_a_protocol_without_connection_lost_is_reported(reports):
    class Protocol:
        def connection_made(self, transport):
            transport.close()

    near, far = tcp_pair()
    transport, _ = await asyncio.get_running_loop().create_connection(Protocol, sock=near)
    await until(lambda: reports)
    assert isinstance(reports[0]["exception"], AttributeError)
    assert reports[0]["message"] == "Exception in callback connection_lost"
    assert transport.get_protocol() is None
    assert near.fileno() == -1
    far.close()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_connection_lost_can_end_the_run(new_loop, kind):
    class Protocol(Recorder):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            raise kind

    async def main():
        transport, protocol = await loop.create_connection(Protocol, sock=near)
        transport.close()
        await protocol.lost
        await turns(2)
        return transport

    loop = new_loop()
    near, far = tcp_pair()
    with far:
        task = loop.create_task(main())
        with pytest.raises(kind):
            loop.run_until_complete(task)
        transport = loop.run_until_complete(task)
    assert transport.get_protocol() is None
    assert near.fileno() == -1
    loop.close()


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_transport_of_a_closed_loop_can_be_called(new_loop):
    async def main():
        return await loop.create_connection(Recorder, sock=near)

    loop = new_loop()
    near, far = tcp_pair()
    with far:
        transport, protocol = loop.run_until_complete(main())
        loop.close()
        transport.write(b"still sent")
        far.setblocking(True)
        assert far.recv(100) == b"still sent"
        assert transport.get_extra_info("socket").fileno() == near.fileno()
        assert "fd=" in repr(transport)
        assert transport.get_write_buffer_size() == 0
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            transport.close()
        assert transport.is_closing()
        transport.close()
        assert protocol.calls == ["connection_made"]
