//! Unix stream sockets: connections and servers.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use rustix::io::Errno;
use rustix::net::AddressFamily;

use super::adopting::begin_stream;
use super::attempts::ClosedOnDrop;
use super::connecting_sockets::connect;
use super::serving::serve;
use super::socket::check_no_tls;
use super::tls::TlsArguments;
use super::{EventLoop, STREAM};
use crate::imports;
use crate::native_coroutine::{self, NativeCoroutine};
use crate::transports::{Server, UnixPath, is_abstract, remove_stale};

const UNIX: i32 = AddressFamily::UNIX.as_raw() as i32;

fn make_socket(py: Python<'_>) -> PyResult<ClosedOnDrop> {
    let socket = ClosedOnDrop::new(imports::socket(py)?.call1((UNIX, STREAM))?.unbind());
    socket.get().call_method1(py, "setblocking", (false,))?;
    Ok(socket)
}

fn filesystem_path(py: Python<'_>, path: &Py<PyAny>) -> PyResult<Py<PyAny>> {
    Ok(py.import("os")?.call_method1("fspath", (path,))?.unbind())
}

/// Says that a socket is no Unix stream socket.
fn check_socket(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    check_no_tls(socket)?;
    let attribute = |name| socket.getattr(name)?.extract::<i32>();
    if attribute("family")? != UNIX || attribute("type")? != STREAM {
        let repr = socket.repr()?;
        let message = format!("A UNIX Domain Stream Socket was expected, got {repr}");
        return Err(PyValueError::new_err(message));
    }
    Ok(())
}

/// A socket bound to a path, from which a socket that nobody listens on any more is removed.
fn bind(py: Python<'_>, path: &Py<PyAny>) -> PyResult<Py<PyAny>> {
    let path = filesystem_path(py, path)?;
    let socket = make_socket(py)?;
    if !is_abstract(path.bind(py))? {
        remove_stale(path.bind(py))?;
    }
    socket.get().call_method1(py, "bind", (&path,)).map_err(|error| {
        let number = error.value(py).getattr("errno").and_then(|number| number.extract::<i32>());
        if !number.is_ok_and(|number| number == Errno::ADDRINUSE.raw_os_error()) {
            return error;
        }
        match path.bind(py).repr() {
            Ok(repr) => {
                let message = format!("Address {repr} is already in use");
                PyOSError::new_err((Errno::ADDRINUSE.raw_os_error(), message))
            }
            Err(error) => error,
        }
    })?;
    Ok(socket.keep())
}

#[pymethods]
impl EventLoop {
    /// Connect to a Unix stream socket; return the transport and the protocol that the factory made.
    ///
    /// Give a path (str, bytes, os.PathLike; an abstract name begins with NUL) or a connected socket.
    /// With ssl the transport speaks TLS, and server_hostname must be given. Raise ValueError for
    /// arguments that exclude each other, OSError if nobody listens there.
    #[pyo3(signature = (
        protocol_factory, path=None, *, ssl=None, sock=None, server_hostname=None,
        ssl_handshake_timeout=None, ssl_shutdown_timeout=None,
    ))]
    fn create_unix_connection(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        path: Option<Py<PyAny>>,
        ssl: Option<Py<PyAny>>,
        sock: Option<Py<PyAny>>,
        server_hostname: Option<Py<PyAny>>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let lacks_name = server_hostname.is_none();
        let tls = TlsArguments {
            ssl,
            server_hostname,
            handshake_timeout: ssl_handshake_timeout,
            shutdown_timeout: ssl_shutdown_timeout,
        };
        native_coroutine::new(py, "EventLoop.create_unix_connection", async move |awaiter| {
            let tls = Python::attach(|py| {
                let wanted = tls.ssl.as_ref().map_or(Ok(false), |ssl| ssl.is_truthy(py))?;
                if wanted && lacks_name {
                    let message = "you have to pass server_hostname when using ssl";
                    return Err(PyValueError::new_err(message));
                }
                tls.for_client(py, None)
            })?;
            let socket = match (path, sock) {
                (Some(_), Some(_)) => return Err(PyValueError::new_err(PATH_AND_SOCKET)),
                (None, None) => {
                    return Err(PyValueError::new_err("no path and sock were specified"));
                }
                (None, Some(socket)) => {
                    Python::attach(|py| check_socket(socket.bind(py)))?;
                    socket
                }
                (Some(path), None) => {
                    let (path, socket) = Python::attach(|py| {
                        PyResult::Ok((filesystem_path(py, &path)?, make_socket(py)?))
                    })?;
                    connect(&awaiter, &event_loop, socket.get(), &path).await?;
                    socket.keep()
                }
            };
            begin_stream(&awaiter, &event_loop, socket, &protocol_factory, tls).await
        })
    }

    /// Listen on a Unix stream socket; return an asyncio.Server.
    ///
    /// Give a path (str, bytes, os.PathLike; an abstract name begins with NUL) or a bound socket. With
    /// cleanup_socket, the default from Python 3.13 on, the path is removed when the server is closed.
    /// Raise ValueError for arguments that exclude each other, OSError if the path cannot be bound.
    #[pyo3(signature = (
        protocol_factory, path=None, *, sock=None, backlog=100, ssl=None,
        ssl_handshake_timeout=None, ssl_shutdown_timeout=None, start_serving=true,
        cleanup_socket=None,
    ))]
    fn create_unix_server(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        path: Option<Py<PyAny>>,
        sock: Option<Py<PyAny>>,
        backlog: i32,
        ssl: Option<Py<PyAny>>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
        start_serving: bool,
        cleanup_socket: Option<bool>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let cleanup = cleanup_socket.unwrap_or(py.version_info() >= (3, 13));
        let tls = TlsArguments {
            ssl,
            server_hostname: None,
            handshake_timeout: ssl_handshake_timeout,
            shutdown_timeout: ssl_shutdown_timeout,
        };
        native_coroutine::new(py, "EventLoop.create_unix_server", async move |awaiter| {
            let server = Python::attach(|py| {
                let tls = tls.for_server(py)?;
                let socket = match (path, sock) {
                    (Some(_), Some(_)) => return Err(PyValueError::new_err(PATH_AND_SOCKET)),
                    (None, None) => {
                        let message = "path was not specified, and no sock specified";
                        return Err(PyValueError::new_err(message));
                    }
                    (None, Some(socket)) => {
                        check_socket(socket.bind(py))?;
                        socket
                    }
                    (Some(path), None) => bind(py, &path)?,
                };
                let path = if cleanup { UnixPath::of_socket(socket.bind(py))? } else { None };
                let sockets = vec![socket];
                let event_loop = event_loop.bind(py);
                let server = Server::new(event_loop, protocol_factory, sockets, backlog, tls)?;
                if let Some(path) = path {
                    server.get().remove_when_closed(py, path);
                }
                Ok(server)
            })?;
            serve(&awaiter, &event_loop, server, start_serving).await
        })
    }
}

const PATH_AND_SOCKET: &str = "path and sock can not be specified at the same time";
