//! Sending files: by the kernel where it can, else by reading and writing.

mod by_copying;
mod by_kernel;
mod part;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

use self::by_kernel::is_not_available;
use self::part::Part;
use super::socket::Socket;
use super::{EventLoop, STREAM};
use crate::imports;
use crate::native_coroutine::{self, NativeCoroutine};
use crate::transports::StreamTransport;

#[pymethods]
impl EventLoop {
    /// Send a file, opened in binary mode, over a transport; return how many bytes were sent.
    ///
    /// The file is sent from offset on, up to count bytes or its end, and its position is moved
    /// behind what was sent. Where the kernel cannot send it (over TLS, for example), it is read and
    /// written, or with fallback=False asyncio.SendfileNotAvailableError or RuntimeError is raised.
    #[pyo3(signature = (transport, file, offset=None, count=None, *, fallback=true))]
    fn sendfile(
        slf: &Bound<'_, Self>,
        transport: Py<PyAny>,
        file: Py<PyAny>,
        offset: Option<Py<PyAny>>,
        count: Option<Py<PyAny>>,
        fallback: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sendfile", async move |awaiter| {
            let (stream, part) = Python::attach(|py| {
                let stream = check_transport(transport.bind(py))?;
                PyResult::Ok((stream, Part::check(file.bind(py), offset, count)?))
            })?;
            if let Some(stream) = stream {
                match by_kernel::over_stream(&awaiter, &stream, &part).await {
                    Err(error) if fallback && is_not_available(&error) => {}
                    outcome => return outcome.and_then(number),
                }
            } else if !fallback {
                return Err(fallback_needed(&transport));
            }
            let copying = by_copying::over_transport(&awaiter, &event_loop, &transport, &part);
            copying.await.and_then(number)
        })
    }

    /// Send a file, opened in binary mode, over a non-blocking stream socket; return how many bytes were
    /// sent. What is sent, and fallback, are as in sendfile().
    #[pyo3(signature = (sock, file, offset=None, count=None, *, fallback=true))]
    fn sock_sendfile(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        file: Py<PyAny>,
        offset: Option<Py<PyAny>>,
        count: Option<Py<PyAny>>,
        fallback: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_sendfile", async move |awaiter| {
            let socket = Socket::checked(&event_loop, &sock)?;
            let part = Python::attach(|py| {
                check_stream(sock.bind(py))?;
                Part::check(file.bind(py), offset, count)
            })?;
            match by_kernel::over_socket(&awaiter, &socket, &part).await {
                Err(error) if fallback && is_not_available(&error) => {}
                outcome => return outcome.and_then(number),
            }
            let copying = by_copying::over_socket(&awaiter, &event_loop, &sock, &part);
            copying.await.and_then(number)
        })
    }
}

fn number(sent: u64) -> PyResult<Py<PyAny>> {
    Python::attach(|py| Ok(sent.into_pyobject(py)?.into_any().unbind()))
}

fn check_stream(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    if socket.getattr("type")?.extract::<i32>()? != STREAM {
        return Err(PyValueError::new_err("only SOCK_STREAM type sockets are supported"));
    }
    Ok(())
}

/// The stream whose socket the kernel can send over, if the transport is one.
///
/// # Errors
///
/// `RuntimeError` when the transport is closing, or takes no files at all.
fn check_transport(transport: &Bound<'_, PyAny>) -> PyResult<Option<Py<StreamTransport>>> {
    let py = transport.py();
    if transport.call_method0(intern!(py, "is_closing"))?.is_truthy()? {
        return Err(PyRuntimeError::new_err("Transport is closing"));
    }
    if let Ok(stream) = transport.cast::<StreamTransport>() {
        return Ok(Some(stream.clone().unbind()));
    }
    let mode = transport.getattr_opt(intern!(py, "_sendfile_compatible"))?;
    if mode.map_or(Ok(true), |mode| mode.eq(imports::sendfile_mode(py)?.getattr("UNSUPPORTED")?))? {
        let repr = transport.repr()?;
        let message = format!("sendfile is not supported for transport {repr}");
        return Err(PyRuntimeError::new_err(message));
    }
    Ok(None)
}

fn fallback_needed(transport: &Py<PyAny>) -> PyErr {
    let repr = Python::attach(|py| transport.bind(py).repr().map(|repr| repr.to_string()));
    let message = "fallback is disabled and native sendfile is not supported for transport";
    repr.map_or_else(|error| error, |repr| PyRuntimeError::new_err(format!("{message} {repr}")))
}
