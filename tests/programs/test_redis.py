"""redis-py on the loop, against a real Redis: over TCP, a Unix socket and TLS."""

from __future__ import annotations

import asyncio
import os

import pytest

redis = pytest.importorskip("redis.asyncio")

BODY = os.urandom(3 << 20)


@pytest.fixture
def client(redis_server):
    def client(**options):
        return redis.Redis(**{"host": "127.0.0.1", "port": redis_server.port, **options})

    return client


def test_values_come_back(run, client):
    async def main():
        async with client() as server:
            await server.set("key", BODY)
            assert await server.get("key") == BODY
            await server.hset("map", mapping={"a": 1, "b": "two"})
            assert await server.hgetall("map") == {b"a": b"1", b"b": b"two"}
            assert await server.get("nothing") is None
            with pytest.raises(redis.RedisError, match="WRONGTYPE"):
                await server.incr("map")

    run(main())


def test_a_pipeline_answers_in_order(run, client):
    async def main():
        async with client() as server:
            await server.delete("counter")
            async with server.pipeline(transaction=True) as pipeline:
                for _ in range(1000):
                    pipeline.incr("counter")
                assert await pipeline.execute() == list(range(1, 1001))

    run(main())


def test_many_tasks_share_a_pool(run, redis_server):
    async def main():
        where = {"host": "127.0.0.1", "port": redis_server.port}
        pool = redis.BlockingConnectionPool(max_connections=5, **where)
        async with redis.Redis.from_pool(pool) as client:
            await client.delete("shared")
            answers = await asyncio.gather(*(client.incr("shared") for _ in range(300)))
            assert len(await client.client_list()) <= 5
        assert sorted(answers) == list(range(1, 301))

    run(main())


def test_a_blocking_read_waits_for_another_client(run, client):
    async def main():
        async with client() as reader, client() as writer:
            await writer.delete("queue")
            waiting = asyncio.create_task(reader.blpop("queue", timeout=20))
            while not (await writer.info("clients"))["blocked_clients"]:
                await asyncio.sleep(0.001)
            await writer.rpush("queue", "item")
            assert await waiting == (b"queue", b"item")
            assert await reader.blpop("queue", timeout=0.01) is None

    run(main())


def test_subscribers_receive_what_is_published(run, client):
    async def main():
        async with client() as server, server.pubsub() as channel:
            await channel.subscribe("news")
            assert (await channel.get_message(timeout=20))["type"] == "subscribe"
            for number in range(100):
                await server.publish("news", number)
            received = [await channel.get_message(timeout=20) for _ in range(100)]
            assert [int(message["data"]) for message in received] == list(range(100))
            assert await channel.get_message(timeout=0.01) is None

    run(main())


def test_a_connection_that_the_server_ends_is_made_anew(run, client):
    async def main():
        async with client(single_connection_client=True) as server, client() as other:
            name = await server.client_id()
            await other.client_kill_filter(_id=name)
            assert await server.ping()
            assert await server.client_id() != name

    run(main())


def test_a_unix_socket_and_tls_do(run, client, redis_server, authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "authority.crt")
    ways = [
        {"unix_socket_path": str(redis_server.folder / "redis.sock")},
        {"ssl": True, "host": "localhost", "port": redis_server.tls_port}
        | {"ssl_ca_certs": str(tmp_path / "authority.crt")},
    ]

    async def main():
        for way in ways:
            async with client(**way) as connection:
                await connection.set("key", BODY)
                assert await connection.get("key") == BODY

    run(main())
