"""asyncpg on the loop, against a real PostgreSQL: over TCP, a Unix socket and TLS."""

from __future__ import annotations

import asyncio
import datetime
import io
import os

import pytest

asyncpg = pytest.importorskip("asyncpg")

BODY = os.urandom(3 << 20)


@pytest.fixture
def connect(postgresql):
    """Connect over TCP, or as the arguments say."""

    def connect(**options):
        where = {"host": "127.0.0.1", "port": postgresql.port, "ssl": False, **options}
        return asyncpg.connect(user="postgres", database="postgres", **where)

    return connect


@pytest.fixture
def pool(postgresql):
    def pool(**options):
        where = {"host": "127.0.0.1", "port": postgresql.port, "ssl": False}
        return asyncpg.create_pool(user="postgres", database="postgres", **where, **options)

    return pool


def test_values_of_many_types_come_back(run, connect):
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.UTC)

    async def main():
        connection = await connect()
        row = await connection.fetchrow(
            "SELECT $1::bigint AS a, $2::text AS b, $3::bytea AS c, $4::timestamptz AS d,"
            " $5::float8[] AS e, NULL AS f, '{\"x\": 1}'::json AS g",
            *(1 << 40, "grün", BODY, moment, [0.5, 1.5]),
        )
        assert list(row.values()) == [1 << 40, "grün", BODY, moment, [0.5, 1.5], None, '{"x": 1}']
        await connection.close()

    run(main())


def test_rows_are_written_and_read_in_bulk(run, connect):
    async def main():
        connection = await connect()
        await connection.execute("CREATE TEMPORARY TABLE numbers (number int, square bigint)")
        rows = [(number, number * number) for number in range(2000)]
        await connection.executemany("INSERT INTO numbers VALUES ($1, $2)", rows[:1000])
        await connection.copy_records_to_table("numbers", records=rows[1000:])
        assert await connection.fetch("SELECT * FROM numbers ORDER BY number") == rows
        out = io.BytesIO()
        await connection.copy_from_query("SELECT number FROM numbers ORDER BY 1", output=out)
        assert [int(line) for line in out.getvalue().split()] == list(range(2000))
        async with connection.transaction():
            read = [row[0] async for row in connection.cursor("SELECT number FROM numbers")]
        assert read == list(range(2000))
        await connection.close()

    run(main())


def test_a_transaction_that_fails_leaves_nothing(run, connect):
    async def main():
        connection = await connect()
        await connection.execute("CREATE TEMPORARY TABLE kept (x int PRIMARY KEY)")
        async with connection.transaction():
            await connection.execute("INSERT INTO kept VALUES (1)")
            with pytest.raises(asyncpg.UniqueViolationError):
                async with connection.transaction():
                    await connection.execute("INSERT INTO kept VALUES (2), (1)")
        assert await connection.fetch("SELECT x FROM kept") == [(1,)]
        await connection.close()

    run(main())


def test_a_pool_serves_more_tasks_than_it_has_connections(run, pool):
    async def main():
        async with pool(min_size=2, max_size=5) as connections:

            async def ask(number):
                query = "SELECT $1::int, pg_backend_pid(), pg_sleep(0.001)"
                return (await connections.fetchrow(query, number))[:2]

            answers = await asyncio.gather(*map(ask, range(200)))
        assert [number for number, _ in answers] == list(range(200))
        assert 2 <= len({backend for _, backend in answers}) <= 5

    run(main())


def test_a_query_that_takes_too_long_is_cancelled_in_the_server(run, connect):
    """For that, asyncpg opens a connection of its own."""

    async def main():
        connection = await connect()
        with pytest.raises(TimeoutError):
            await connection.execute("SELECT pg_sleep(60)", timeout=0.05)
        task = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await connection.fetchval("SELECT 6 * 7") == 42
        await connection.close()

    run(main())


def test_listeners_are_notified(run, connect):
    async def main():
        listener, speaker = await connect(), await connect()
        heard = asyncio.Queue()
        await listener.add_listener("news", lambda *args: heard.put_nowait(args[2:]))
        for number in range(20):
            await speaker.execute("SELECT pg_notify('news', $1)", str(number))
        assert [await heard.get() for _ in range(20)] == [("news", str(n)) for n in range(20)]
        await listener.close()
        await speaker.close()

    run(main())


def test_a_connection_that_the_server_ends_is_told(run, connect):
    async def main():
        victim, other = await connect(), await connect()
        ended = asyncio.Event()
        victim.add_termination_listener(lambda _: ended.set())
        query = asyncio.create_task(victim.execute("SELECT pg_sleep(60)"))
        await asyncio.sleep(0.05)
        await other.execute("SELECT pg_terminate_backend($1)", victim.get_server_pid())
        with pytest.raises(asyncpg.PostgresError, match="administrator command"):
            await query
        await ended.wait()
        assert victim.is_closed()
        await other.close()

    run(main())


def test_tls_is_started_on_the_open_connection(run, connect, client_context):
    async def main():
        connection = await connect(host="localhost", ssl=client_context)
        query = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await connection.fetchrow(query) == (True, "TLSv1.3")
        assert await connection.fetchval("SELECT $1::bytea", BODY) == BODY
        await connection.close()

    run(main())


def test_a_unix_socket_does(run, connect, postgresql):
    async def main():
        connection = await connect(host=str(postgresql.folder))
        assert await connection.fetchval("SELECT inet_client_addr() IS NULL")
        assert await connection.fetchval("SELECT $1::bytea", BODY) == BODY
        await connection.close()

    run(main())
