"""Asynchronous I/O for Python on an event loop in Rust, built from the ground up."""

from groundup import all_tasks
from groundup._groundup import Interweave, __version__, coroutine, interweave, run_all
from groundup.event_loop import EventLoop, install, new_event_loop, run

__all__ = [
    "EventLoop",
    "Interweave",
    "__version__",
    "coroutine",
    "install",
    "interweave",
    "new_event_loop",
    "run",
    "run_all",
]

all_tasks.keep_true()
