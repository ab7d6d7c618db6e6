//! Calls that a transport has its loop make: in the next turn, or when a descriptor is ready.
//!
//! They are handles like those of `call_soon` and `add_reader`: they run in a copy of the context that
//! they are made in, what they raise is reported, and debug mode watches how long they take.

use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::Call;
use crate::event_loop::{EventLoop, Ready, Watcher};
use crate::handle::Handle;

/// Calls back in the loop's next turn.
///
/// # Errors
///
/// `RuntimeError` when the loop is closed, and in debug mode when it runs on another thread.
pub fn call_soon<'py>(
    event_loop: &Bound<'py, EventLoop>,
    callback: Bound<'py, PyAny>,
    args: Bound<'py, PyTuple>,
) -> PyResult<()> {
    let (py, this) = (event_loop.py(), event_loop.get());
    this.check_open(py)?;
    if this.is_debug(py) {
        this.check_thread(py)?;
    }
    let handle = Handle::new_ready::<Handle>(event_loop, Call::new(callback, args), None)?;
    this.core(py).wake(Ready::Handle(handle.unbind()));
    Ok(())
}

/// Calls back, without arguments, each time a direction of a descriptor is ready.
///
/// # Errors
///
/// `RuntimeError` when the loop is closed; `OSError` when the descriptor cannot be polled.
pub fn call_when_ready<'py>(
    event_loop: &Bound<'py, EventLoop>,
    descriptor: RawFd,
    direction: Readiness,
    callback: Bound<'py, PyAny>,
) -> PyResult<()> {
    let call = Call::new(callback, PyTuple::empty(event_loop.py()));
    let handle = Handle::new(event_loop, call, None)?.unbind();
    EventLoop::add_watcher(event_loop, descriptor, direction, Watcher::Callback(handle))
}
