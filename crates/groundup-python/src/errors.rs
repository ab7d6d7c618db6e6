//! System errors as Python exceptions, in one place.

use std::io;
use std::path::Path;

use pyo3::exceptions::{
    PyBaseException, PyBlockingIOError, PyInterruptedError, PyKeyboardInterrupt, PyOSError,
    PyRuntimeError, PySystemExit,
};
use pyo3::intern;
use pyo3::prelude::*;
use rustix::io::Errno;

use crate::imports;

/// The exception Python raises for a failed system call: `OSError`, or the subclass that stands for
/// its number, with `errno` and `strerror` set.
pub fn os_error(error: &io::Error) -> PyErr {
    let Some(number) = error.raw_os_error() else {
        return PyOSError::new_err(error.to_string());
    };
    Python::attach(|py| {
        match imports::strerror(py).and_then(|strerror| strerror.call1((number,))) {
            Ok(text) => PyOSError::new_err((number, text.unbind())),
            Err(error) => error,
        }
    })
}

/// [`os_error`] with the name of the file that it is about.
pub fn os_error_of(error: &io::Error, file: &Path) -> PyErr {
    let raised = os_error(error);
    let named = Python::attach(|py| {
        let exception = raised.value(py);
        exception.setattr(intern!(py, "filename"), file.as_os_str())
    });
    named.map_or_else(|error| error, |()| raised)
}

/// [`os_error`] of a number, with a text of its own.
pub fn os_error_with(error: Errno, text: String) -> PyErr {
    PyOSError::new_err((error.raw_os_error(), text))
}

/// What every method says on a loop that is closed.
pub fn closed_loop() -> PyErr {
    PyRuntimeError::new_err("Event loop is closed")
}

/// Whether an exception ends the run of the loop instead of being reported: `SystemExit` and
/// `KeyboardInterrupt`.
pub fn ends_run(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PySystemExit>(py) || error.is_instance_of::<PyKeyboardInterrupt>(py)
}

/// Whether a call failed because the system has no more of what it takes; epoll says so by `NOSPC` when
/// a user may watch no more descriptors.
pub fn is_exhaustion(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::NOSPC | Errno::NOMEM))
}

/// Whether a socket's method raised because it would have blocked, or was interrupted.
pub fn would_block(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyBlockingIOError>(py) || error.is_instance_of::<PyInterruptedError>(py)
}

/// The exception itself, to be handed out: with its traceback, which before Python 3.12 travels beside it
/// and is not in what `PyErr::value` shows.
pub fn exception<'py>(py: Python<'py>, error: &PyErr) -> Bound<'py, PyBaseException> {
    error.clone_ref(py).into_value(py).into_bound(py)
}

/// What ends a run of the event loop from inside: a pointer, for results with a `PyErr` in them are
/// slow to pass on, even where there is none.
#[derive(Debug)]
pub struct RunError(Box<PyErr>);

impl From<PyErr> for RunError {
    #[cold]
    fn from(error: PyErr) -> Self {
        Self(Box::new(error))
    }
}

impl From<io::Error> for RunError {
    #[cold]
    fn from(error: io::Error) -> Self {
        os_error(&error).into()
    }
}

impl From<RunError> for PyErr {
    #[cold]
    fn from(RunError(error): RunError) -> Self {
        *error
    }
}
