"""The write buffer: its limits, its size, and when a protocol is asked to pause and to resume."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from .connections import Recorder, connected, receive, tcp_pair, turns, unix_pair, until

MUCH = 10 << 20


async def drain(far, transport) -> None:
    """Receive until nothing is left to be sent."""
    while transport.get_write_buffer_size() > 0:
        await asyncio.get_running_loop().sock_recv(far, 50_000)


async def test_a_protocol_pauses_and_resumes_once():
    async with connected() as (transport, protocol, far):
        for _ in range(10):
            transport.write(bytes(MUCH // 10))
        assert protocol.calls == ["connection_made", "pause_writing"]
        received = await receive(far, MUCH)
        assert len(received) == MUCH
        await until(lambda: "resume_writing" in protocol.calls)
        await turns(5)
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]
        assert transport.get_write_buffer_size() == 0


async def test_a_protocol_is_asked_again_when_the_buffer_is_full_again():
    async with connected() as (transport, protocol, far):
        for _ in range(3):
            transport.write(bytes(MUCH))
            await receive(far, MUCH)
            await until(lambda: transport.get_write_buffer_size() == 0)
            await turns(2)
        assert protocol.calls == ["connection_made", *["pause_writing", "resume_writing"] * 3]


async def test_pausing_comes_within_the_write_that_fills_the_buffer():
    async with connected() as (transport, protocol, _):
        transport.write(b"little")
        assert protocol.calls == ["connection_made"]
        transport.write(bytes(MUCH))
        assert protocol.calls[-1] == "pause_writing"
        size = transport.get_write_buffer_size()
        assert 0 < size < MUCH + 6
        transport.write(b"more")
        assert transport.get_write_buffer_size() == size + 4


async def test_resuming_comes_when_the_buffer_is_down_to_the_lower_limit():
    sizes = []

    class Protocol(Recorder):
        def resume_writing(self):
            super().resume_writing()
            sizes.append(self.transport.get_write_buffer_size())

    async with connected(Protocol, unix_pair) as (transport, protocol, far):
        transport.set_write_buffer_limits(high=500_000, low=300_000)
        for _ in range(20):
            transport.write(bytes(100_000))
        await turns(3)
        assert "resume_writing" not in protocol.calls
        await drain(far, transport)
        [size] = sizes
        assert 0 < size <= 300_000


async def test_with_a_limit_of_zero_any_leftover_pauses():
    async with connected(pair=unix_pair) as (transport, protocol, far):
        transport.set_write_buffer_limits(high=0)
        transport.write(b"taken at once")
        assert protocol.calls == ["connection_made"]
        while transport.get_write_buffer_size() == 0:
            transport.write(bytes(10_000))
        assert protocol.calls == ["connection_made", "pause_writing"]
        await drain(far, transport)
        assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]


@pytest.mark.groundup_only
async def test_writelines_pauses_too():
    """As it does in the newer versions of asyncio."""
    async with connected() as (transport, protocol, far):
        transport.writelines([bytes(MUCH // 100)] * 100)
        assert protocol.calls == ["connection_made", "pause_writing"]
        await drain(far, transport)
        assert protocol.calls[-1] == "resume_writing"


@pytest.mark.parametrize("method", ["connection_made", "data_received"])
async def test_a_protocol_may_fill_the_buffer_inside_its_own_methods(method):
    class Protocol(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            self.fill("connection_made")

        def data_received(self, data):
            super().data_received(data)
            self.fill("data_received")

        def fill(self, name):
            if name == method:
                self.transport.write(bytes(MUCH))

    async with connected(Protocol) as (transport, protocol, far):
        far.send(b"x")
        await until(lambda: "data_received" in protocol.calls)
        assert protocol.calls[protocol.calls.index(method) + 1] == "pause_writing"
        await drain(far, transport)
        assert protocol.calls.count("resume_writing") == 1


async def test_pausing_runs_in_the_writers_context():
    variable = contextvars.ContextVar("variable", default="unset")
    seen = []

    class Protocol(Recorder):
        def pause_writing(self):
            seen.append(variable.get())

    async with connected(Protocol) as (transport, _, _):
        variable.set("writer")
        transport.write(bytes(MUCH))
        assert seen == ["writer"]


async def test_a_protocol_may_write_more_when_it_resumes():
    rounds = 5

    class Protocol(Recorder):
        def resume_writing(self):
            super().resume_writing()
            if self.calls.count("resume_writing") < rounds:
                self.transport.write(bytes(MUCH))

    async with connected(Protocol) as (transport, protocol, far):
        transport.write(bytes(MUCH))
        assert len(await receive(far, rounds * MUCH)) == rounds * MUCH
        await until(lambda: protocol.calls.count("resume_writing") == rounds)
        assert protocol.calls == ["connection_made", *["pause_writing", "resume_writing"] * rounds]


async def test_what_is_written_on_resuming_while_closing_is_sent():
    class Protocol(Recorder):
        def resume_writing(self):
            super().resume_writing()
            self.transport.write(b"the end")

    async with connected(Protocol) as (transport, protocol, far):
        transport.set_write_buffer_limits(high=0)
        transport.write(bytes(MUCH))
        transport.close()
        received = await receive(far, MUCH + 100)
        assert len(received) == MUCH + 7
        assert received.endswith(b"the end")
        assert await protocol.lost is None


async def test_a_protocol_may_close_when_it_is_to_pause():
    class Protocol(Recorder):
        def pause_writing(self):
            super().pause_writing()
            self.transport.close()

    async with connected(Protocol) as (transport, protocol, far):
        transport.write(bytes(MUCH))
        assert transport.is_closing()
        assert len(await receive(far, MUCH + 1)) == MUCH
        assert await protocol.lost is None


async def test_a_protocol_may_abort_when_it_is_to_pause():
    class Protocol(Recorder):
        def pause_writing(self):
            super().pause_writing()
            self.transport.abort()

    async with connected(Protocol) as (transport, protocol, _):
        transport.write(bytes(MUCH))
        transport.write(b"more")
        assert transport.get_write_buffer_size() == 0
        assert await protocol.lost is None
        assert protocol.calls == ["connection_made", "pause_writing", "connection_lost"]


async def test_aborting_does_not_resume():
    async with connected() as (transport, protocol, _):
        transport.write(bytes(MUCH))
        transport.abort()
        assert transport.get_write_buffer_size() == 0
        await protocol.lost
        assert protocol.calls == ["connection_made", "pause_writing", "connection_lost"]


@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
async def test_what_a_protocol_raises_is_reported_and_the_connection_goes_on(reports, method):
    error = LookupError(method)

    def fail():
        raise error

    async with connected() as (transport, protocol, far):
        setattr(protocol, method, fail)
        transport.write(bytes(MUCH))
        assert len(await receive(far, MUCH)) == MUCH
        await until(lambda: reports)
        assert reports == [
            {
                "message": f"protocol.{method}() failed",
                "exception": error,
                "transport": transport,
                "protocol": protocol,
            }
        ]
        transport.write(b"still here")
        assert await receive(far, 10) == b"still here"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_pausing_can_end_the_run(new_loop, kind):
    class Protocol(Recorder):
        def pause_writing(self):
            super().pause_writing()
            raise kind

    async def main():
        transport, protocol = await loop.create_connection(Protocol, sock=near)
        loop.call_soon(transport.write, bytes(MUCH))
        await until(lambda: "pause_writing" in protocol.calls)
        received = await receive(far, MUCH)
        await until(lambda: "resume_writing" in protocol.calls)
        transport.close()
        await protocol.lost
        return len(received)

    loop = new_loop()
    near, far = tcp_pair()
    with far:
        task = loop.create_task(main())
        with pytest.raises(kind):
            loop.run_until_complete(task)
        assert loop.run_until_complete(task) == MUCH
    loop.close()


async def test_a_writer_that_waits_keeps_the_buffer_small():
    """However slow its reader is."""
    total, sizes = 20 << 20, []

    async def write() -> None:
        for _ in range(total // 65536):
            writer.write(bytes(65536))
            sizes.append(writer.transport.get_write_buffer_size())
            await writer.drain()
        writer.close()

    near, far = unix_pair()
    _, writer = await asyncio.open_connection(sock=near)
    writing = asyncio.create_task(write())
    received = 0
    while data := await receive(far, 1 << 20):
        received += len(data)
    await writing
    await writer.wait_closed()
    far.close()
    assert received == total
    assert max(sizes) <= 2 * 65536
