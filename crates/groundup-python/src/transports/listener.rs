//! A listening socket of a server: takes the connections that have come, as many as there are.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use groundup::poller::Readiness;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyDict};
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketFlags};

use super::address::Address;
use super::server::Server;
use super::stream::{Origin, StreamSocket, StreamTransport};
use crate::event_loop::{EventLoop, Source};
use crate::recording::Connection;
use crate::{errors, ffi, imports};

/// How long accepting pauses when the system is out of descriptors or memory.
const PAUSE: Duration = Duration::from_secs(1);

/// One listening socket and the server it belongs to.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct Listener {
    event_loop: Py<EventLoop>,
    server: Py<Server>,
    socket: Py<PyAny>,
    descriptor: RawFd,
    context: Py<PyContext>,
}

impl Listener {
    /// Listens on a bound socket.
    ///
    /// # Errors
    ///
    /// Those of the socket's `listen` and of the poller.
    pub fn listen(
        event_loop: &Bound<'_, EventLoop>,
        server: &Bound<'_, Server>,
        socket: &Bound<'_, PyAny>,
        backlog: i32,
    ) -> PyResult<()> {
        let py = event_loop.py();
        socket.call_method1("listen", (backlog,))?;
        let descriptor = crate::event_loop::descriptor_of(socket)?;
        event_loop.get().check_no_transport(socket, descriptor)?;
        let listener = Self {
            event_loop: event_loop.clone().unbind(),
            server: server.clone().unbind(),
            socket: socket.clone().unbind(),
            descriptor,
            context: ffi::copy_current_context(py)?.unbind(),
        };
        Self::watch(&Bound::new(py, listener)?)
    }

    fn watch(listener: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (listener.py(), listener.get());
        let core = this.event_loop.get().core(py);
        drop(core.unwatch(this.fd()));
        let source = Source::Listener(listener.clone().unbind());
        core.watch(this.fd(), source, Readiness::READABLE)
            .map_err(|error| errors::os_error(&error))?;
        let describe = || Connection::of_listener(this.descriptor);
        this.event_loop.get().tell_open(py, this.descriptor, describe);
        Ok(())
    }

    /// The number of the socket.
    pub fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    fn fd(&self) -> BorrowedFd<'_> {
        ffi::borrow_descriptor(self.descriptor)
    }

    /// Goes on after a pause, unless the server has been closed meanwhile.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the loop's exception handler.
    pub fn listen_again(listener: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (listener.py(), listener.get());
        if !this.server.get().listens_on(py, &this.socket) {
            return Ok(());
        }
        let outcome = Self::watch(listener);
        outcome.or_else(|error| this.report(py, "Accepting connections cannot go on", error))
    }

    /// Accepts the connections that have come.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of a protocol factory.
    pub fn accept(listener: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (listener.py(), listener.get());
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        for _ in 0..=this.server.get().backlog() {
            match rustix::net::acceptfrom_with(this.fd(), flags) {
                Ok((fd, peer)) => this.serve(py, fd, peer)?,
                // It was gone before it was accepted.
                Err(Errno::CONNABORTED) => {}
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(error) => return this.fail(listener, error),
            }
            // The factory may have closed the server.
            if !this.server.get().listens_on(py, &this.socket) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn serve(&self, py: Python<'_>, fd: OwnedFd, peer: Option<SocketAddrAny>) -> PyResult<()> {
        let context = ffi::copy_context(self.context.bind(py))?;
        let made = ffi::run_in_context(&context, || self.server.get().make_protocol(py));
        let outcome = made.and_then(|protocol| {
            let peername =
                peer.map(|address| Address::new(ffi::borrow_descriptor(fd.as_raw_fd()), address));
            let origin = Origin {
                descriptor: fd.as_raw_fd(),
                socket: StreamSocket::Owned(fd),
                peername,
                context: context.unbind(),
                server: Some(self.server.clone_ref(py)),
                waiter: None,
            };
            StreamTransport::begin(self.event_loop.bind(py), origin, protocol)
        });
        match outcome {
            Ok(stream) => self.log_connection(&stream),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                self.report(py, "Error on transport creation for incoming connection", error)
            }
        }
    }

    fn log_connection(&self, stream: &Bound<'_, StreamTransport>) -> PyResult<()> {
        let py = stream.py();
        if self.event_loop.get().is_debug(py) {
            let peername = stream.call_method1("get_extra_info", ("peername",))?;
            let format = "%r got a new connection from %r: %r";
            let record = (format, &self.server, peername, stream);
            imports::logger(py)?.call_method1("debug", record)?;
        }
        Ok(())
    }

    /// Reports that no connection could be accepted; if it is for want of resources, accepting
    /// pauses, as the socket would stay readable all the while.
    fn fail(&self, listener: &Bound<'_, Self>, error: Errno) -> PyResult<()> {
        let py = listener.py();
        let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
        let exception = errors::os_error(&error.into());
        if !exhausted.contains(&error) {
            return self.report(py, "socket.accept() failed", exception);
        }
        let event_loop = self.event_loop.get();
        drop(event_loop.core(py).unwatch(self.fd()));
        let resume = listener.getattr(intern!(py, "_listen_again"))?;
        EventLoop::call_after(self.event_loop.bind(py), PAUSE, resume)?;
        self.report(py, "socket.accept() out of system resource", exception)
    }

    fn report(&self, py: Python<'_>, message: &str, error: PyErr) -> PyResult<()> {
        let context = PyDict::new(py);
        context.set_item("message", message)?;
        context.set_item("exception", error.into_value(py))?;
        let socket = imports::transport_socket(py)?.call1((&self.socket,))?;
        context.set_item("socket", socket)?;
        EventLoop::report(self.event_loop.bind(py), &context)
    }
}

#[pymethods]
impl Listener {
    fn _listen_again(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::listen_again(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.server)?;
        visit.call(&self.socket)?;
        visit.call(&self.context)
    }
}
