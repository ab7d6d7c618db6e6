//! The transport that an application writes to over TLS.

use std::cell::{Cell, RefCell};

use pyo3::exceptions::PyNotImplementedError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::TlsProtocol;
use super::state::Limits;
use crate::gil::GilBound;
use crate::imports;
use crate::transports::StreamTransport;
use crate::transports::data::frozen;
use crate::transports::limits::flow_limits;
use crate::warnings::warn_unclosed;

/// A transport over TLS; stands for the one of `asyncio.sslproto`, an `asyncio.Transport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct TlsTransport {
    /// Absent when the transport was closed once more after its end: then it holds nothing.
    tls: GilBound<RefCell<Option<Py<TlsProtocol>>>>,
    is_closed: GilBound<Cell<bool>>,
}

impl TlsTransport {
    /// The face that a TLS connection shows its application.
    pub fn new(tls: Py<TlsProtocol>) -> Self {
        Self { tls: GilBound::new(RefCell::new(Some(tls))), is_closed: GilBound::default() }
    }

    fn tls<'py>(&self, py: Python<'py>) -> Option<Bound<'py, TlsProtocol>> {
        self.tls.get(py).borrow().as_ref().map(|tls| tls.bind(py).clone())
    }

    /// The transport that it goes over.
    pub fn lower<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.tls(py)?.get().lower(py)
    }

    /// Says that the connection ends, so that nobody is told to close it.
    pub fn mark_closed(&self, py: Python<'_>) {
        self.is_closed.get(py).set(true);
    }
}

#[pymethods]
impl TlsTransport {
    /// Write bytes; they are encrypted, buffered and sent without blocking.
    ///
    /// Raise TypeError if data is not bytes-like. On a lost connection nothing happens; when that is
    /// repeated, a warning is logged.
    pub fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = frozen(data)?;
        if data.as_bytes().is_empty() {
            return Ok(());
        }
        match self.tls(data.py()) {
            Some(tls) => TlsProtocol::write(&tls, std::slice::from_ref(&data)),
            None => Ok(()),
        }
    }

    /// Write several bytes-like objects, one after the other.
    fn writelines(&self, list_of_data: &Bound<'_, PyAny>) -> PyResult<()> {
        let list: Vec<_> =
            list_of_data.try_iter()?.map(|data| frozen(&data?)).collect::<PyResult<_>>()?;
        let tls = self.tls(list_of_data.py());
        tls.map_or(Ok(()), |tls| TlsProtocol::write(&tls, &list))
    }

    /// Raise NotImplementedError: TLS cannot be closed in one direction only.
    fn write_eof(&self) -> PyResult<()> {
        Err(PyNotImplementedError::new_err("write_eof() over TLS"))
    }

    /// Return False: TLS cannot be closed in one direction only.
    fn can_write_eof(&self) -> bool {
        false
    }

    /// Close the connection when all is written; the protocol hears of it by connection_lost(None).
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_closed.get(py).replace(true) {
            drop(self.tls.get(py).take());
            return Ok(());
        }
        self.tls(py).map_or(Ok(()), |tls| TlsProtocol::start_shutdown(&tls))
    }

    /// Close the connection at once; what is not yet sent is lost.
    fn abort(&self, py: Python<'_>) -> PyResult<()> {
        self.mark_closed(py);
        self.tls(py).map_or(Ok(()), |tls| TlsProtocol::abort(&tls, None))
    }

    fn _force_close(&self, py: Python<'_>, exc: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        self.mark_closed(py);
        let error = exc.map(PyErr::from_value);
        self.tls(py).map_or(Ok(()), |tls| TlsProtocol::abort(&tls, error.as_ref()))
    }

    /// Return True if the transport is closed or closing.
    pub fn is_closing(&self, py: Python<'_>) -> PyResult<bool> {
        if self.is_closed.get(py).get() {
            return Ok(true);
        }
        let Some(lower) = self.lower(py) else { return Ok(false) };
        match lower.cast_exact::<StreamTransport>() {
            Ok(stream) => Ok(StreamTransport::is_closing(stream)),
            Err(_) => lower.call_method0(intern!(py, "is_closing"))?.is_truthy(),
        }
    }

    /// Return True if the protocol receives what arrives.
    fn is_reading(&self, py: Python<'_>) -> bool {
        self.tls(py).is_some_and(|tls| !tls.get().state(py).is_app_reading_paused.get())
    }

    /// Stop receiving, until resume_reading().
    fn pause_reading(&self, py: Python<'_>) {
        if let Some(tls) = self.tls(py) {
            tls.get().state(py).is_app_reading_paused.set(true);
        }
    }

    /// Receive again, after pause_reading().
    fn resume_reading(&self, py: Python<'_>) -> PyResult<()> {
        let Some(tls) = self.tls(py) else { return Ok(()) };
        if !tls.get().state(py).is_app_reading_paused.replace(false) {
            return Ok(());
        }
        let read_on = tls.getattr(intern!(py, "_read_on"))?;
        TlsProtocol::call_soon(&tls, &read_on, [])
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        let tls = self.tls(protocol.py());
        tls.map_or(Ok(()), |tls| TlsProtocol::adopt_app_protocol(&tls, protocol))
    }

    /// Return the protocol; None once the connection is lost.
    fn get_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.tls(py)?.get().app_protocol(py)
    }

    /// Return 'sslcontext', 'ssl_object', 'peercert', 'cipher', 'compression', or what the transport
    /// below knows.
    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Some(tls) = self.tls(py)
            && let Some(value) = tls.get().state(py).extra.bind(py).get_item(name)?
        {
            return Ok(Some(value));
        }
        match self.lower(py) {
            Some(lower) => {
                lower.call_method1(intern!(py, "get_extra_info"), (name, default)).map(Some)
            }
            None => Ok(default),
        }
    }

    /// Set when the protocol is asked to pause and to resume writing: at high, at most low bytes.
    ///
    /// Without low it is a quarter of high; without high it is four times low, or 512 KiB. Raise
    /// ValueError unless high >= low >= 0.
    #[pyo3(signature = (high=None, low=None))]
    fn set_write_buffer_limits(
        &self,
        py: Python<'_>,
        high: Option<isize>,
        low: Option<isize>,
    ) -> PyResult<()> {
        let (low, high) = flow_limits(high, low, 512 * 1024)?;
        let Some(tls) = self.tls(py) else { return Ok(()) };
        tls.get().state(py).write_limits.set(Limits { low, high });
        TlsProtocol::control_app_writing(&tls)
    }

    /// Return the limits of the write buffer, low and high, in bytes.
    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        let limits = self.tls(py).map(|tls| tls.get().state(py).write_limits.get());
        limits.map_or((0, 0), |limits| (limits.low, limits.high))
    }

    /// Return how many bytes wait to go down.
    fn get_write_buffer_size(&self, py: Python<'_>) -> PyResult<usize> {
        self.tls(py).map_or(Ok(0), |tls| tls.get().write_buffer_size(py))
    }

    /// Set when the transport below is asked to pause and to resume reading: at high, at most low bytes
    /// that are not yet decrypted.
    #[pyo3(signature = (high=None, low=None))]
    fn set_read_buffer_limits(
        &self,
        py: Python<'_>,
        high: Option<isize>,
        low: Option<isize>,
    ) -> PyResult<()> {
        let (low, high) = flow_limits(high, low, 256 * 1024)?;
        let Some(tls) = self.tls(py) else { return Ok(()) };
        tls.get().state(py).read_limits.set(Limits { low, high });
        TlsProtocol::control_lower_reading(&tls)
    }

    /// Return the limits of the read buffer, low and high, in bytes.
    fn get_read_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        let limits = self.tls(py).map(|tls| tls.get().state(py).read_limits.get());
        limits.map_or((0, 0), |limits| (limits.low, limits.high))
    }

    /// Return how many bytes have arrived that are not yet decrypted.
    fn get_read_buffer_size(&self, py: Python<'_>) -> PyResult<usize> {
        self.tls(py).map_or(Ok(0), |tls| tls.get().session.incoming_len(py))
    }

    #[getter]
    fn _protocol_paused(&self, py: Python<'_>) -> bool {
        self.tls(py).is_some_and(|tls| tls.get().state(py).is_app_paused.get())
    }

    #[getter]
    fn _ssl_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, TlsProtocol>> {
        self.tls(py)
    }

    #[classattr]
    fn _sendfile_compatible(py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::sendfile_mode(py)?.getattr("FALLBACK").map(Bound::unbind)
    }

    #[classattr]
    fn _start_tls_compatible() -> bool {
        true
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_tls_transport(py).map(|class| class.clone().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let lower = self.lower(py).map(|lower| lower.repr()).transpose()?;
        let lower = lower.map_or("closed".to_owned(), |repr| format!("over {repr}"));
        Ok(format!("<TlsTransport {lower}>"))
    }

    fn __clear__(&self) {
        drop(self.tls.visit().take());
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.tls.visit().try_borrow().map_or(Ok(()), |tls| visit.call(&*tls))
    }
}

impl Drop for TlsTransport {
    fn drop(&mut self) {
        if !self.is_closed.visit().get() {
            Python::attach(|py| {
                // The stream below closes its socket itself.
                warn_unclosed(py, "<TlsTransport>", || Ok(()));
            });
        }
    }
}
