//! The methods of a stream that are called for each piece of data.

use std::sync::OnceLock;

use pyo3::prelude::*;

use super::StreamTransport;
use crate::quick_method::{Keywords, QuickMethod, quicken};

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

    const NAME: &str = "write";

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        stream: &Bound<'py, StreamTransport>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let ([data], true) = (args, keywords.is_empty()) else { return None };
        let py = stream.py();
        let outcome = StreamTransport::write_piece(stream, data.bind(py));
        Some(outcome.map(|()| py.None().into_bound(py)))
    }
}
