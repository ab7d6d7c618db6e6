//! Warnings from destructors.

use std::ffi::CString;

use pyo3::exceptions::{PyResourceWarning, PyRuntimeWarning};
use pyo3::prelude::*;
use pyo3::types::PyType;

/// Says that a coroutine is dropped that nobody has awaited, as the interpreter says it of its own.
pub fn warn_never_awaited(py: Python<'_>, name: &str) {
    let category = py.get_type::<PyRuntimeWarning>();
    warn_from_destructor(py, &category, &format!("coroutine '{name}' was never awaited"));
}

/// Says that a transport is dropped that nobody has closed.
pub fn warn_unclosed(py: Python<'_>, transport: &str) {
    let category = py.get_type::<PyResourceWarning>();
    warn_from_destructor(py, &category, &format!("unclosed transport {transport}"));
}

fn warn_from_destructor(py: Python<'_>, category: &Bound<'_, PyType>, message: &str) {
    // A destructor may run while an exception is on its way; it goes on afterwards.
    let pending = PyErr::take(py);
    let message = CString::new(message.replace('\0', "")).expect("it has no zeros");
    // Not through Python's `warnings`, which cannot be imported any more when the interpreter ends.
    if let Err(error) = PyErr::warn(py, category, &message, 1) {
        error.write_unraisable(py, None);
    }
    if let Some(error) = pending {
        error.restore(py);
    }
}
