//! create_connection: from a name to a transport.

use pyo3::exceptions::{PyException, PyOSError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyList, PyTuple};

use super::resolver::{AddressInfo, Hints, interleave, resolve};
use super::sockets::{self, check_no_tls};
use super::unavailable::not_implemented;
use super::{EventLoop, STREAM, descriptor_of};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{Origin, StreamSocket, StreamTransport};
use crate::{ffi, imports};

/// Where to connect to, and how.
struct Destination {
    address: Py<PyAny>,
    hints: Hints,
    local_address: Option<Py<PyAny>>,
    happy_eyeballs_delay: Option<Py<PyAny>>,
    interleave: usize,
    all_errors: bool,
}

/// What the attempts to connect have in common.
#[derive(Clone)]
struct Attempts {
    event_loop: Py<EventLoop>,
    local_infos: Option<Py<PyList>>,
    /// A list of exceptions for each attempt, in the order they began.
    failures: Py<PyList>,
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
        match connected {
            Some(socket) => Ok(socket),
            None => Err(Python::attach(|py| attempts.failure(py, self.all_errors))?),
        }
    }
}

impl Attempts {
    fn new(
        py: Python<'_>,
        event_loop: &Py<EventLoop>,
        local_infos: Option<Vec<Py<PyAny>>>,
    ) -> PyResult<Self> {
        let local_infos = local_infos.map(|infos| PyList::new(py, infos).map(Bound::unbind));
        Ok(Self {
            event_loop: event_loop.clone_ref(py),
            local_infos: local_infos.transpose()?,
            failures: PyList::empty(py).unbind(),
        })
    }

    /// Tries one address after the other.
    async fn one_by_one(
        &self,
        awaiter: &Awaiter,
        infos: Vec<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        for info in infos {
            match self.connect(awaiter, info).await {
                Ok(socket) => return Ok(Some(socket)),
                Err(error) if is_os_error(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Starts an attempt each `delay` seconds, and takes the one that succeeds first (RFC 8305).
    async fn race(
        &self,
        awaiter: &Awaiter,
        infos: Vec<Py<PyAny>>,
        delay: &Py<PyAny>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let race = Python::attach(|py| {
            let starters: Vec<_> =
                infos.into_iter().map(|info| self.starter(py, info)).collect::<PyResult<_>>()?;
            let keywords = PyDict::new(py);
            keywords.set_item("loop", &self.event_loop)?;
            let arguments = (PyList::new(py, starters)?, delay);
            imports::staggered_race(py)?.call(arguments, Some(&keywords)).map(Bound::unbind)
        })?;
        let outcome = awaiter.wait(race).await?;
        Python::attach(|py| {
            let winner = outcome.bind(py).get_item(0)?;
            Ok((!winner.is_none()).then(|| winner.unbind()))
        })
    }

    /// A function that starts an attempt.
    fn starter<'py>(&self, py: Python<'py>, info: Py<PyAny>) -> PyResult<Bound<'py, PyCFunction>> {
        let attempts = self.clone();
        let start = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            let (attempts, info) = (attempts.clone(), info.clone_ref(args.py()));
            native_coroutine::new(args.py(), "EventLoop._connect", async move |awaiter| {
                attempts.connect(&awaiter, info).await
            })
        };
        PyCFunction::new_closure(py, None, None, start)
    }

    /// Makes, binds and connects one socket.
    async fn connect(&self, awaiter: &Awaiter, info: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let failures = Python::attach(|py| {
            let failures = PyList::empty(py);
            self.failures.bind(py).append(&failures)?;
            PyResult::Ok(failures.unbind())
        })?;
        let outcome = self.connect_socket(awaiter, info, &failures).await;
        if let Err(error) = &outcome {
            Python::attach(|py| match error.is_instance_of::<PyException>(py) {
                true => failures.bind(py).append(error.value(py)),
                false => Ok(()),
            })?;
        }
        outcome
    }

    async fn connect_socket(
        &self,
        awaiter: &Awaiter,
        info: Py<PyAny>,
        failures: &Py<PyList>,
    ) -> PyResult<Py<PyAny>> {
        let info: AddressInfo = Python::attach(|py| info.extract(py))?;
        let socket = ClosedOnDrop(Some(Python::attach(|py| make_socket(py, &info))?));
        Python::attach(|py| self.bind(py, &socket, info.family, failures))?;
        sockets::connect(awaiter, &self.event_loop, socket.get(), &info.address).await?;
        Ok(socket.keep())
    }

    /// Binds a socket to the first local address of its family that it can be bound to.
    fn bind(
        &self,
        py: Python<'_>,
        socket: &ClosedOnDrop,
        family: i32,
        failures: &Py<PyList>,
    ) -> PyResult<()> {
        let Some(infos) = &self.local_infos else { return Ok(()) };
        for info in infos.bind(py) {
            let info: AddressInfo = info.extract()?;
            if info.family != family {
                continue;
            }
            match socket.get().call_method1(py, "bind", (&info.address,)) {
                Ok(_) => return Ok(()),
                Err(error) if is_os_error(&error) => {
                    let error = bind_error(py, &error, &info.address, "address ")?;
                    failures.bind(py).append(error.value(py))?;
                }
                Err(error) => return Err(error),
            }
        }
        // The last failure is raised, and so entered again.
        let failures = failures.bind(py);
        if failures.is_empty() {
            let family = py.import("socket")?.getattr("AddressFamily")?.call1((family,))?.repr()?;
            let message = format!("no matching local address with family={family} found");
            return Err(PyOSError::new_err(message));
        }
        Err(PyErr::from_value(failures.call_method0("pop")?))
    }

    /// The exception that tells of all that failed.
    fn failure(&self, py: Python<'_>, all_errors: bool) -> PyResult<PyErr> {
        let mut failures = Vec::new();
        for attempt in self.failures.bind(py) {
            failures.extend(attempt.try_iter()?.collect::<PyResult<Vec<_>>>()?);
        }
        if all_errors {
            let group = py.import("builtins")?.getattr("ExceptionGroup")?;
            let group = group.call1(("create_connection failed", failures))?;
            return Ok(PyErr::from_value(group));
        }
        let texts: Vec<String> =
            failures.iter().map(|f| Ok(f.str()?.to_string())).collect::<PyResult<_>>()?;
        match failures.first() {
            None => Ok(PyTimeoutError::new_err("create_connection failed")),
            Some(first) if texts.iter().all(|text| *text == texts[0]) => {
                Ok(PyErr::from_value(first.clone()))
            }
            _ => Ok(PyOSError::new_err(format!("Multiple exceptions: {}", texts.join(", ")))),
        }
    }
}

/// A Python socket that is closed unless it is kept.
struct ClosedOnDrop(Option<Py<PyAny>>);

impl ClosedOnDrop {
    fn get(&self) -> &Py<PyAny> {
        self.0.as_ref().expect("only keep() takes it out")
    }

    fn keep(mut self) -> Py<PyAny> {
        self.0.take().expect("only keep() takes it out")
    }
}

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        let Some(socket) = self.0.take() else { return };
        Python::attach(|py| {
            if let Err(error) = socket.call_method0(py, "close") {
                error.write_unraisable(py, Some(socket.bind(py)));
            }
        });
    }
}

fn is_os_error(error: &PyErr) -> bool {
    Python::attach(|py| error.is_instance_of::<PyOSError>(py))
}

/// A non-blocking socket for an address.
pub fn make_socket(py: Python<'_>, info: &AddressInfo) -> PyResult<Py<PyAny>> {
    let socket = imports::socket(py)?.call1((info.family, info.kind, info.protocol))?;
    socket.call_method1("setblocking", (false,))?;
    Ok(socket.unbind())
}

/// What `bind` raised, with the address named.
pub fn bind_error(
    py: Python<'_>,
    error: &PyErr,
    address: &Py<PyAny>,
    noun: &str,
) -> PyResult<PyErr> {
    let (address, text) = (address.bind(py).repr()?, error.value(py).str()?.to_string());
    let text = text.to_lowercase();
    let message = format!("error while attempting to bind on {noun}{address}: {text}");
    let number = error.value(py).getattr("errno")?;
    Ok(PyOSError::new_err((number.unbind(), message)))
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

/// Makes a transport of a connected socket, and waits until its protocol has heard of it.
async fn begin_stream(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: Py<PyAny>,
    protocol_factory: &Py<PyAny>,
) -> PyResult<Py<PyAny>> {
    let descriptor = Python::attach(|py| {
        let descriptor = descriptor_of(socket.bind(py))?;
        event_loop.get().check_no_transport(socket.bind(py), descriptor)?;
        PyResult::Ok(descriptor)
    })?;
    let socket = ClosedOnDrop(Some(socket));
    let (transport, protocol, waiter) = Python::attach(|py| {
        let event_loop = event_loop.bind(py);
        socket.get().call_method1(py, "setblocking", (false,))?;
        let protocol = protocol_factory.bind(py).call0()?;
        let waiter = EventLoop::create_future(event_loop)?.unbind();
        let origin = Origin {
            descriptor,
            socket: StreamSocket::Python(socket.get().clone_ref(py)),
            peername: None,
            context: ffi::copy_current_context(py)?.unbind(),
            server: None,
            waiter: Some(waiter.clone_ref(py)),
        };
        let transport = StreamTransport::begin(event_loop, origin, protocol.clone())?;
        PyResult::Ok((transport.unbind(), protocol.unbind(), waiter))
    })?;
    socket.keep();
    let outcome = awaiter.wait(waiter).await;
    Python::attach(|py| match outcome {
        Ok(_) => Ok((transport, protocol).into_pyobject(py)?.into_any().unbind()),
        Err(error) => {
            StreamTransport::close_stream(transport.bind(py))?;
            Err(error)
        }
    })
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
    /// failed, in an ExceptionGroup, with all_errors), NotImplementedError with ssl.
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
        ssl: Option<Bound<'_, PyAny>>,
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
        let ssl = ssl.map_or(Ok(false), |ssl| ssl.is_truthy())?;
        let only_with_ssl = [
            ("server_hostname", server_hostname.is_some()),
            ("ssl_handshake_timeout", ssl_handshake_timeout.is_some()),
            ("ssl_shutdown_timeout", ssl_shutdown_timeout.is_some()),
        ];
        let hints = Hints { family, kind: STREAM, protocol: proto, flags };
        native_coroutine::new(py, "EventLoop.create_connection", async move |awaiter| {
            if let Some((name, _)) = only_with_ssl.iter().find(|(_, given)| *given && !ssl) {
                let message = format!("{name} is only meaningful with ssl");
                return Err(PyValueError::new_err(message));
            }
            if ssl {
                return Err(not_implemented("create_connection(ssl=…)"));
            }
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
            let connection = begin_stream(&awaiter, &event_loop, socket, &protocol_factory).await?;
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

/// Says that a socket is no stream socket, or does TLS by itself.
pub fn check_stream_socket(py: Python<'_>, socket: Py<PyAny>) -> PyResult<Py<PyAny>> {
    check_no_tls(socket.bind(py))?;
    if socket.getattr(py, "type")?.extract::<i32>(py)? != STREAM {
        let repr = socket.bind(py).repr()?;
        return Err(PyValueError::new_err(format!("A Stream Socket was expected, got {repr}")));
    }
    Ok(socket)
}
