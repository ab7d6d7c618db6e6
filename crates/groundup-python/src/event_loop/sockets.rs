//! The sock_ methods: a socket's operations, tried at once and then each time it is ready.

use std::os::fd::RawFd;
use std::rc::Rc;

use groundup::poller::Readiness;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags};

use super::descriptors::Watcher;
use super::resolver::{self, AddressInfo, Hints};
use super::{EventLoop, READ_SIZE};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::{errors, ffi, imports};

/// A socket that a sock_ method works on.
pub struct Socket {
    pub event_loop: Py<EventLoop>,
    pub socket: Py<PyAny>,
    descriptor: RawFd,
}

impl Socket {
    /// Checks that a socket can be worked on.
    pub fn check(event_loop: &Py<EventLoop>, socket: &Py<PyAny>) -> PyResult<Self> {
        Python::attach(|py| {
            check_no_tls(socket.bind(py))?;
            let blocks = || socket.call_method0(py, "gettimeout")?.bind(py).ne(0);
            if event_loop.get().is_debug(py) && blocks()? {
                return Err(PyValueError::new_err("the socket must be non-blocking"));
            }
            let descriptor = socket.call_method0(py, intern!(py, "fileno"))?.extract(py)?;
            if descriptor < 0 {
                return Err(errors::os_error(&Errno::BADF.into()));
            }
            let (event_loop, socket) = (event_loop.clone_ref(py), socket.clone_ref(py));
            Ok(Self { event_loop, socket, descriptor })
        })
    }

    /// Repeats an operation, each time the socket is ready, until it is not told to wait.
    pub async fn attempt<T>(
        &self,
        awaiter: &Awaiter,
        direction: Readiness,
        mut operation: impl FnMut(Python<'_>) -> Attempt<T>,
    ) -> PyResult<T> {
        loop {
            if let Some(result) = Python::attach(&mut operation)? {
                return Ok(result);
            }
            self.wait(awaiter, direction).await?;
        }
    }

    async fn wait(&self, awaiter: &Awaiter, direction: Readiness) -> PyResult<()> {
        let (_wait, ready) = Python::attach(|py| Wait::begin(py, self, direction))?;
        awaiter.wait(ready).await.map(drop)
    }

    /// The socket's descriptor.
    pub fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    /// Waits until the socket is writable.
    ///
    /// # Errors
    ///
    /// What is thrown into the coroutine meanwhile.
    pub async fn wait_writable(&self, awaiter: &Awaiter) -> PyResult<()> {
        self.wait(awaiter, Readiness::WRITABLE).await
    }

    async fn connect(&self, awaiter: &Awaiter, address: &Py<PyAny>) -> PyResult<()> {
        let connect = |py: Python<'_>| self.socket.call_method1(py, "connect", (address,));
        if unless_blocked(Python::attach(connect))?.is_some() {
            return Ok(());
        }
        self.wait(awaiter, Readiness::WRITABLE).await?;
        let fd = ffi::borrow_descriptor(self.descriptor);
        let refused = |error: Errno| {
            let text = Python::attach(|py| address.bind(py).str().map(|text| text.to_string()));
            errors::os_error_with(
                error,
                format!("Connect call failed {}", text.unwrap_or_default()),
            )
        };
        match rustix::net::sockopt::socket_error(fd) {
            Ok(outcome) => outcome.map_err(refused),
            Err(error) => Err(refused(error)),
        }
    }
}

/// What an operation came to: a result, `None` when the socket is not ready, or an exception.
pub type Attempt<T> = PyResult<Option<T>>;

/// A wait for a socket, which ends when this is dropped, in whatever way.
struct Wait<'a> {
    socket: &'a Socket,
    direction: Readiness,
    claim: Rc<()>,
}

impl<'a> Wait<'a> {
    /// Begins a wait, and gives the future that is done once the socket is ready.
    fn begin(
        py: Python<'_>,
        socket: &'a Socket,
        direction: Readiness,
    ) -> PyResult<(Self, Py<PyAny>)> {
        let event_loop = socket.event_loop.bind(py);
        event_loop.get().check_no_transport(socket.socket.bind(py), socket.descriptor)?;
        let future = EventLoop::create_future(event_loop)?.unbind();
        let claim = Rc::new(());
        let watcher = Watcher::Waiter { future: future.clone_ref(py), claim: claim.clone() };
        EventLoop::add_watcher(event_loop, socket.descriptor, direction, watcher)?;
        Ok((Self { socket, direction, claim }, future))
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        Python::attach(|py| {
            let (event_loop, descriptor) = (self.socket.event_loop.get(), self.socket.descriptor);
            let outcome = event_loop.remove_waiter(py, descriptor, self.direction, &self.claim);
            if let Err(error) = outcome {
                error.write_unraisable(py, Some(self.socket.event_loop.bind(py)));
            }
        });
    }
}

/// The outcome of a system call, `None` if it would have blocked.
pub fn unless_would_block<T>(outcome: rustix::io::Result<T>) -> Attempt<T> {
    match outcome {
        Ok(result) => Ok(Some(result)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(errors::os_error(&error.into())),
    }
}

/// The outcome of a socket's method, `None` if it would have blocked.
pub fn unless_blocked<T>(outcome: PyResult<T>) -> Attempt<T> {
    Python::attach(|py| match outcome {
        Err(error) if errors::would_block(py, &error) => Ok(None),
        outcome => outcome.map(Some),
    })
}

/// Connects a socket to an address, which is resolved if it names an internet host.
///
/// # Errors
///
/// Those of getaddrinfo and of `connect`.
pub async fn connect(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: &Py<PyAny>,
    address: &Py<PyAny>,
) -> PyResult<()> {
    let checked = Socket::check(event_loop, socket)?;
    let hints = Python::attach(|py| hints_of(socket.bind(py)))?;
    let internet = [AddressFamily::INET, AddressFamily::INET6];
    if !internet.iter().any(|family| i32::from(family.as_raw()) == hints.family) {
        return checked.connect(awaiter, address).await;
    }
    let infos = resolver::resolve(awaiter, event_loop, address, hints).await?;
    let first = infos.into_iter().next();
    let address = Python::attach(|py| match first {
        Some(info) => info.extract::<AddressInfo>(py).map(|info| info.address),
        None => Ok(address.clone_ref(py)),
    })?;
    checked.connect(awaiter, &address).await
}

/// What a socket says of its own family, type and protocol.
fn hints_of(socket: &Bound<'_, PyAny>) -> PyResult<Hints> {
    let attribute = |name| socket.getattr(name)?.extract::<i32>();
    let (family, kind) = (attribute("family")?, attribute("type")?);
    Ok(Hints { family, kind, protocol: attribute("proto")?, flags: 0 })
}

/// Says that a socket is a TLS socket, if it is: asyncio does TLS by itself.
pub fn check_no_tls(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    // Without the module `ssl` there are none.
    if let Ok(class) = imports::ssl_socket(socket.py())
        && socket.is_instance(class)?
    {
        return Err(PyTypeError::new_err("Socket cannot be of type SSLSocket"));
    }
    Ok(())
}

#[pymethods]
impl EventLoop {
    /// Receive up to n bytes from a non-blocking socket; b'' when the peer has closed.
    fn sock_recv(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        n: isize,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_recv", async move |awaiter| {
            let socket = Socket::check(&event_loop, &sock)?;
            let Ok(size) = usize::try_from(n) else {
                return Err(PyValueError::new_err("negative buffersize in recv"));
            };
            let receive = |py: Python<'_>| {
                let fd = ffi::borrow_descriptor(socket.descriptor);
                unless_would_block(event_loop.get().with_scratch(py, |scratch| {
                    let buffer = &mut scratch[..size.min(READ_SIZE)];
                    let (length, _) = rustix::net::recv(fd, &mut *buffer, RecvFlags::DONTWAIT)?;
                    Ok(PyBytes::new(py, &buffer[..length]).unbind())
                }))
            };
            let bytes = socket.attempt(&awaiter, Readiness::READABLE, receive).await?;
            Ok(bytes.into_any())
        })
    }

    /// Receive from a non-blocking socket into a writable buffer; return how many bytes.
    fn sock_recv_into(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        buf: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_recv_into", async move |awaiter| {
            let socket = Socket::check(&event_loop, &sock)?;
            let buffer = Python::attach(|py| PyUntypedBuffer::get(buf.bind(py)))?;
            let receive = |_: Python<'_>| {
                let fd = ffi::borrow_descriptor(socket.descriptor);
                let outcome = ffi::with_bytes_mut(&buffer, |bytes| {
                    rustix::net::recv(fd, bytes, RecvFlags::DONTWAIT)
                })?;
                unless_would_block(outcome)
            };
            let (length, _) = socket.attempt(&awaiter, Readiness::READABLE, receive).await?;
            Python::attach(|py| Ok(length.into_pyobject(py)?.into_any().unbind()))
        })
    }

    /// Send all bytes of a buffer to a non-blocking socket.
    fn sock_sendall(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        data: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_sendall", async move |awaiter| {
            let socket = Socket::check(&event_loop, &sock)?;
            let buffer = Python::attach(|py| PyUntypedBuffer::get(data.bind(py)))?;
            let mut sent = 0;
            let send = |_: Python<'_>| {
                let fd = ffi::borrow_descriptor(socket.descriptor);
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                let outcome =
                    ffi::with_bytes(&buffer, |bytes| rustix::net::send(fd, &bytes[sent..], flags))?;
                sent += unless_would_block(outcome)?.unwrap_or(0);
                Ok((sent == buffer.len_bytes()).then_some(()))
            };
            socket.attempt(&awaiter, Readiness::WRITABLE, send).await?;
            Ok(Python::attach(|py| py.None()))
        })
    }

    /// Accept a connection on a non-blocking socket; return a new socket and its peer's address.
    fn sock_accept(slf: &Bound<'_, Self>, sock: Py<PyAny>) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_accept", async move |awaiter| {
            let socket = Socket::check(&event_loop, &sock)?;
            let accept = |py: Python<'_>| {
                let accepted = unless_blocked(sock.call_method0(py, "accept"))?;
                if let Some(accepted) = &accepted {
                    accepted.bind(py).get_item(0)?.call_method1("setblocking", (false,))?;
                }
                Ok(accepted)
            };
            socket.attempt(&awaiter, Readiness::READABLE, accept).await
        })
    }

    /// Connect a non-blocking socket to an address.
    fn sock_connect(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        address: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_connect", async move |awaiter| {
            connect(&awaiter, &event_loop, &sock, &address).await?;
            Ok(Python::attach(|py| py.None()))
        })
    }
}
