//! The part of a file that a caller wants sent.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyInt;

/// A file object, and which of its bytes are meant.
pub(super) struct Part {
    pub file: Py<PyAny>,
    pub offset: u64,
    /// Absent means up to the end.
    pub count: Option<u64>,
}

impl Part {
    /// Checks what is to be sent.
    ///
    /// # Errors
    ///
    /// `ValueError` or `TypeError`, as asyncio's.
    pub fn check(
        file: &Bound<'_, PyAny>,
        offset: Option<Py<PyAny>>,
        count: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let py = file.py();
        if let Some(mode) = file.getattr_opt(intern!(py, "mode"))?
            && !mode.contains("b")?
        {
            return Err(PyValueError::new_err("file should be opened in binary mode"));
        }
        let count = count.map(|count| positive(count.bind(py))).transpose()?;
        let offset = offset.map_or(Ok(0), |offset| not_negative(offset.bind(py)))?;
        Ok(Self { file: file.clone().unbind(), offset, count })
    }

    /// How many bytes are left when so many are sent, at most `most`.
    pub fn left(&self, sent: u64, most: u64) -> u64 {
        self.count.map_or(most, |count| (count - sent).min(most))
    }
}

fn positive(count: &Bound<'_, PyAny>) -> PyResult<u64> {
    let message = format!("count must be a positive integer (got {})", count.repr()?);
    if !count.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(message));
    }
    if count.le(0)? { Err(PyValueError::new_err(message)) } else { count.extract() }
}

fn not_negative(offset: &Bound<'_, PyAny>) -> PyResult<u64> {
    let message = format!("offset must be a non-negative integer (got {})", offset.repr()?);
    if !offset.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(message));
    }
    if offset.lt(0)? { Err(PyValueError::new_err(message)) } else { offset.extract() }
}
