"""Waiting in the sock_ methods, and what they refuse."""

import asyncio
import socket
import ssl

import pytest

from comparison import failure, outcome, turn

METHODS = {
    "sock_recv": (10,),
    "sock_recv_into": (bytearray(10),),
    "sock_sendall": (b"x",),
    "sock_accept": (),
    "sock_connect": (("127.0.0.1", 1),),
}


def test_waiting_leaves_nothing_behind(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            loop.call_soon(theirs.send, b"x")
            await loop.sock_recv(ours, 10)
            return loop.remove_reader(ours), loop.remove_writer(ours)

    assert same(body) == (False, False)


@pytest.mark.parametrize("method", ["sock_recv", "sock_recv_into", "sock_accept"])
def test_a_wait_can_be_cancelled_and_begun_again(loop, listener, socketpair, method):
    waiting = listener if method == "sock_accept" else socketpair[0]
    arguments = METHODS[method]

    async def main():
        for _ in range(3):
            task = loop.create_task(getattr(loop, method)(waiting, *arguments))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not loop.remove_reader(waiting)
        task = loop.create_task(getattr(loop, method)(waiting, *arguments))
        await asyncio.sleep(0)
        if method == "sock_accept":
            with socket.create_connection(listener.getsockname()):
                (await task)[0].close()
        else:
            socketpair[1].send(b"x")
            assert await task in (b"x", 1)

    loop.run_until_complete(main())


def test_a_cancelled_wait_loses_no_bytes(loop, socketpair):
    """Even if they came in the very turn in which the wait is cancelled."""
    ours, theirs = socketpair

    async def main():
        task = loop.create_task(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        theirs.send(b"hello")
        await asyncio.sleep(0)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return await loop.sock_recv(ours, 10)

    assert loop.run_until_complete(main()) == b"hello"


def test_a_wait_ends_in_time(same, pair):
    async def body(loop):
        ours, theirs = pair()
        with ours, theirs:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(loop.sock_recv(ours, 10), 0.01)
            theirs.send(b"x")
            return await asyncio.wait_for(loop.sock_recv(ours, 10), 30)

    assert same(body) == b"x"


@pytest.mark.parametrize("method", METHODS)
def test_in_debug_mode_a_blocking_socket_is_refused(same, method):
    async def body(loop):
        loop.set_debug(True)
        with socket.socket() as blocking:
            return await failure(getattr(loop, method)(blocking, *METHODS[method]))

    assert same(body) == ("ValueError", "the socket must be non-blocking")


@pytest.mark.parametrize("method", METHODS)
def test_a_tls_socket_is_refused(same, method):
    context = ssl.create_default_context()
    context.check_hostname = False

    async def body(loop):
        with context.wrap_socket(socket.socket()) as wrapped:
            return await failure(getattr(loop, method)(wrapped, *METHODS[method]))

    assert same(body) == ("TypeError", "Socket cannot be of type SSLSocket")


@pytest.mark.parametrize("method", METHODS)
def test_a_closed_socket_is_refused(same, method):
    async def body(loop):
        closed = socket.socket()
        closed.setblocking(False)
        closed.close()
        return await failure(getattr(loop, method)(closed, *METHODS[method]))

    assert same(body) == ("OSError", "[Errno 9] Bad file descriptor")


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_socket_is_refused(same, method):
    async def body(loop):
        return (await failure(getattr(loop, method)(5, *METHODS[method])))[0]

    assert same(body) == "AttributeError"


@pytest.mark.parametrize("method", ["sock_recv", "sock_sendall"])
def test_a_socket_that_is_not_connected(same, method):
    async def body(loop):
        with socket.socket() as client:
            client.setblocking(False)
            return await failure(getattr(loop, method)(client, *METHODS[method]))

    assert same(body)[0] in ("OSError", "BrokenPipeError")


def test_a_socket_of_a_transport_is_refused_when_it_would_have_to_wait(same, pair):
    async def body(loop):
        ours, theirs = pair()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        with pytest.raises(RuntimeError) as caught:
            await loop.sock_recv(ours, 10)
        transport.abort()
        theirs.close()
        await asyncio.sleep(0)
        return " is used by transport <" in str(caught.value)

    assert same(body)


def test_a_closed_loop_does_not_wait(loop, socketpair):
    ours, theirs = socketpair
    coroutine = loop.sock_recv(ours, 10)
    loop.close()
    assert outcome(coroutine.send, None) == ("RuntimeError", "Event loop is closed")
    theirs.send(b"x")
    assert outcome(loop.sock_recv(ours, 10).send, None) == ("StopIteration", "b'x'")


def test_methods_are_coroutines(loop, socketpair):
    ours, _ = socketpair
    for method, arguments in METHODS.items():
        coroutine = getattr(loop, method)(ours, *arguments)
        assert asyncio.iscoroutine(coroutine)
        coroutine.close()
    turn(loop)
