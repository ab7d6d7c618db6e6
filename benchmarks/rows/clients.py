"""Whole programs that are clients of a real server, which runs on the other core."""

from __future__ import annotations

import asyncio

from ..in_process import counted

FIGURES = ("cpu", "user", "system", "rate")


@counted("clients/aiohttp-1000-urls", per="URL", count=1000, figures=FIGURES, backend="http")
async def aiohttp_urls(count, address):
    """aiohttp's client: a thousand URLs at once, a hundred connections; the server is by hand."""
    import aiohttp

    async def fetch(session, number):
        async with session.get(f"http://{address}/{number}") as response:
            assert len(await response.read()) == 1024

    async with aiohttp.ClientSession() as session:
        yield
        await asyncio.gather(*(fetch(session, number) for number in range(count)))
        yield


@counted("clients/asyncpg-select", per="query", figures=FIGURES, backend="postgresql")
async def asyncpg_select(count, address):
    """asyncpg: ten connections of a pool, each with one short query after the other."""
    import asyncpg

    async def query(pool, queries):
        async with pool.acquire() as connection:
            for number in range(queries):
                assert await connection.fetchval("SELECT $1::int", number) == number

    url = f"postgresql://postgres@{address}/postgres"
    async with asyncpg.create_pool(url, min_size=10, max_size=10) as pool:
        yield
        await asyncio.gather(*(query(pool, -(-count // 10)) for _ in range(10)))
        yield


@counted("clients/asyncpg-1000-rows", per="query", figures=FIGURES, backend="postgresql")
async def asyncpg_rows(count, address):
    """asyncpg: one connection, queries that give a thousand rows."""
    import asyncpg

    connection = await asyncpg.connect(f"postgresql://postgres@{address}/postgres")
    query = "SELECT n, n::text FROM generate_series(1, 1000) AS n"
    await connection.fetch(query)
    yield
    for _ in range(count):
        assert len(await connection.fetch(query)) == 1000
    yield
    await connection.close()


@counted("clients/redis-get", per="command", figures=FIGURES, backend="redis")
async def redis_get(count, address):
    """redis-py: ten clients, each with one command after the other."""
    import redis.asyncio

    async def use(client, commands):
        for _ in range(commands):
            await client.get("key")

    clients = [redis.asyncio.Redis.from_url(f"redis://{address}") for _ in range(10)]
    await asyncio.gather(*(use(client, 1) for client in clients))
    yield
    await asyncio.gather(*(use(client, -(-count // 10)) for client in clients))
    yield
    await asyncio.gather(*(client.aclose() for client in clients))


@counted("clients/redis-pipeline-100", per="pipeline", figures=FIGURES, backend="redis")
async def redis_pipeline(count, address):
    """redis-py: one client that sends a hundred commands at once."""
    import redis.asyncio

    async with redis.asyncio.Redis.from_url(f"redis://{address}") as client:
        await client.ping()
        yield
        for _ in range(count):
            async with client.pipeline(transaction=False) as pipeline:
                for number in range(100):
                    pipeline.set(f"key-{number}", number)
                assert len(await pipeline.execute()) == 100
        yield
