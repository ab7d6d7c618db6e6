//! The methods of a stream that are called for each piece of data.

use std::sync::OnceLock;

use pyo3::prelude::*;

use super::StreamTransport;
use crate::quick_method::{Function, QuickMethod, quicken};

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

    fn method() -> &'static OnceLock<Function> {
        static METHOD: OnceLock<Function> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        stream: &Bound<'py, StreamTransport>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let ([data], None) = (args, context) else { return None };
        let py = stream.py();
        let outcome = StreamTransport::write_piece(stream, data.bind(py));
        Some(outcome.map(|()| py.None().into_bound(py)))
    }
}
