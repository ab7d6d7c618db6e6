//! From the application to the peer.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::TlsProtocol;
use super::session::Progress;
use super::state::Phase;
use crate::errors;
use crate::event_loop::EventLoop;
use crate::transports::StreamTransport;
use crate::transports::reports::count_lost_write;

impl TlsProtocol {
    /// Takes data from the application.
    pub(super) fn write(tls: &Bound<'_, Self>, list: &[Bound<'_, PyBytes>]) -> PyResult<()> {
        let py = tls.py();
        let state = tls.get().state(py);
        if state.is_ending() {
            return count_lost_write(py, &state.lost_count, "SSL connection is closed");
        }
        for data in list {
            state.backlog_len.set(state.backlog_len.get() + data.as_bytes().len());
            state.backlog.borrow_mut().push_back(data.clone().unbind());
        }
        if state.phase.get() != Phase::Wrapped {
            return Ok(());
        }
        match Self::encrypt(tls) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Self::fatal_error(tls, error, "Fatal error on SSL protocol")
            }
            outcome => outcome,
        }
    }

    /// Encrypts what the application has written, and passes it down.
    pub(super) fn encrypt(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        loop {
            let Some(data) = state.backlog.borrow_mut().pop_front() else { break };
            let len = data.as_bytes(py).len();
            let count = match this.session.write(py, data.bind(py))? {
                Progress::Done(count) => count,
                Progress::Again => 0,
            };
            state.backlog_len.set(state.backlog_len.get() - count);
            if count < len {
                let rest = if count == 0 {
                    data
                } else {
                    PyBytes::new(py, &data.as_bytes(py)[count..]).unbind()
                };
                state.backlog.borrow_mut().push_front(rest);
                if count == 0 {
                    break;
                }
            }
        }
        Self::pass_down(tls)
    }

    /// Passes what is encrypted to the lower transport, unless that is full.
    pub(super) fn pass_down(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        if !this.state(py).is_lower_full.get()
            && let Some(data) = this.session.drain(py)?
            && let Some(lower) = this.lower(py)
        {
            match lower.cast_exact::<StreamTransport>() {
                Ok(stream) => StreamTransport::write_bytes(stream, data)?,
                Err(_) => lower.call_method1(intern!(py, "write"), (data,)).map(drop)?,
            }
        }
        Self::control_app_writing(tls)
    }

    /// How many bytes wait to go down.
    pub(super) fn write_buffer_size(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.session.outgoing_len(py)? + self.state(py).backlog_len.get())
    }

    /// Asks the application to pause, or to go on, as much or little waits.
    pub(super) fn control_app_writing(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        let (waiting, limits) = (this.write_buffer_size(py)?, state.write_limits.get());
        if waiting >= limits.high && !state.is_app_paused.get() {
            state.is_app_paused.set(true);
            Self::tell_app(tls, "pause_writing")
        } else if waiting <= limits.low && state.is_app_paused.get() {
            state.is_app_paused.set(false);
            Self::tell_app(tls, "resume_writing")
        } else {
            Ok(())
        }
    }

    fn tell_app(tls: &Bound<'_, Self>, method: &str) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let Some(protocol) = this.app_protocol(py) else { return Ok(()) };
        match protocol.call_method0(method) {
            Ok(_) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                let context = PyDict::new(py);
                context.set_item("message", format!("protocol.{method}() failed"))?;
                context.set_item("exception", errors::exception(py, &error))?;
                context.set_item("transport", this.app_transport(py))?;
                context.set_item("protocol", tls)?;
                EventLoop::report(this.event_loop.bind(py), &context)
            }
        }
    }
}
