//! What Python code asks of the writing end of a pipe: the methods of `asyncio.WriteTransport`.

use pyo3::exceptions::PyNotImplementedError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::writing::WritePipeTransport;
use crate::imports;
use crate::transports::stream::piece_of;

#[pymethods]
impl WritePipeTransport {
    /// Write bytes without blocking; what the pipe does not take yet is buffered.
    ///
    /// Raise TypeError if data is not bytes-like. On a closed pipe nothing happens; when that is
    /// repeated, a warning is logged.
    fn write<'py>(slf: &Bound<'py, Self>, data: &Bound<'py, PyAny>) -> PyResult<()> {
        let piece = piece_of(data, slf.get().end.spares(slf.py()))?;
        piece.map_or(Ok(()), |piece| Self::write_piece(slf, piece))
    }

    /// Write several bytes-like objects, one after the other.
    fn writelines(slf: &Bound<'_, Self>, list_of_data: &Bound<'_, PyAny>) -> PyResult<()> {
        let joined = PyBytes::new(slf.py(), b"").call_method1("join", (list_of_data,))?;
        Self::write(slf, &joined)
    }

    /// Close the pipe when all is written, as close() does.
    fn write_eof(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close_pipe(slf)
    }

    /// Return True: closing a pipe is how its reader is told of the end.
    fn can_write_eof(&self) -> bool {
        true
    }

    /// Close the pipe when all is written; the protocol hears of it by connection_lost(None).
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close_pipe(slf)
    }

    /// Close the pipe at once; what is not yet written is lost.
    fn abort(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::abort_pipe(slf, None)
    }

    /// Return True if the transport is closed or closing.
    fn is_closing(&self, py: Python<'_>) -> bool {
        self.end.is_closing(py)
    }

    /// Raise NotImplementedError: this is the writing end.
    fn is_reading(&self) -> PyResult<bool> {
        Err(PyNotImplementedError::new_err("is_reading() of a writing end"))
    }

    /// Raise NotImplementedError: this is the writing end.
    fn pause_reading(&self) -> PyResult<()> {
        Err(PyNotImplementedError::new_err("pause_reading() of a writing end"))
    }

    /// Raise NotImplementedError: this is the writing end.
    fn resume_reading(&self) -> PyResult<()> {
        Err(PyNotImplementedError::new_err("resume_reading() of a writing end"))
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        self.end.set_protocol(protocol.py(), protocol.unbind());
    }

    /// Return the protocol; None once the connection is lost.
    fn get_protocol(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.end.protocol(py)
    }

    /// Return the file object for 'pipe', the default for anything else.
    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.end.extra(name)?.or(default))
    }

    /// Set when the protocol is asked to pause and to resume writing: above high, at most low bytes.
    ///
    /// Without low it is a quarter of high; without high it is four times low, or 64 KiB. Raise
    /// ValueError unless high >= low >= 0.
    #[pyo3(signature = (high=None, low=None))]
    fn set_write_buffer_limits(
        slf: &Bound<'_, Self>,
        high: Option<isize>,
        low: Option<isize>,
    ) -> PyResult<()> {
        slf.get().state(slf.py()).flow.set_limits(high, low)?;
        Self::pause_protocol(slf)
    }

    /// Return the limits of the write buffer, low and high, in bytes.
    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        self.state(py).flow.limits()
    }

    /// Return how many bytes the pipe has not taken yet.
    fn get_write_buffer_size(&self, py: Python<'_>) -> usize {
        self.len(py)
    }

    /// The file that is to be closed in the end.
    #[getter]
    fn _pipe(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.end.open_file(py)
    }

    #[setter(_pipe)]
    fn set_pipe(&self, py: Python<'_>, pipe: Option<Py<PyAny>>) {
        self.end.set_open_file(py, pipe);
    }

    #[getter]
    fn _protocol_paused(&self, py: Python<'_>) -> bool {
        self.state(py).flow.is_paused()
    }

    /// What `isinstance` goes by; asyncio's writing ends are both kinds too.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_transport(py).map(|class| class.clone().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<{}>", self.describe(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.end.traverse(visit)
    }

    fn __clear__(&self) {
        self.end.clear();
    }
}
