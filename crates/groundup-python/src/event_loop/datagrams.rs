//! create_datagram_endpoint: from addresses, or a socket, to a datagram transport.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::datagram_candidates::{Argument, EndpointOptions};
use super::{DATAGRAM, EventLoop, STREAM};
use crate::imports;
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::DatagramTransport;

/// Says that a socket is not for datagrams. The first releases of Python 3.11 and 3.12 take no raw
/// sockets, for instance; later ones take all but streams.
fn check_datagram_socket(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    let version = socket.py().version_info();
    let takes_all = match version.minor {
        11 => version.patch >= 8,
        12 => version.patch >= 2,
        _ => true,
    };
    let kind: i32 = socket.getattr("type")?.extract()?;
    let (is_refused, expected) = match takes_all {
        true => (kind == STREAM, "datagram socket"),
        false => (kind != DATAGRAM, "UDP Socket"),
    };
    if is_refused {
        let message = format!("A {expected} was expected, got {}", socket.repr()?);
        return Err(PyValueError::new_err(message));
    }
    Ok(())
}

/// Makes a caller's socket ready for a transport.
fn take_socket(socket: &Bound<'_, PyAny>, options: &EndpointOptions) -> PyResult<()> {
    check_datagram_socket(socket)?;
    let problems = options.describe(socket.py())?;
    if !problems.is_empty() {
        return Err(PyValueError::new_err(format!(
            "socket modifier keyword arguments can not be used when sock is specified. ({problems})"
        )));
    }
    socket.call_method1("setblocking", (false,)).map(drop)
}

/// A transport, its protocol, and a future for when the protocol has heard of it.
type Begun = (Py<DatagramTransport>, Py<PyAny>, Py<PyAny>);

fn begin(
    event_loop: &Bound<'_, EventLoop>,
    protocol_factory: &Py<PyAny>,
    socket: &Py<PyAny>,
    options: &EndpointOptions,
    remote_address: Option<Py<PyAny>>,
) -> PyResult<Begun> {
    let py = event_loop.py();
    let protocol = protocol_factory.bind(py).call0()?;
    let waiter = EventLoop::create_future(event_loop)?.unbind();
    let transport = DatagramTransport::begin(
        event_loop,
        socket.bind(py),
        remote_address,
        protocol.clone(),
        waiter.clone_ref(py),
    )?;
    if event_loop.get().is_debug(py) {
        log_endpoint(options, &transport, &protocol)?;
    }
    Ok((transport.unbind(), protocol.unbind(), waiter))
}

fn log_endpoint(
    options: &EndpointOptions,
    transport: &Bound<'_, DatagramTransport>,
    protocol: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (local, remote) = (&options.local_address, &options.remote_address.value);
    let logger = imports::logger(protocol.py())?;
    if local.is_true {
        let format = "Datagram endpoint local_addr=%r remote_addr=%r created: (%r, %r)";
        let record = (format, &local.value, remote, transport, protocol);
        return logger.call_method1("info", record).map(drop);
    }
    let format = "Datagram endpoint remote_addr=%r created: (%r, %r)";
    logger.call_method1("debug", (format, remote, transport, protocol)).map(drop)
}

/// Waits until the protocol has heard of the transport.
async fn wait_until_open(awaiter: &Awaiter, begun: Begun) -> PyResult<Py<PyAny>> {
    let (transport, protocol, waiter) = begun;
    let outcome = awaiter.wait(waiter).await;
    Python::attach(|py| match outcome {
        Ok(_) => Ok((transport, protocol).into_pyobject(py)?.into_any().unbind()),
        Err(error) => {
            DatagramTransport::close(transport.bind(py))?;
            Err(error)
        }
    })
}

#[pymethods]
impl EventLoop {
    /// Open a datagram endpoint; return the transport and the protocol that the factory made.
    ///
    /// Give a local address to bind to, a remote address to send to, or both: pairs of a host and a
    /// port for UDP, paths or abstract names with family=socket.AF_UNIX. With a remote address the
    /// socket is connected, so that it hears of errors and of nobody else, unless allow_broadcast is
    /// set. Or give a bound or connected socket and nothing else. Raise ValueError and TypeError for
    /// arguments that do not go together, OSError if no address can be bound or connected to.
    #[pyo3(signature = (
        protocol_factory, local_addr=None, remote_addr=None, *, family=0, proto=0, flags=0,
        reuse_port=None, allow_broadcast=None, sock=None,
    ))]
    fn create_datagram_endpoint(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        local_addr: Option<Bound<'_, PyAny>>,
        remote_addr: Option<Bound<'_, PyAny>>,
        family: i32,
        proto: i32,
        flags: i32,
        reuse_port: Option<Bound<'_, PyAny>>,
        allow_broadcast: Option<Bound<'_, PyAny>>,
        sock: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let options = EndpointOptions {
            local_address: Argument::new(local_addr)?,
            remote_address: Argument::new(remote_addr)?,
            family,
            protocol: proto,
            flags,
            reuse_port: Argument::new(reuse_port)?,
            allow_broadcast: Argument::new(allow_broadcast)?,
        };
        native_coroutine::new(py, "EventLoop.create_datagram_endpoint", async move |awaiter| {
            let begin = |socket: &Py<PyAny>, remote_address| {
                let begin = |py: Python<'_>| {
                    let slf = event_loop.bind(py);
                    begin(slf, &protocol_factory, socket, &options, remote_address)
                };
                Python::attach(begin)
            };
            let begun = if let Some(socket) = sock {
                Python::attach(|py| take_socket(socket.bind(py), &options))?;
                begin(&socket, None)?
            } else {
                let opened = options.open_socket(&awaiter, &event_loop).await?;
                let begun = begin(opened.socket.get(), opened.remote_address)?;
                opened.socket.keep();
                begun
            };
            wait_until_open(&awaiter, begun).await
        })
    }
}
