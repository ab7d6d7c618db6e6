//! What asyncio's loop has and this one does not have yet; each method says so by its name.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;

/// What says that a method is not there yet.
pub fn not_implemented(what: &str) -> PyErr {
    PyNotImplementedError::new_err(format!("groundup.EventLoop does not implement {what} yet"))
}

macro_rules! unavailable {
    ($($name:ident)*) => {
        #[pymethods]
        impl EventLoop {
            $(
                /// Raise NotImplementedError.
                #[pyo3(signature = (*_args, **_keywords))]
                fn $name(
                    &self,
                    _args: &Bound<'_, PyTuple>,
                    _keywords: Option<&Bound<'_, PyDict>>,
                ) -> PyResult<Py<PyAny>> {
                    Err(not_implemented(concat!(stringify!($name), "()")))
                }
            )*
        }
    };
}

unavailable! {
    connect_read_pipe
    connect_write_pipe
    subprocess_exec
    subprocess_shell
}
