//! create_server: from names to listening sockets.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyString};
use rustix::io::Errno;
use rustix::net::AddressFamily;

use super::adopting::check_stream_socket;
use super::attempts::{bind_error, make_socket};
use super::connecting::{SOCKET_AND_ADDRESS, pair};
use super::resolver::{AddressInfo, Hints, resolve};
use super::tls::TlsArguments;
use super::{EventLoop, STREAM};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::Server;
use crate::{errors, imports};

/// The options of the sockets that a server listens on.
#[derive(Clone, Copy)]
struct ListenOptions {
    reuse_address: bool,
    reuse_port: bool,
    keep_alive: bool,
}

/// The addresses of all hosts, each once, in the order they are found.
async fn resolve_hosts(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    hosts: Vec<Option<Py<PyAny>>>,
    port: Option<Py<PyAny>>,
    hints: Hints,
) -> PyResult<Vec<Py<PyAny>>> {
    let mut infos = Vec::new();
    let seen = Python::attach(|py| PySet::empty(py).map(Bound::unbind))?;
    for host in hosts {
        let address = Python::attach(|py| pair(py, host.clone(), port.clone()))?;
        let found = resolve(awaiter, event_loop, &address, hints).await?;
        if found.is_empty() {
            let host =
                Python::attach(|py| address.bind(py).get_item(0)?.repr().map(|r| r.to_string()))?;
            return Err(PyOSError::new_err(format!("getaddrinfo({host}) returned empty list")));
        }
        Python::attach(|py| {
            for info in found {
                if !seen.bind(py).contains(&info)? {
                    seen.bind(py).add(&info)?;
                    infos.push(info);
                }
            }
            PyResult::Ok(())
        })?;
    }
    Ok(infos)
}

/// Sockets bound to all addresses; none stays open if one cannot be bound.
fn bind_all(
    event_loop: &Bound<'_, EventLoop>,
    infos: &[Py<PyAny>],
    options: ListenOptions,
) -> PyResult<Vec<Py<PyAny>>> {
    let py = event_loop.py();
    let mut sockets = Vec::new();
    for info in infos {
        match bind_one(event_loop, &info.extract(py)?, options) {
            Ok(socket) => sockets.extend(socket),
            Err(error) => {
                close_all(py, &sockets)?;
                return Err(error);
            }
        }
    }
    if sockets.is_empty() {
        let addresses: Vec<_> =
            infos.iter().map(|info| info.bind(py).get_item(4)).collect::<PyResult<_>>()?;
        let repr = PyList::new(py, addresses)?.repr()?.to_string();
        return Err(PyOSError::new_err(format!("could not bind on any address out of {repr}")));
    }
    Ok(sockets)
}

fn close_all(py: Python<'_>, sockets: &[Py<PyAny>]) -> PyResult<()> {
    sockets.iter().try_for_each(|socket| socket.call_method0(py, "close").map(drop))
}

/// A socket bound to one address; none where the system does not have such addresses.
fn bind_one(
    event_loop: &Bound<'_, EventLoop>,
    info: &AddressInfo,
    options: ListenOptions,
) -> PyResult<Option<Py<PyAny>>> {
    let py = event_loop.py();
    let socket = match make_socket(py, info) {
        Ok(socket) => socket,
        Err(error) if error.is_instance_of::<PyOSError>(py) => {
            let kind = (info.family, info.kind, info.protocol);
            let message = format!("create_server() failed to create socket.socket{kind:?}");
            warn_in_debug(event_loop, &message, Some(&error))?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let bound = set_options(socket.bind(py), info.family, options).and_then(|()| {
        let outcome = socket.call_method1(py, "bind", (&info.address,));
        outcome.or_else(|error| Err(bind_error(py, &error, &info.address)?))
    });
    let Err(error) = bound else { return Ok(Some(socket)) };
    socket.call_method0(py, "close")?;
    let number = error.value(py).getattr("errno").and_then(|errno| errno.extract::<i32>());
    if number.is_ok_and(|number| number == Errno::ADDRNOTAVAIL.raw_os_error()) {
        // Most likely the family is not in use on this machine.
        let strerror = error.value(py).getattr("strerror")?.str()?.to_string();
        warn_in_debug(event_loop, &strerror, None)?;
        return Ok(None);
    }
    Err(error)
}

fn warn_in_debug(
    event_loop: &Bound<'_, EventLoop>,
    message: &str,
    error: Option<&PyErr>,
) -> PyResult<()> {
    let py = event_loop.py();
    if event_loop.get().is_debug(py) {
        let keywords = PyDict::new(py);
        keywords.set_item("exc_info", error.map(|error| errors::exception(py, error)))?;
        imports::logger(py)?.call_method("warning", (message,), Some(&keywords))?;
    }
    Ok(())
}

fn set_options(socket: &Bound<'_, PyAny>, family: i32, options: ListenOptions) -> PyResult<()> {
    let module = socket.py().import("socket")?;
    let set = |level: &str, name: &str| {
        let option = (module.getattr(level)?, module.getattr(name)?, 1);
        socket.call_method1("setsockopt", option).map(drop)
    };
    if options.reuse_address {
        set("SOL_SOCKET", "SO_REUSEADDR")?;
    }
    if options.reuse_port {
        set_reuse_port(socket)?;
    }
    if options.keep_alive {
        set("SOL_SOCKET", "SO_KEEPALIVE")?;
    }
    if family == i32::from(AddressFamily::INET6.as_raw()) {
        // Or it would take the IPv4 port as well, for which there is a socket of its own.
        set("IPPROTO_IPV6", "IPV6_V6ONLY")?;
    }
    Ok(())
}

/// Lets other sockets bind to the same port.
///
/// # Errors
///
/// `ValueError` where the system cannot do that.
pub fn set_reuse_port(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    let module = socket.py().import("socket")?;
    let option = (module.getattr("SOL_SOCKET")?, module.getattr("SO_REUSEPORT")?, 1);
    socket.call_method1("setsockopt", option).map(drop).map_err(|_| {
        let message = "reuse_port not supported by socket module, \
                       SO_REUSEPORT defined but not implemented.";
        PyValueError::new_err(message)
    })
}

/// The hosts to listen on: one, several, or all there are.
fn hosts_of(host: Option<Bound<'_, PyAny>>) -> PyResult<Vec<Option<Py<PyAny>>>> {
    let Some(host) = host else { return Ok(vec![None]) };
    if let Ok(name) = host.cast::<PyString>() {
        return Ok(vec![(!name.is_empty()?).then(|| host.clone().unbind())]);
    }
    match host.try_iter() {
        Ok(hosts) => {
            hosts.map(|host| host.map(|host| (!host.is_none()).then(|| host.unbind()))).collect()
        }
        Err(_) => Ok(vec![Some(host.unbind())]),
    }
}

/// Has a new server listen, unless that is to come later.
///
/// # Errors
///
/// Those of `listen`.
pub async fn serve(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    server: Py<Server>,
    start_serving: bool,
) -> PyResult<Py<PyAny>> {
    if start_serving {
        Python::attach(|py| Server::start(server.bind(py)))?;
        awaiter.give_way().await?;
    }
    Python::attach(|py| {
        if event_loop.get().is_debug(py) {
            imports::logger(py)?.call_method1("info", ("%r is serving", &server))?;
        }
        Ok(server.into_any())
    })
}

#[pymethods]
impl EventLoop {
    /// Listen for TCP connections; return an asyncio.Server.
    ///
    /// Give a host or several and a port, or a bound stream socket; each connection gets a protocol
    /// from the factory. Raise ValueError for arguments that exclude each other, OSError if an
    /// address cannot be bound. With ssl, an ssl.SSLContext, connections speak TLS.
    #[pyo3(signature = (
        protocol_factory, host=None, port=None, *, family=0, flags=None, sock=None, backlog=100,
        ssl=None, reuse_address=None, reuse_port=None, keep_alive=None,
        ssl_handshake_timeout=None, ssl_shutdown_timeout=None, start_serving=true,
    ))]
    fn create_server(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        host: Option<Py<PyAny>>,
        port: Option<Py<PyAny>>,
        family: i32,
        flags: Option<i32>,
        sock: Option<Py<PyAny>>,
        backlog: i32,
        ssl: Option<Py<PyAny>>,
        reuse_address: Option<bool>,
        reuse_port: Option<bool>,
        keep_alive: Option<bool>,
        ssl_handshake_timeout: Option<Py<PyAny>>,
        ssl_shutdown_timeout: Option<Py<PyAny>>,
        start_serving: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        let tls = TlsArguments {
            ssl,
            server_hostname: None,
            handshake_timeout: ssl_handshake_timeout,
            shutdown_timeout: ssl_shutdown_timeout,
        };
        let options = ListenOptions {
            reuse_address: reuse_address.unwrap_or(true),
            reuse_port: reuse_port.unwrap_or(false),
            keep_alive: keep_alive.unwrap_or(false),
        };
        native_coroutine::new(py, "EventLoop.create_server", async move |awaiter| {
            let tls = Python::attach(|py| tls.for_server(py))?;
            let has_address = host.is_some() || port.is_some();
            let sockets = match (sock, has_address) {
                (Some(socket), false) => {
                    vec![Python::attach(|py| check_stream_socket(py, socket))?]
                }
                (Some(_), true) => return Err(PyValueError::new_err(SOCKET_AND_ADDRESS)),
                (None, false) => {
                    let message = "Neither host/port nor sock were specified";
                    return Err(PyValueError::new_err(message));
                }
                (None, true) => {
                    let hosts =
                        Python::attach(|py| hosts_of(host.map(|host| host.into_bound(py))))?;
                    let flags = flags.map_or_else(passive, Ok)?;
                    let hints = Hints { family, kind: STREAM, protocol: 0, flags };
                    let infos = resolve_hosts(&awaiter, &event_loop, hosts, port, hints).await?;
                    Python::attach(|py| bind_all(event_loop.bind(py), &infos, options))?
                }
            };
            let server = Python::attach(|py| {
                Server::new(event_loop.bind(py), protocol_factory, sockets, backlog, tls)
            })?;
            serve(&awaiter, &event_loop, server, start_serving).await
        })
    }
}

/// The flag for addresses to listen on.
fn passive() -> PyResult<i32> {
    Python::attach(|py| py.import("socket")?.getattr("AI_PASSIVE")?.extract())
}
