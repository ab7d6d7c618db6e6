//! Warnings from destructors.

use pyo3::prelude::*;

use crate::imports;

/// Issues a warning from a destructor, which may run while an exception is on its way.
pub fn warn_from_destructor(py: Python<'_>, category: &Bound<'_, PyAny>, message: &str) {
    let pending = PyErr::take(py);
    let warned = imports::warn(py).and_then(|warn| warn.call1((message, category)));
    if let Err(error) = warned {
        error.write_unraisable(py, None);
    }
    if let Some(error) = pending {
        error.restore(py);
    }
}
