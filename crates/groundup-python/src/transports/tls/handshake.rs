//! The beginning of a TLS connection.

use pyo3::exceptions::{PyConnectionAbortedError, PyConnectionResetError, PyException};
use pyo3::intern;
use pyo3::prelude::*;

use super::TlsProtocol;
use super::session::Progress;
use super::state::{AppPhase, Phase};
use crate::event_loop::settle_unless_done;
use crate::transports::StreamTransport;
use crate::{errors, imports};

impl TlsProtocol {
    pub(super) fn start_handshake(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        this.log_debug(py, "%r starts SSL handshake", tls)?;
        state.handshake_began.set(this.event_loop.get().seconds(py));
        state.phase.set(Phase::Handshake);
        let timer = Self::call_later(tls, &this.handshake_timeout, "_check_handshake_timeout")?;
        drop(state.handshake_timer.replace(Some(timer)));
        Self::shake_hands(tls)
    }

    pub(super) fn shake_hands(tls: &Bound<'_, Self>) -> PyResult<()> {
        let py = tls.py();
        match tls.get().session.handshake(py) {
            Ok(Progress::Again) => Self::pass_down(tls),
            Ok(Progress::Done(())) => Self::end_handshake(tls, None),
            Err(error) if error.value(py).is_instance(imports::ssl_error(py)?)? => {
                // What OpenSSL has to say to the peer is an alert.
                Self::pass_down(tls)?;
                Self::end_handshake(tls, Some(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the handshake that the lower end of file cut short.
    pub(super) fn reset_handshake(tls: &Bound<'_, Self>) -> PyResult<()> {
        Self::end_handshake(tls, Some(PyConnectionResetError::new_err(())))
    }

    fn end_handshake(tls: &Bound<'_, Self>, failure: Option<PyErr>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        cancel(py, state.handshake_timer.take())?;
        let outcome = match failure {
            Some(error) => Err(error),
            None => this.session.object.call_method0(py, "getpeercert"),
        };
        match outcome {
            Ok(certificate) => {
                state.phase.set(Phase::Wrapped);
                this.tell_session(py);
                this.enter_extra(py, certificate)?;
                Self::connect_app(tls)
            }
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Self::fail_handshake(tls, error)
            }
            Err(error) => Err(error),
        }
    }

    /// Tells a recording that what goes over the connection is a TLS session's from now on.
    fn tell_session(&self, py: Python<'_>) {
        let lower = self.lower(py);
        if let Some(Ok(stream)) = lower.as_ref().map(|lower| lower.cast_exact()) {
            let describe = || StreamTransport::connection(stream).over_tls();
            self.event_loop.get().tell_open(py, stream.get().descriptor(), describe);
        }
    }

    fn fail_handshake(tls: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let py = tls.py();
        tls.get().state(py).phase.set(Phase::Unwrapped);
        let is_certificate = error.value(py).is_instance(imports::ssl_certificate_error(py)?)?;
        let message = if is_certificate {
            "SSL handshake failed on verifying the certificate"
        } else {
            "SSL handshake failed"
        };
        let exception = errors::exception(py, &error).into_any();
        Self::fatal_error(tls, error, message)?;
        Self::wake_waiter(tls, Some(&exception))
    }

    /// Enters what can be told of the session once the handshake is done.
    fn enter_extra(&self, py: Python<'_>, certificate: Py<PyAny>) -> PyResult<()> {
        let (extra, object) = (self.state(py).extra.bind(py), self.session.object.bind(py));
        if self.event_loop.get().is_debug(py) {
            let taken = self.event_loop.get().seconds(py) - self.state(py).handshake_began.get();
            let message = ("%r: SSL handshake took %.1f ms", object, taken * 1e3);
            imports::logger(py)?.call_method1("debug", message)?;
        }
        extra.set_item("peercert", certificate)?;
        extra.set_item("cipher", object.call_method0("cipher")?)?;
        extra.set_item("compression", object.call_method0("compression")?)?;
        extra.set_item("ssl_object", object)
    }

    /// Tells the application of the connection, and gives it what has come already.
    fn connect_app(tls: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (tls.py(), tls.get());
        let state = this.state(py);
        if state.app_phase.get() == AppPhase::Nothing {
            state.app_phase.set(AppPhase::Connected);
            if let Some(protocol) = this.app_protocol(py) {
                let transport = this.app_transport(py);
                protocol.call_method1(intern!(py, "connection_made"), (transport,))?;
            }
        }
        Self::wake_waiter(tls, None)?;
        Self::read(tls)
    }

    pub(super) fn wake_waiter(
        tls: &Bound<'_, Self>,
        exception: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = tls.py();
        let waiter = tls.get().state(py).waiter.take();
        waiter.map_or(Ok(()), |waiter| settle_unless_done(waiter.bind(py), exception))
    }

    pub(super) fn end_late_handshake(tls: &Bound<'_, Self>) -> PyResult<()> {
        let py = tls.py();
        if tls.get().state(py).phase.get() != Phase::Handshake {
            return Ok(());
        }
        let seconds = tls.get().handshake_timeout.bind(py).str()?;
        let message = format!(
            "SSL handshake is taking longer than {seconds} seconds: aborting the connection"
        );
        let error = PyConnectionAbortedError::new_err(message);
        Self::fatal_error(tls, error, "Fatal error on transport")
    }

    pub(super) fn log_debug(
        &self,
        py: Python<'_>,
        format: &str,
        tls: &Bound<'_, Self>,
    ) -> PyResult<()> {
        if self.event_loop.get().is_debug(py) {
            imports::logger(py)?.call_method1("debug", (format, tls))?;
        }
        Ok(())
    }
}

/// Cancels a timer, if it is set.
pub(super) fn cancel(py: Python<'_>, timer: Option<Py<PyAny>>) -> PyResult<()> {
    timer.map_or(Ok(()), |timer| timer.call_method0(py, "cancel").map(drop))
}
