"""gRPC on the loop, server and client: its core has threads of its own, and wakes the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

grpc = pytest.importorskip("grpc")

BODY = os.urandom(1 << 20)


async def loop(request, context):
    return type(asyncio.get_running_loop()).__module__.encode()


async def reverse(request, context):
    return request[::-1]


async def count(request, context):
    for number in range(int(request)):
        yield b"%d" % number


async def join(requests, context):
    return b"".join([part async for part in requests])


async def echo(requests, context):
    async for request in requests:
        yield request


async def refuse(request, context):
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


async def stall(request, context):
    await asyncio.sleep(60)


@contextlib.asynccontextmanager
async def channel():
    """Give a client's channel to a server with the methods above."""
    methods = {
        "loop": grpc.unary_unary_rpc_method_handler(loop),
        "reverse": grpc.unary_unary_rpc_method_handler(reverse),
        "count": grpc.unary_stream_rpc_method_handler(count),
        "join": grpc.stream_unary_rpc_method_handler(join),
        "echo": grpc.stream_stream_rpc_method_handler(echo),
        "refuse": grpc.unary_unary_rpc_method_handler(refuse),
        "stall": grpc.unary_unary_rpc_method_handler(stall),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop(0)


def test_calls_are_answered(run):
    async def main():
        async with channel() as client:
            assert await client.unary_unary("/test/loop")(b"") == b"groundup.event_loop"
            call = client.unary_unary("/test/reverse")
            assert await call(BODY) == BODY[::-1]
            answers = await asyncio.gather(*(call(b"%d" % number) for number in range(10, 200)))
            assert answers == [(b"%d" % number)[::-1] for number in range(10, 200)]

    run(main())


def test_streams_go_each_way(run):
    async def numbers(count):
        for number in range(count):
            yield b"%d," % number

    async def main():
        async with channel() as client:
            counted = client.unary_stream("/test/count")(b"300")
            assert [int(number) async for number in counted] == list(range(300))
            joined = await client.stream_unary("/test/join")(numbers(300))
            assert joined == b"".join(b"%d," % number for number in range(300))
            call = client.stream_stream("/test/echo")()
            for number in range(50):
                await call.write(b"%d" % number)
                assert await call.read() == b"%d" % number
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF

    run(main())


def test_failures_are_told(run):
    async def main():
        async with channel() as client:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.unary_unary("/test/refuse")(b"")
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.unary_unary("/test/stall")(b"", timeout=0.05)
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            call = client.unary_unary("/test/stall")(b"")
            await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    run(main())
