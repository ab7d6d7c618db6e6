"""dask's scheduler, workers and client on one loop, talking TCP."""

from __future__ import annotations

import asyncio

import pytest

distributed = pytest.importorskip("distributed", reason="a dependency has no wheel for Python 3.15")


def square(number):
    return number * number


def fail(number):
    raise LookupError(number)


def test_workers_share_the_work(run):
    async def main():
        options = {"processes": False, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
        async with (
            distributed.LocalCluster(
                n_workers=2, protocol="tcp://", asynchronous=True, **options
            ) as cluster,
            distributed.Client(cluster, asynchronous=True) as client,
        ):
            assert cluster.scheduler_address.startswith("tcp://127.0.0.1:")
            squares = client.map(square, range(200))
            total = client.submit(sum, squares)
            assert await total == sum(number * number for number in range(200))
            who = await client.who_has(squares)
            assert len({worker for workers in who.values() for worker in workers}) == 2
            with pytest.raises(LookupError, match="7"):
                await client.submit(fail, 7)
            late = client.submit(asyncio.sleep, 0.01, "late")
            assert await late == "late"

    run(main())
