"""Methods in C are the loop's class's own, which the interpreter calls quickly."""

import pytest

import groundup
from groundup import _groundup


@pytest.mark.parametrize("name", ["call_soon", "create_future", "create_task", "sock_recv", "time"])
def test_the_loops_methods_are_its_classs_own(name):
    assert getattr(groundup.EventLoop, name).__objclass__ is groundup.EventLoop


def test_a_class_keeps_what_it_has_by_itself():
    class Loop(_groundup.EventLoop):
        def time(self):
            return 1.0

    _groundup.take_over_methods(Loop, _groundup.EventLoop)
    assert Loop.__dict__["call_soon"].__objclass__ is Loop
    assert Loop.time is Loop.__dict__["time"]
    assert Loop.time(None) == 1.0


def test_methods_are_taken_over_by_classes_that_inherit_them_only():
    class Other:
        pass

    with pytest.raises(TypeError):
        _groundup.take_over_methods(Other, _groundup.EventLoop)
