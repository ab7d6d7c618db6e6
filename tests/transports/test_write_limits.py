"""The limits of the write buffer: what they are, and what they may be."""

from __future__ import annotations

import pytest

from .connections import connected

MUCH = 10 << 20


async def test_limits_are_64_and_16_kib_at_first():
    async with connected() as (transport, _, _):
        assert transport.get_write_buffer_limits() == (16 << 10, 64 << 10)


@pytest.mark.parametrize(
    ("arguments", "low", "high"),
    [
        ({"high": 1000}, 250, 1000),
        ({"low": 1000}, 1000, 4000),
        ({"high": 1000, "low": 1000}, 1000, 1000),
        ({"high": 1000, "low": 0}, 0, 1000),
        ({"high": 0}, 0, 0),
        ({}, 16 << 10, 64 << 10),
        ({"high": None, "low": None}, 16 << 10, 64 << 10),
    ],
)
async def test_limits_can_be_set(arguments, low, high):
    async with connected() as (transport, _, _):
        transport.set_write_buffer_limits(high=1, low=1)
        transport.set_write_buffer_limits(**arguments)
        assert transport.get_write_buffer_limits() == (low, high)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"high": 1, "low": 2}, "high (1) must be >= low (2) must be >= 0"),
        ({"high": -1}, "high (-1) must be >= low (-1) must be >= 0"),
        ({"high": 5, "low": -1}, "high (5) must be >= low (-1) must be >= 0"),
        ({"low": -1}, "high (-4) must be >= low (-1) must be >= 0"),
    ],
)
async def test_wrong_limits_are_refused(arguments, message):
    async with connected() as (transport, _, _):
        with pytest.raises(ValueError) as caught:
            transport.set_write_buffer_limits(**arguments)
        assert str(caught.value) == message
        assert transport.get_write_buffer_limits() == (16 << 10, 64 << 10)


async def test_what_the_kernel_takes_does_not_count():
    async with connected() as (transport, protocol, _):
        transport.set_write_buffer_limits(high=10)
        transport.write(bytes(1000))
        assert transport.get_write_buffer_size() == 0
        assert protocol.calls == ["connection_made"]


async def test_lower_limits_pause_at_once():
    async with connected() as (transport, protocol, _):
        transport.set_write_buffer_limits(high=100 << 20)
        transport.write(bytes(MUCH))
        assert protocol.calls == ["connection_made"]
        transport.set_write_buffer_limits(high=1000)
        assert protocol.calls == ["connection_made", "pause_writing"]
