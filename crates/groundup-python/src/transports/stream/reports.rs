//! The stream as its reports see it; what is done with that stands in `transports/reports.rs`.

use pyo3::prelude::*;
use pyo3::types::PyContext;

use super::StreamTransport;
use crate::event_loop::EventLoop;
use crate::transports::reports::Reporting;

impl Reporting for StreamTransport {
    fn event_loop(&self) -> &Py<EventLoop> {
        &self.event_loop
    }

    fn context(&self) -> &Py<PyContext> {
        &self.context
    }

    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state(py).protocol.borrow().as_ref().map(|protocol| protocol.bind(py).clone())
    }

    fn abort_for(stream: &Bound<'_, Self>, reason: PyErr) -> PyResult<()> {
        Self::abort_stream(stream, Some(reason))
    }
}
