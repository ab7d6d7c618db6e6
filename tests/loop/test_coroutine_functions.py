"""Methods that are coroutine functions in asyncio are so here, but for the quickest."""

import asyncio
import inspect
import sys
from unittest import mock

import pytest

import groundup

QUICK = {
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
}

# On Python 3.11 a function can be marked for asyncio only.
is_coroutine_function = (
    inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction
)

COROUTINE_FUNCTIONS = {
    name
    for name, method in inspect.getmembers(asyncio.SelectorEventLoop, inspect.iscoroutinefunction)
    if not name.startswith("_")
}


@pytest.mark.parametrize("name", sorted(COROUTINE_FUNCTIONS))
def test_a_coroutine_function_of_asyncio_is_one_here(name):
    method = getattr(groundup.EventLoop, name)
    assert is_coroutine_function(method) is (name not in QUICK)
    assert method.__name__ == name
    assert inspect.getdoc(method)
    theirs = inspect.signature(getattr(asyncio.SelectorEventLoop, name)).parameters
    assert set(theirs) - {"kwargs"} <= set(inspect.signature(method).parameters)


def test_a_mock_in_place_of_one_can_be_awaited(loop):
    with mock.patch.object(loop, "create_connection") as create_connection:
        create_connection.return_value = 1, 2
        connecting = loop.create_connection(asyncio.Protocol, "host", 80)
        assert loop.run_until_complete(connecting) == (1, 2)
    create_connection.assert_awaited_once_with(asyncio.Protocol, "host", 80)


def test_a_mock_with_its_specification_refuses_other_arguments(loop):
    with mock.patch.object(loop, "getaddrinfo", autospec=True) as getaddrinfo:
        loop.run_until_complete(loop.getaddrinfo("host", 80, family=0))
        getaddrinfo.assert_awaited_once()
        with pytest.raises(TypeError):
            loop.run_until_complete(loop.getaddrinfo("host", 80, famly=0))


def test_a_class_of_ones_own_can_extend_one():
    class Loop(groundup.EventLoop):
        async def getaddrinfo(self, host, port, **keywords):
            return await super().getaddrinfo("127.0.0.1", port, **keywords)

    async def body():
        return await asyncio.get_running_loop().getaddrinfo("elsewhere", 80)

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert {info[4] for info in runner.run(body())} == {("127.0.0.1", 80)}
