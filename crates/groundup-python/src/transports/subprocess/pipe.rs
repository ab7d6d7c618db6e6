//! The protocol of one pipe of a child process: it hands on to the protocol of the process.

use std::cell::{Cell, RefCell};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::SubprocessTransport;
use crate::gil::GilBound;

/// The protocol of a pipe of a child process.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct PipeProtocol {
    /// By which descriptor the child knows the pipe.
    fd: usize,
    state: GilBound<State>,
}

struct State {
    /// Let go of when the pipe is lost.
    process: RefCell<Option<Py<SubprocessTransport>>>,
    transport: RefCell<Option<Py<PyAny>>>,
    is_lost: Cell<bool>,
}

impl PipeProtocol {
    pub fn new(process: Py<SubprocessTransport>, fd: usize) -> Self {
        let state = State {
            process: RefCell::new(Some(process)),
            transport: RefCell::default(),
            is_lost: Cell::default(),
        };
        Self { fd, state: GilBound::new(state) }
    }

    /// The transport of the pipe, once it is connected.
    pub fn transport(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.get(py).transport.borrow().as_ref().map(|transport| transport.clone_ref(py))
    }

    /// Whether the pipe is lost.
    pub fn is_lost(&self, py: Python<'_>) -> bool {
        self.state.get(py).is_lost.get()
    }

    fn process(&self, py: Python<'_>) -> Option<Py<SubprocessTransport>> {
        self.state.get(py).process.borrow().as_ref().map(|process| process.clone_ref(py))
    }

    /// Calls a method of the process's protocol now.
    fn tell_process(&self, py: Python<'_>, method: &str) -> PyResult<()> {
        let protocol = self.process(py).and_then(|process| process.get().protocol(py));
        protocol.map_or(Ok(()), |protocol| protocol.call_method0(py, method).map(drop))
    }
}

#[pymethods]
impl PipeProtocol {
    fn connection_made(&self, transport: Bound<'_, PyAny>) {
        drop(self.state.get(transport.py()).transport.replace(Some(transport.unbind())));
    }

    fn data_received(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = data.py();
        let Some(process) = self.process(py) else { return Ok(()) };
        process.get().tell_protocol(py, "pipe_data_received", (self.fd, data))
    }

    fn eof_received(&self) {}

    fn connection_lost(&self, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = exc.py();
        self.state.get(py).is_lost.set(true);
        let process = self.state.get(py).process.take();
        process.map_or(Ok(()), |process| {
            SubprocessTransport::pipe_lost(process.bind(py), self.fd, exc)
        })
    }

    fn pause_writing(&self, py: Python<'_>) -> PyResult<()> {
        self.tell_process(py, "pause_writing")
    }

    fn resume_writing(&self, py: Python<'_>) -> PyResult<()> {
        self.tell_process(py, "resume_writing")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let pipe = match self.transport(py) {
            Some(transport) => transport.bind(py).repr()?.to_string(),
            None => "None".to_owned(),
        };
        Ok(format!("<PipeProtocol fd={} pipe={pipe}>", self.fd))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        state.process.try_borrow().map_or(Ok(()), |process| visit.call(&*process))?;
        state.transport.try_borrow().map_or(Ok(()), |transport| visit.call(&*transport))
    }

    fn __clear__(&self) {
        drop(self.state.visit().process.take());
    }
}
