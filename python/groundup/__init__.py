"""Asynchronous I/O for Python on an event loop in Rust, built from the ground up."""

from groundup._groundup import __version__
from groundup.event_loop import EventLoop, install, new_event_loop, run

__all__ = ["EventLoop", "__version__", "install", "new_event_loop", "run"]
