//! create_connection: from a name to a transport.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use super::adopting::{begin_stream, check_stream_socket};
use super::attempts::{Attempts, summary};
use super::resolver::{Hints, interleave, resolve};
use super::tls::TlsArguments;
use super::{EventLoop, STREAM};
use crate::imports;
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};

/// Where to connect to, and how.
struct Destination {
    address: Py<PyAny>,
    hints: Hints,
    local_address: Option<Py<PyAny>>,
    happy_eyeballs_delay: Option<Py<PyAny>>,
    interleave: usize,
    all_errors: bool,
}

impl Destination {
    /// Connects to the first address that answers.
    async fn connect(self, awaiter: &Awaiter, event_loop: &Py<EventLoop>) -> PyResult<Py<PyAny>> {
        let mut infos = resolve_some(awaiter, event_loop, &self.address, self.hints).await?;
        let local_infos = match &self.local_address {
            Some(address) => Some(resolve_some(awaiter, event_loop, address, self.hints).await?),
            None => None,
        };
        if self.interleave > 0 {
            infos = interleave(infos, self.interleave)?;
        }
        let attempts = Python::attach(|py| Attempts::new(py, event_loop, local_infos))?;
        let connected = match &self.happy_eyeballs_delay {
            Some(delay) => attempts.race(awaiter, infos, delay).await?,
            None => attempts.one_by_one(awaiter, infos).await?,
        };
        let failures = Python::attach(|py| attempts.take_failures(py))?;
        match connected {
            Some(socket) => Ok(socket),
            None => Err(Python::attach(|py| summary(py, &failures, self.all_errors))?),
        }
    }
}

/// The answers for an address, of which there must be one.
async fn resolve_some(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    address: &Py<PyAny>,
    hints: Hints,
) -> PyResult<Vec<Py<PyAny>>> {
    let infos = resolve(awaiter, event_loop, address, hints).await?;
    if infos.is_empty() {
        return Err(PyOSError::new_err("getaddrinfo() returned empty list"));
    }
    Ok(infos)
}

fn log_connection(
    event_loop: &Bound<'_, EventLoop>,
    address: &Bound<'_, PyAny>,
    connection: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = event_loop.py();
    if event_loop.get().is_debug(py) {
        let transport = connection.get_item(0)?;
        let socket = transport.call_method1("get_extra_info", ("socket",))?;
        let (host, port) = (address.get_item(0)?, address.get_item(1)?);
        let format = "%r connected to %s:%r: (%r, %r)";
        let record = (format, socket, host, port, transport, connection.get_item(1)?);
        imports::logger(py)?.call_method1("debug", record)?;
    }
    Ok(())
}

#[pymethods]
impl EventLoop {
    /// Connect to a TCP server; return the transport and the protocol that the factory made.
    ///
    /// Give a host and a port, or a connected stream socket. Several addresses are tried one after
    /// the other, or, with a happy_eyeballs_delay in seconds, side by side (RFC 8305). Raise
    /// ValueError for arguments that exclude each other, OSError if no address answers (all that
    /// failed, in an ExceptionGroup, with all_errors), ssl.SSLError if the handshake fails,
    /// ConnectionAbortedError if it takes too long. With ssl, an ssl.SSLContext or True, the transport
    /// speaks TLS; server_hostname is the name that is checked, by default the host.
    #[pyo3(signature = (
        protocol_factory, host=None, port=None, *, ssl=None, family=0, proto=0, flags=0, sock=None,
        local_addr=None, server_hostname=None, ssl_handshake_timeout=None, ssl_shutdown_timeout=None,
        happy_eyeballs_delay=None, interleave=None, all_errors=false,
    ))]
    fn create_connection(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        host: Option<Py<PyAny>>,
        port: Option<Py<PyAny>>,
        ssl: Option<Py<PyAny>>,
        family: i32,
        proto: i32,
        flags: i32,
        sock: Option<Py<PyAny>>,
        local_addr: Option<Py<PyAny>>,
        server_hostname: Option<Py<PyAny>>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
        happy_eyeballs_delay: Option<Py<PyAny>>,
        interleave: Option<usize>,
        all_errors: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let tls = TlsArguments {
            ssl,
            server_hostname,
            handshake_timeout: ssl_handshake_timeout,
            shutdown_timeout: ssl_shutdown_timeout,
        };
        let hints = Hints { family, kind: STREAM, protocol: proto, flags };
        native_coroutine::new(py, "EventLoop.create_connection", async move |awaiter| {
            let tls = Python::attach(|py| tls.for_client(py, host.as_ref()))?;
            let has_address = host.is_some() || port.is_some();
            let address = Python::attach(|py| pair(py, host, port))?;
            let socket = match (sock, has_address) {
                (Some(socket), false) => Python::attach(|py| check_stream_socket(py, socket))?,
                (Some(_), true) => return Err(PyValueError::new_err(SOCKET_AND_ADDRESS)),
                (None, false) => return Err(PyValueError::new_err(NO_SOCKET_NO_ADDRESS)),
                (None, true) => {
                    let destination = Destination {
                        address: address.clone(),
                        hints,
                        local_address: local_addr,
                        interleave: interleave.unwrap_or(happy_eyeballs_delay.is_some().into()),
                        happy_eyeballs_delay,
                        all_errors,
                    };
                    destination.connect(&awaiter, &event_loop).await?
                }
            };
            let connection =
                begin_stream(&awaiter, &event_loop, socket, &protocol_factory, tls).await?;
            Python::attach(|py| {
                log_connection(event_loop.bind(py), address.bind(py), connection.bind(py))
            })?;
            Ok(connection)
        })
    }
}

pub const SOCKET_AND_ADDRESS: &str = "host/port and sock can not be specified at the same time";
const NO_SOCKET_NO_ADDRESS: &str = "host and port was not specified and no sock specified";

/// A host and a port as one address.
pub fn pair(
    py: Python<'_>,
    host: Option<Py<PyAny>>,
    port: Option<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    Ok((host, port).into_pyobject(py)?.into_any().unbind())
}
