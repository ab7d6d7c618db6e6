//! Warnings from destructors.
//!
//! A destructor may run while an exception is on its way, which goes on afterwards; and when the
//! interpreter ends, so that Python's module `warnings` may be gone.

use std::ffi::CString;

use pyo3::exceptions::{PyResourceWarning, PyRuntimeWarning};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Says that a coroutine is dropped that nobody has awaited, as the interpreter says it of its own.
pub fn warn_never_awaited(py: Python<'_>, name: &str) {
    beside_exception(py, || {
        let category = py.get_type::<PyRuntimeWarning>();
        warn(&category, &format!("coroutine '{name}' was never awaited"))
    });
}

/// Warns of a transport that is dropped without having been closed, and closes it.
pub fn warn_unclosed(py: Python<'_>, transport: &str, close: impl FnOnce() -> PyResult<()>) {
    beside_exception(py, || {
        if let Err(error) = warn_of_resource(py, &format!("unclosed transport {transport}")) {
            error.write_unraisable(py, None);
        }
        close()
    });
}

/// Warns of something that should have been let go of before.
///
/// # Errors
///
/// The warning, where warnings are errors.
pub fn warn_of_resource(py: Python<'_>, message: &str) -> PyResult<()> {
    warn(&py.get_type::<PyResourceWarning>(), message)
}

fn warn(category: &Bound<'_, PyType>, message: &str) -> PyResult<()> {
    let message = CString::new(message.replace('\0', "")).expect("it has no zeros");
    PyErr::warn(category.py(), category, &message, 1)
}

fn beside_exception(py: Python<'_>, body: impl FnOnce() -> PyResult<()>) {
    let pending = PyErr::take(py);
    if let Err(error) = body() {
        error.write_unraisable(py, None);
    }
    if let Some(error) = pending {
        error.restore(py);
    }
}
