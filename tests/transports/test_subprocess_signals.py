"""Signals to a child: those that end it, those that come too late, and those that make no sense."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest

from .processes import (
    PIPE,
    SLEEP,
    STUBBORN,
    ProcessRecorder,
    child,
)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGRTMIN"])
async def test_the_return_code_tells_of_the_signal(name):
    number = signal.Signals[name]
    async with child(*SLEEP) as (transport, protocol):
        transport.send_signal(number)
        assert await protocol.exited == -number
        assert transport.get_extra_info("subprocess").returncode == -number


async def test_terminating_and_killing():
    for method, number in [("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)]:
        process = await asyncio.create_subprocess_exec(*SLEEP)
        getattr(process, method)()
        assert await process.wait() == -number


async def test_a_child_that_ignores_its_signal_lives_on_and_can_be_killed():
    process = await asyncio.create_subprocess_exec(*STUBBORN, stdout=PIPE)
    assert process.returncode is None
    assert await process.stdout.readline() == b"ready\n"
    process.terminate()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.1)
    assert process.returncode is None
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    await process.communicate()


async def test_signals_that_make_no_sense_are_refused():
    async with child(*SLEEP) as (transport, _):
        with pytest.raises(TypeError):
            transport.send_signal("SIGTERM")
        with pytest.raises(OSError):
            transport.send_signal(1000)
        assert transport.get_returncode() is None


async def test_a_signal_to_a_child_that_has_exited_is_ignored_and_then_refused():
    class Signals(ProcessRecorder):
        def process_exited(self):
            super().process_exited()
            self.transport.kill()

    async with child("true", factory=Signals) as (transport, protocol):
        await protocol.lost
        with pytest.raises(ProcessLookupError):
            transport.send_signal(signal.SIGTERM)
        with pytest.raises(ProcessLookupError):
            transport.terminate()
        with pytest.raises(ProcessLookupError):
            transport.kill()


@pytest.mark.asyncio_since(3, 13)
async def test_signals_that_race_with_the_exit_never_lose_the_return_code():
    for _ in range(20):
        process = await asyncio.create_subprocess_exec("sleep", "0.01")
        await asyncio.sleep(0.01)
        # Once the transport is done, there is no process to send it to.
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        assert await process.wait() == 0
