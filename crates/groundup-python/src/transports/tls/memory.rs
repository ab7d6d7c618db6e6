//! A memory between a session and the transport below: an `ssl.MemoryBIO`, and how much is in it.

use std::cell::Cell;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::gil::GilBound;
use crate::imports;

/// See the module.
#[derive(Debug)]
pub struct Memory {
    object: Py<PyAny>,
    /// How many bytes are in it, if that is known: asking takes longer than most that is done with it.
    known_len: GilBound<Cell<Option<usize>>>,
}

impl Memory {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let object = imports::memory_bio(py)?.call0()?.unbind();
        Ok(Self { object, known_len: GilBound::new(Cell::new(Some(0))) })
    }

    /// The `ssl.MemoryBIO`.
    pub fn object(&self) -> &Py<PyAny> {
        &self.object
    }

    /// How many bytes are in it.
    ///
    /// # Errors
    ///
    /// None that are to be expected.
    pub fn len(&self, py: Python<'_>) -> PyResult<usize> {
        match self.known_len.get(py).get() {
            Some(len) => Ok(len),
            None => self.measure(py),
        }
    }

    fn measure(&self, py: Python<'_>) -> PyResult<usize> {
        let len = self.object.getattr(py, intern!(py, "pending"))?.extract(py)?;
        self.known_len.get(py).set(Some(len));
        Ok(len)
    }

    /// Takes note that the session may have taken something out, or put something in.
    pub fn forget_len(&self, py: Python<'_>) {
        self.known_len.get(py).set(None);
    }

    /// Puts bytes in.
    ///
    /// # Errors
    ///
    /// `MemoryError`; `TypeError` when they are not bytes.
    pub fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let written = self.object.call_method1(py, intern!(py, "write"), (data,))?;
        let len = self.known_len.get(py);
        len.set(match len.get() {
            Some(before) => Some(before + written.extract::<usize>(py)?),
            None => None,
        });
        Ok(())
    }

    /// Takes all out.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn drain<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        // What is known does not count: the application has the session too, and may have used it.
        let data = self.object.bind(py).call_method0(intern!(py, "read"))?;
        let data = data.cast_into::<PyBytes>()?;
        self.known_len.get(py).set(Some(0));
        Ok((!data.as_bytes().is_empty()).then_some(data))
    }

    /// Shows the garbage collector what this holds.
    ///
    /// # Errors
    ///
    /// Those of `visit`.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)
    }
}
