//! The methods of a stream that are called for each piece of data.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::ffi::CStr;

use super::StreamTransport;
use crate::quick_method::{General, QuickMethod, quicken};

/// Makes them quick, once.
///
/// # Errors
///
/// What changing a class raises.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    quicken::<Write>(py)
}

/// `transport.write(data)`.
struct Write;

impl QuickMethod for Write {
    type Class = StreamTransport;

    const NAME: &'static CStr = c"write";

    fn general() -> &'static PyOnceLock<General> {
        static GENERAL: PyOnceLock<General> = PyOnceLock::new();
        &GENERAL
    }

    fn call<'py>(stream: &Bound<'py, StreamTransport>, data: &Bound<'py, PyAny>) -> PyResult<()> {
        StreamTransport::write_piece(stream, data)
    }
}
