//! The protocol that stands in while a file is copied to a transport.

use std::cell::RefCell;

use pyo3::exceptions::{PyConnectionError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use crate::event_loop::{EventLoop, settle_unless_done};
use crate::gil::GilBound;

/// Keeps the transport's own protocol out of the way, and waits when the transport is full.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct SendfileProtocol {
    event_loop: Py<EventLoop>,
    transport: Py<PyAny>,
    protocol: Py<PyAny>,
    resumes_reading: bool,
    resumes_writing: bool,
    /// A future for when the transport has room; absent while it has.
    full: GilBound<RefCell<Option<Py<PyAny>>>>,
}

impl SendfileProtocol {
    /// Takes the place of a transport's protocol.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        transport: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = event_loop.py();
        let resumes_writing = transport.getattr("_protocol_paused")?.is_truthy()?;
        let full = resumes_writing.then(|| EventLoop::create_future(event_loop)).transpose()?;
        let stand_in = Self {
            event_loop: event_loop.clone().unbind(),
            transport: transport.clone().unbind(),
            protocol: transport.call_method0("get_protocol")?.unbind(),
            resumes_reading: transport.call_method0("is_reading")?.is_truthy()?,
            resumes_writing,
            full: GilBound::new(RefCell::new(full.map(Bound::unbind))),
        };
        let stand_in = Bound::new(py, stand_in)?;
        transport.call_method0("pause_reading")?;
        transport.call_method1("set_protocol", (&stand_in,))?;
        Ok(stand_in)
    }

    /// A future for when the transport has room; none if it has.
    ///
    /// # Errors
    ///
    /// `ConnectionError` when the connection is lost.
    pub fn room(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.transport.call_method0(py, intern!(py, "is_closing"))?.is_truthy(py)? {
            return Err(PyConnectionError::new_err("Connection closed by peer"));
        }
        Ok(self.full.get(py).borrow().as_ref().map(|full| full.clone_ref(py)))
    }

    /// Gives the transport its own protocol back.
    ///
    /// # Errors
    ///
    /// What the transport or the protocol raises.
    pub fn restore(stand_in: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stand_in.py(), stand_in.get());
        this.transport.call_method1(py, "set_protocol", (&this.protocol,))?;
        if this.resumes_reading {
            this.transport.call_method0(py, "resume_reading")?;
        }
        if let Some(full) = this.full.get(py).take() {
            // Nobody waits for it any more.
            full.call_method0(py, "cancel")?;
        }
        if this.resumes_writing {
            this.protocol.call_method0(py, "resume_writing")?;
        }
        Ok(())
    }
}

#[pymethods]
impl SendfileProtocol {
    fn connection_made(&self, _transport: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = "Invalid state: connection should have been established already.";
        Err(PyRuntimeError::new_err(message))
    }

    fn connection_lost(&self, py: Python<'_>, exc: Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(full) = self.full.get(py).take() {
            let error = if exc.is_none() {
                PyConnectionError::new_err("Connection is closed by peer").into_value(py)
            } else {
                exc.clone().cast_into()?.unbind()
            };
            settle_unless_done(full.bind(py), Some(error.bind(py).as_any()))?;
        }
        self.protocol.call_method1(py, "connection_lost", (exc,)).map(drop)
    }

    fn pause_writing(&self, py: Python<'_>) -> PyResult<()> {
        if self.full.get(py).borrow().is_none() {
            let full = EventLoop::create_future(self.event_loop.bind(py))?;
            drop(self.full.get(py).replace(Some(full.unbind())));
        }
        Ok(())
    }

    fn resume_writing(&self, py: Python<'_>) -> PyResult<()> {
        let full = self.full.get(py).take();
        full.map_or(Ok(()), |full| settle_unless_done(full.bind(py), None))
    }

    fn data_received(&self, _data: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyRuntimeError::new_err("Invalid state: reading should be paused"))
    }

    fn eof_received(&self) -> PyResult<()> {
        Err(PyRuntimeError::new_err("Invalid state: reading should be paused"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.transport)?;
        visit.call(&self.protocol)?;
        self.full.visit().try_borrow().map_or(Ok(()), |full| visit.call(&*full))
    }
}
