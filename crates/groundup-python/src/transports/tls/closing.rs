//! The end of a TLS connection: by either side, in good order or not.

use pyo3::exceptions::{PyOSError, PyTimeoutError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::TlsProtocol;
use super::handshake::cancel;
use super::session::Progress;
use super::state::{AppPhase, Phase};
use crate::event_loop::EventLoop;
use crate::{errors, imports};

impl TlsProtocol {
    /// Ends the session in good order: what was written goes out, then close notifications.
    pub(super) fn start_shutdown(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        if state.is_ending() {
            return Ok(());
        }
        if let Some(transport) = this.app_transport(py) {
            transport.get().mark_closed(py);
        }
        if state.phase.get() == Phase::Handshake {
            return Self::abort(tls, None);
        }
        state.phase.set(Phase::Flushing);
        let timer = Self::call_later(tls, &this.shutdown_timeout, "_check_shutdown_timeout")?;
        drop(state.shutdown_timer.replace(Some(timer)));
        Self::flush(tls)
    }

    pub(super) fn end_late_shutdown(tls: &Bound<'_, Self>) -> PyResult<()> {
        let py = tls.py();
        let phase = tls.get().state(py).phase.get();
        if !matches!(phase, Phase::Flushing | Phase::Shutdown) {
            return Ok(());
        }
        let error = PyTimeoutError::new_err("SSL shutdown timed out");
        tls.get().force_lower_close(py, Some(&error))
    }

    /// Reads and writes what is left, then exchanges close notifications.
    pub(super) fn flush(tls: &Bound<'_, Self>) -> PyResult<()> {
        Self::read(tls)?;
        let state = tls.get().state(tls.py());
        // Reading may have ended it all.
        if state.phase.get() == Phase::Flushing {
            state.phase.set(Phase::Shutdown);
        }
        Self::shut_down(tls)
    }

    pub(super) fn shut_down(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        if this.state(py).phase.get() != Phase::Shutdown {
            return Ok(());
        }
        let outcome = match this.state(py).got_lower_eof.get() {
            true => Ok(Progress::Done(())),
            false => this.session.shutdown(py),
        };
        match outcome {
            Ok(Progress::Again) => Self::pass_down(tls),
            Ok(Progress::Done(())) => {
                Self::pass_down(tls)?;
                Self::pass_eof_up(tls)?;
                cancel(py, this.state(py).shutdown_timer.take())?;
                match this.lower(py) {
                    Some(lower) => Self::call_soon(tls, &lower.getattr(intern!(py, "close"))?, []),
                    None => Ok(()),
                }
            }
            Err(error) if error.value(py).is_instance(imports::ssl_error(py)?)? => {
                cancel(py, this.state(py).shutdown_timer.take())?;
                Self::fatal_error(tls, error, "Fatal error on transport")
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the connection at once.
    pub(super) fn abort(tls: &Bound<'_, Self>, error: Option<&PyErr>) -> PyResult<()> {
        tls.get().state(tls.py()).phase.set(Phase::Unwrapped);
        tls.get().force_lower_close(tls.py(), error)
    }

    /// Closes the lower transport at once, with an exception where it takes one.
    fn force_lower_close(&self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<()> {
        let Some(lower) = self.lower(py) else { return Ok(()) };
        match lower.getattr_opt(intern!(py, "_force_close"))? {
            Some(force_close) => {
                force_close.call1((error.map(|error| errors::exception(py, error)),))
            }
            None => lower.call_method0(intern!(py, "abort")),
        }
        .map(drop)
    }

    /// The lower connection is lost: the application hears of it, and all is let go.
    pub(super) fn lose<'py>(tls: &Bound<'py, Self>, exc: Bound<'py, PyAny>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        drop(state.backlog.take());
        state.backlog_len.set(0);
        drop(this.session.drain(py)?);
        state.lost_count.set(state.lost_count.get() + 1);
        let transport = state.app_transport.take();
        if let Some(transport) = &transport {
            transport.get().mark_closed(py);
        }
        let protocol = state.app_protocol.take();
        drop(state.reader.take());
        let knows = matches!(state.app_phase.get(), AppPhase::Connected | AppPhase::GotEof);
        if state.phase.get() != Phase::Handshake
            && knows
            && let Some(protocol) = protocol
        {
            state.app_phase.set(AppPhase::Lost);
            let lost = protocol.bind(py).getattr(intern!(py, "connection_lost"))?;
            Self::call_soon(tls, &lost, [exc.clone()])?;
        }
        state.phase.set(Phase::Unwrapped);
        drop(state.lower.take());
        Self::wake_waiter(tls, Some(&exc).filter(|exc| !exc.is_none()))?;
        cancel(py, state.shutdown_timer.take())?;
        cancel(py, state.handshake_timer.take())
    }

    pub(super) fn fatal_error(tls: &Bound<'_, Self>, error: PyErr, message: &str) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        this.force_lower_close(py, Some(&error))?;
        if error.is_instance_of::<PyOSError>(py) {
            if this.event_loop.get().is_debug(py) {
                let keywords = PyDict::new(py);
                keywords.set_item("exc_info", errors::exception(py, &error))?;
                let args = ("%r: %s", tls, message);
                imports::logger(py)?.call_method("debug", args, Some(&keywords))?;
            }
            return Ok(());
        }
        if error.matches(py, imports::cancelled_error(py)?)? {
            return Ok(());
        }
        let context = PyDict::new(py);
        context.set_item("message", message)?;
        context.set_item("exception", errors::exception(py, &error))?;
        context.set_item("transport", this.lower(py))?;
        context.set_item("protocol", tls)?;
        EventLoop::report(this.event_loop.bind(py), &context)
    }
}
