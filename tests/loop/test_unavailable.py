"""What asyncio's loop has and this one has not yet says so by its name."""

import asyncio
import inspect

import pytest

import groundup

UNAVAILABLE = [
    "connect_read_pipe",
    "connect_write_pipe",
    "subprocess_exec",
    "subprocess_shell",
]


@pytest.mark.parametrize("name", UNAVAILABLE)
def test_a_method_that_is_not_there_yet_is_named(loop, name):
    for args, keywords in [((), {}), ((1, 2), {"sock": None})]:
        with pytest.raises(NotImplementedError, match=rf"EventLoop does not implement {name}\(\)"):
            getattr(loop, name)(*args, **keywords)


def test_every_method_of_asyncios_loop_is_there_or_named(loop):
    """None is inherited from the abstract class, whose methods say nothing."""
    for name, _ in inspect.getmembers(asyncio.AbstractEventLoop, inspect.isfunction):
        if not name.startswith("_"):
            owner = next(kind for kind in type(loop).__mro__ if name in vars(kind))
            assert owner is not asyncio.AbstractEventLoop, name


def test_what_is_available_is_documented():
    for name, member in inspect.getmembers(groundup.EventLoop):
        if not name.startswith("_") and callable(member):
            assert inspect.getdoc(member), name
