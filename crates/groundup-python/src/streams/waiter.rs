//! The future of whoever waits for more to arrive: made, yielded, and settled without a call into Python
//! where it is one of the loop's own.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::event_loop::EventLoop;
use crate::tasks::Future;

/// A future to be yielded to a task, which then waits for it.
///
/// # Errors
///
/// `MemoryError`.
pub fn create<'py>(event_loop: &Bound<'py, EventLoop>) -> PyResult<Bound<'py, PyAny>> {
    let waiter = EventLoop::create_future(event_loop)?;
    mark_awaited(&waiter)?;
    Ok(waiter)
}

/// Says of a future that is yielded next that it is to be waited for, as `await` does.
///
/// # Errors
///
/// What setting an attribute raises.
pub fn mark_awaited(future: &Bound<'_, PyAny>) -> PyResult<()> {
    match Future::of(future) {
        Some(future) => Future::fields(future).set_blocking(true),
        None => future.setattr(intern!(future.py(), "_asyncio_future_blocking"), true)?,
    }
    Ok(())
}

/// Wakes who waits, unless the future was cancelled.
///
/// # Errors
///
/// `InvalidStateError` when somebody has settled it; what scheduling a callback raises.
pub fn wake(waiter: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = waiter.py();
    match Future::of(waiter) {
        Some(future) if Future::is_pending(future) => {
            Future::set_result(future, py.None().into_bound(py))
        }
        _ if is_cancelled(waiter)? => Ok(()),
        _ => waiter.call_method1(intern!(py, "set_result"), (py.None(),)).map(drop),
    }
}

/// Whether a future was cancelled.
///
/// # Errors
///
/// What asking it raises.
pub fn is_cancelled(waiter: &Bound<'_, PyAny>) -> PyResult<bool> {
    waiter.call_method0(intern!(waiter.py(), "cancelled"))?.is_truthy()
}

/// Raises what a future was settled with, if it is an exception.
///
/// # Errors
///
/// That exception; `RuntimeError` when it is not settled yet.
pub fn check(waiter: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = waiter.py();
    if Future::of(waiter).is_some_and(Future::has_result) {
        return Ok(());
    }
    if !waiter.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Err(PyRuntimeError::new_err("await wasn't used with future"));
    }
    waiter.call_method0(intern!(py, "result")).map(drop)
}
