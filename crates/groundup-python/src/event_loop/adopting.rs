//! Making transports of sockets that are connected.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::attempts::ClosedOnDrop;
use super::socket::check_no_tls;
use super::tls::TlsArguments;
use super::{EventLoop, STREAM, descriptor_of};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{Origin, StreamSocket, StreamTransport, TlsOptions, TlsProtocol};
use crate::{ffi, imports};

/// A connection that is being set up.
struct Beginning {
    transport: Py<PyAny>,
    protocol: Py<PyAny>,
    /// A future for when the protocol has heard of it.
    waiter: Py<PyAny>,
}

/// Makes a transport of a connected socket, and waits until its protocol has heard of it.
///
/// # Errors
///
/// What the protocol factory raises; with TLS, what comes of the handshake.
pub async fn begin_stream(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: Py<PyAny>,
    protocol_factory: &Py<PyAny>,
    tls: Option<TlsOptions>,
) -> PyResult<Py<PyAny>> {
    let beginning = Python::attach(|py| {
        let protocol_factory = protocol_factory.bind(py);
        Beginning::new(event_loop.bind(py), socket, protocol_factory, tls.as_ref())
    })?;
    let outcome = awaiter.wait(beginning.waiter).await;
    let (transport, protocol) = (beginning.transport, beginning.protocol);
    Python::attach(|py| match outcome {
        Ok(_) => Ok((transport, protocol).into_pyobject(py)?.into_any().unbind()),
        Err(error) => {
            transport.call_method0(py, "close")?;
            Err(error)
        }
    })
}

/// The descriptor of a socket that no transport has yet.
fn free_descriptor(event_loop: &EventLoop, socket: &Bound<'_, PyAny>) -> PyResult<i32> {
    let descriptor = descriptor_of(socket)?;
    event_loop.check_no_transport(socket, descriptor)?;
    Ok(descriptor)
}

impl Beginning {
    fn new(
        event_loop: &Bound<'_, EventLoop>,
        socket: Py<PyAny>,
        protocol_factory: &Bound<'_, PyAny>,
        tls: Option<&TlsOptions>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        socket.call_method1(py, "setblocking", (false,))?;
        let socket = ClosedOnDrop::new(socket);
        let protocol = protocol_factory.call0()?;
        let descriptor = match free_descriptor(event_loop.get(), socket.get().bind(py)) {
            Ok(descriptor) => descriptor,
            Err(error) => {
                socket.keep(); // another transport may have it
                return Err(error);
            }
        };
        let waiter = EventLoop::create_future(event_loop)?.unbind();
        let waits = Some(waiter.clone_ref(py));
        let origin = |waiter| {
            PyResult::Ok(Origin {
                descriptor,
                socket: StreamSocket::Python(socket.get().clone_ref(py)),
                peername: None,
                context: ffi::copy_current_context(py)?.unbind(),
                server: None,
                waiter,
            })
        };
        let transport = match tls {
            None => {
                StreamTransport::begin(event_loop, origin(waits)?, protocol.clone())?.into_any()
            }
            Some(options) => {
                let tls = TlsProtocol::begin(event_loop, options, protocol.clone(), waits, false)?;
                StreamTransport::begin(event_loop, origin(None)?, tls.clone().into_any())?;
                tls.get().app_transport(py).into_pyobject(py)?
            }
        };
        socket.keep();
        Ok(Self { transport: transport.unbind(), protocol: protocol.unbind(), waiter })
    }
}

/// Says that a socket is no stream socket, or does TLS by itself.
pub fn check_stream_socket(py: Python<'_>, socket: Py<PyAny>) -> PyResult<Py<PyAny>> {
    check_no_tls(socket.bind(py))?;
    if socket.getattr(py, "type")?.extract::<i32>(py)? != STREAM {
        let repr = socket.bind(py).repr()?;
        return Err(PyValueError::new_err(format!("A Stream Socket was expected, got {repr}")));
    }
    Ok(socket)
}

#[pymethods]
impl EventLoop {
    /// Make a transport of a connection that was accepted elsewhere; return it and the protocol that the
    /// factory made. With ssl, an ssl.SSLContext, it speaks TLS as a server does.
    ///
    /// Raise ValueError if the socket is no stream socket.
    #[pyo3(signature = (
        protocol_factory, sock, *, ssl=None, ssl_handshake_timeout=None, ssl_shutdown_timeout=None,
    ))]
    fn connect_accepted_socket(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        sock: Py<PyAny>,
        ssl: Option<Py<PyAny>>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let tls = TlsArguments {
            ssl,
            server_hostname: None,
            handshake_timeout: ssl_handshake_timeout,
            shutdown_timeout: ssl_shutdown_timeout,
        };
        native_coroutine::new(py, "EventLoop.connect_accepted_socket", async move |awaiter| {
            let (socket, tls) = Python::attach(|py| {
                PyResult::Ok((check_stream_socket(py, sock)?, tls.for_server(py)?))
            })?;
            let connection =
                begin_stream(&awaiter, &event_loop, socket, &protocol_factory, tls).await?;
            Python::attach(|py| {
                if event_loop.get().is_debug(py) {
                    let transport = connection.bind(py).get_item(0)?;
                    let socket = transport.call_method1("get_extra_info", ("socket",))?;
                    let protocol = connection.bind(py).get_item(1)?;
                    let record = ("%r handled: (%r, %r)", socket, transport, protocol);
                    imports::logger(py)?.call_method1("debug", record)?;
                }
                Ok(connection)
            })
        })
    }
}
