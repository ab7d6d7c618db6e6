//! TLS over any transport: a protocol to the transport below, a transport to the protocol above.
//!
//! [`TlsProtocol`] is what the lower transport calls; [`TlsTransport`] is what the application
//! writes to. Between them is a [`Session`], and the state of both sides. Phases, timeouts, limits,
//! and what is reported to whom are those of `asyncio.sslproto`.

mod closing;
mod decrypting;
mod engine;
mod handshake;
mod memory;
mod reading;
mod session;
mod state;
mod transport;
mod writing;

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

pub use session::Session;
pub use transport::TlsTransport;

use self::state::State;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::{ffi, imports, streams};

/// TLS between a transport and a protocol.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct TlsProtocol {
    event_loop: Py<EventLoop>,
    session: Session,
    /// In seconds.
    handshake_timeout: Py<PyAny>,
    /// In seconds.
    shutdown_timeout: Py<PyAny>,
    state: GilBound<State>,
}

/// How a session is to be set up.
pub struct TlsOptions {
    pub context: Py<PyAny>,
    pub server_side: bool,
    pub server_hostname: Option<Py<PyAny>>,
    pub handshake_timeout: Option<Py<PyAny>>,
    pub shutdown_timeout: Option<Py<PyAny>>,
}

impl TlsProtocol {
    /// TLS for an application protocol, to be made the protocol of a lower transport.
    ///
    /// `waiter` is a future for the end of the handshake. With `is_upgrade` the application's
    /// protocol has heard of the connection before.
    ///
    /// # Errors
    ///
    /// `ValueError` for a timeout that is not positive; what the context raises.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        options: &TlsOptions,
        app_protocol: Bound<'py, PyAny>,
        waiter: Option<Py<PyAny>>,
        is_upgrade: bool,
    ) -> PyResult<Bound<'py, Self>> {
        let py = event_loop.py();
        let hostname = options.server_hostname.as_ref().map(|name| name.bind(py));
        let session = Session::new(
            options.context.bind(py),
            options.server_side,
            hostname.filter(|name| !options.server_side && name.is_truthy().unwrap_or(true)),
            event_loop.get().record_buffer(py),
        )?;
        let extra = PyDict::new(py);
        extra.set_item("sslcontext", &options.context)?;
        let (handshake, shutdown) = (&options.handshake_timeout, &options.shutdown_timeout);
        let protocol = Self {
            event_loop: event_loop.clone().unbind(),
            session,
            handshake_timeout: timeout(py, "ssl_handshake_timeout", handshake, 60.0)?,
            shutdown_timeout: timeout(py, "ssl_shutdown_timeout", shutdown, 30.0)?,
            state: GilBound::new(State::new(extra.unbind(), waiter, is_upgrade)),
        };
        let protocol = ffi::create(py, protocol)?;
        Self::adopt_app_protocol(&protocol, app_protocol)?;
        let transport = ffi::create(py, TlsTransport::new(protocol.clone().unbind()))?;
        protocol.get().state(py).app_transport.replace(Some(transport.unbind()));
        Ok(protocol)
    }

    /// Takes in what came from the peer before this was the protocol of a transport.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn feed(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.session.feed(py, data)
    }

    fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    /// The transport for the application; absent once the connection is lost.
    pub fn app_transport(&self, py: Python<'_>) -> Option<Py<TlsTransport>> {
        self.state(py).app_transport.borrow().as_ref().map(|transport| transport.clone_ref(py))
    }

    fn app_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state(py).app_protocol.borrow().as_ref().map(|protocol| protocol.bind(py).clone())
    }

    fn lower<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state(py).lower.borrow().as_ref().map(|lower| lower.bind(py).clone())
    }

    fn adopt_app_protocol(tls: &Bound<'_, Self>, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        let py = tls.py();
        let state = tls.get().state(py);
        state.is_app_buffered.set(protocol.is_instance(imports::buffered_protocol(py)?)?);
        let reader = streams::adopt(tls.get().event_loop.bind(py), &protocol)?;
        drop(state.reader.replace(reader.map(Bound::unbind)));
        drop(state.app_protocol.replace(Some(protocol.unbind())));
        Ok(())
    }

    /// Has the loop call a method of this object.
    fn call_soon<'py>(
        tls: &Bound<'py, Self>,
        method: &Bound<'py, PyAny>,
        args: impl IntoIterator<Item = Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = tls.py();
        let mut call = vec![method.clone()];
        call.extend(args);
        let event_loop = tls.get().event_loop.bind(py);
        event_loop.call_method1(intern!(py, "call_soon"), PyTuple::new(py, call)?).map(drop)
    }

    /// Has the loop call a method of this object after a time; gives the timer's handle.
    fn call_later(tls: &Bound<'_, Self>, seconds: &Py<PyAny>, method: &str) -> PyResult<Py<PyAny>> {
        let event_loop = tls.get().event_loop.bind(tls.py());
        let callback = tls.getattr(method)?;
        event_loop.call_method1("call_later", (seconds, callback)).map(Bound::unbind)
    }
}

/// A timeout in seconds, or its default.
fn timeout(
    py: Python<'_>,
    name: &str,
    given: &Option<Py<PyAny>>,
    default: f64,
) -> PyResult<Py<PyAny>> {
    let Some(seconds) = given else {
        return Ok(default.into_pyobject(py)?.into_any().unbind());
    };
    if seconds.bind(py).le(0)? {
        let seconds = seconds.bind(py).str()?;
        let message = format!("{name} should be a positive number, got {seconds}");
        return Err(PyValueError::new_err(message));
    }
    Ok(seconds.clone_ref(py))
}

#[pymethods]
impl TlsProtocol {
    fn connection_made(slf: &Bound<'_, Self>, transport: Py<PyAny>) -> PyResult<()> {
        drop(slf.get().state(slf.py()).lower.replace(Some(transport)));
        Self::start_handshake(slf)
    }

    fn connection_lost(slf: &Bound<'_, Self>, exc: Bound<'_, PyAny>) -> PyResult<()> {
        Self::lose(slf, exc)
    }

    fn data_received(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::receive(slf, data)
    }

    fn eof_received(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Self::receive_eof(slf)
    }

    fn pause_writing(&self, py: Python<'_>) {
        self.state(py).is_lower_full.set(true);
    }

    fn resume_writing(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().state(slf.py()).is_lower_full.set(false);
        Self::pass_down(slf)
    }

    fn _check_handshake_timeout(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::end_late_handshake(slf)
    }

    fn _check_shutdown_timeout(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::end_late_shutdown(slf)
    }

    fn _read_on(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::go_on(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        self.session.traverse(visit)?;
        self.state.visit().traverse(visit)
    }

    fn __clear__(&self) {
        self.state.visit().clear();
    }
}
