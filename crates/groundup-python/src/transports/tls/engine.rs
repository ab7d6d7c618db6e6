//! The C part of a session, `_ssl._SSLSocket`: what it decrypts is written to where it stays.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::imports;
use crate::spare_bytes::Served;

/// An object of exactly the class `_ssl._SSLSocket`.
#[derive(Debug)]
pub struct Engine(Py<PyAny>);

impl Engine {
    /// What an object is, if it is one.
    ///
    /// # Errors
    ///
    /// `ImportError` without the module `_ssl`.
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let is_exact = object.get_type().is(imports::ssl_engine(object.py())?);
        Ok(is_exact.then(|| Self(object.clone().unbind())))
    }

    /// The object.
    pub fn object(&self) -> &Py<PyAny> {
        &self.0
    }

    /// Decrypts one record, as much as there is room for behind the first bytes of what is being filled;
    /// tells how many bytes.
    ///
    /// # Errors
    ///
    /// `ssl.SSLWantReadError`, and `ssl.SSLError` when the session is broken.
    pub fn read_behind(&self, data: &mut Served<'_>, count: usize) -> PyResult<usize> {
        let py = data.bytes().py();
        let memory = data.memory_behind(count);
        let (start, len) = (memory.as_mut_ptr(), memory.len());
        // SAFETY: the memory stays where it is for as long as `data` is borrowed. The view is given to one
        // method, by the class that was checked the one in C, which writes to it and lets go of it before
        // it returns; nobody else gets it. Nobody has seen the bytes, so that nobody reads them meanwhile.
        let view = unsafe {
            let view =
                ffi::PyMemoryView_FromMemory(start.cast(), len.cast_signed(), ffi::PyBUF_WRITE);
            Bound::from_owned_ptr_or_err(py, view)?
        };
        self.0.call_method1(py, intern!(py, "read"), (len, view))?.extract(py)
    }
}
