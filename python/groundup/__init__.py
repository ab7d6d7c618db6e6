"""Asynchronous I/O for Python on an event loop in Rust, built from the ground up."""

from groundup import all_tasks
from groundup._groundup import Interweave, __version__, coroutine, interweave, run_all
from groundup.boxes import BlackBox, black_box
from groundup.event_loop import EventLoop, install, new_event_loop, run
from groundup.recorded_program import record_as_told
from groundup.recording import Recording, record

__all__ = [
    "BlackBox",
    "EventLoop",
    "Interweave",
    "Recording",
    "__version__",
    "black_box",
    "coroutine",
    "install",
    "interweave",
    "new_event_loop",
    "record",
    "run",
    "run_all",
]

all_tasks.keep_true()
record_as_told()
