//! The datagram transport: one socket, its protocol, and the datagrams between them.
//!
//! It serves UDP, Unix datagrams and whatever other sockets keep the bounds of messages. Datagrams
//! are received into the loop's scratch buffer, each becoming one bytes object of its size, and are
//! sent at once where the kernel takes them. Errors of the network go to the protocol's
//! error_received and end nothing.

mod backlog;
mod closing;
mod destination;
mod methods;
mod receiving;
mod senders;
mod sending;
mod state;

use std::os::fd::{BorrowedFd, RawFd};

use groundup::poller::Readiness;
use pyo3::exceptions::PyOSError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyDict};
use rustix::net::AddressFamily;

pub use destination::Destination;
pub use senders::Senders;

use self::state::State;
use super::reports::Reporting;
use crate::event_loop::{EventLoop, Ready, Source, descriptor_of, settle_unless_done};
use crate::gil::GilBound;
use crate::recording::Connection;
use crate::{errors, ffi, imports};

/// A transport over a datagram socket; stands for `asyncio.DatagramTransport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct DatagramTransport {
    event_loop: Py<EventLoop>,
    context: Py<PyContext>,
    descriptor: RawFd,
    family: AddressFamily,
    peer: Peer,
    /// The one address that may be sent to, if create_datagram_endpoint was given one.
    remote_address: Option<Py<PyAny>>,
    /// What get_extra_info gives.
    extra: Py<PyDict>,
    state: GilBound<State>,
}

/// What a socket is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    None,
    Unnamed,
    Named,
}

/// What the loop does for a transport when its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the protocol of the transport.
    Open,
    /// Tell the protocol that the transport is closed.
    Finish,
}

/// Whether the addresses of a family are read and written here, without Python's socket.
pub fn is_native(family: AddressFamily) -> bool {
    [AddressFamily::INET, AddressFamily::INET6, AddressFamily::UNIX].contains(&family)
}

/// The family of a socket; unspecified if it is none.
pub fn family_of(fd: BorrowedFd<'_>) -> AddressFamily {
    rustix::net::sockopt::socket_domain(fd).unwrap_or(AddressFamily::UNSPEC)
}

impl DatagramTransport {
    /// A transport whose protocol will hear of it in the loop's next turn; `waiter` is settled then.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another transport has the descriptor; `AttributeError` when the protocol
    /// has no connection_made.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        socket: &Bound<'py, PyAny>,
        remote_address: Option<Py<PyAny>>,
        protocol: Bound<'py, PyAny>,
        waiter: Py<PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = event_loop.py();
        let descriptor = descriptor_of(socket)?;
        event_loop.get().check_no_transport(socket, descriptor)?;
        protocol.getattr(intern!(py, "connection_made"))?;
        let (extra, peer) = describe_socket(socket)?;
        let transport = Self {
            event_loop: event_loop.clone().unbind(),
            context: ffi::copy_current_context(py)?.unbind(),
            descriptor,
            family: family_of(ffi::borrow_descriptor(descriptor)),
            peer,
            remote_address,
            extra: extra.unbind(),
            state: GilBound::new(State::new(py, socket.clone().unbind(), waiter)),
        };
        transport.state(py).protocol.replace(Some(protocol.unbind()));
        let transport = ffi::create(py, transport)?;
        Self::watch(&transport)?;
        Ok(transport)
    }

    fn watch(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let core = this.event_loop.get().core(py);
        // Watchers that are left over have watched what the descriptor was before.
        drop(core.unwatch(this.fd()));
        core.watch(this.fd(), Source::Datagram(transport.clone().unbind()), Readiness::NONE)
            .map_err(|error| errors::os_error(&error))?;
        let describe = || Connection::of_datagrams(this.descriptor);
        this.event_loop.get().tell_open(py, this.descriptor, describe);
        core.wake(Ready::Datagram(transport.clone().unbind(), Step::Open));
        Ok(())
    }

    /// The number of the socket.
    pub fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        ffi::borrow_descriptor(self.descriptor)
    }

    fn is_native(&self) -> bool {
        is_native(self.family)
    }

    /// Takes a step whose turn has come.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn take_step(transport: &Bound<'_, Self>, step: Step) -> PyResult<()> {
        match step {
            Step::Open => Self::open(transport),
            Step::Finish => Self::finish(transport),
        }
    }

    /// Tells the protocol of the transport, and begins to receive.
    fn open(transport: &Bound<'_, Self>) -> PyResult<()> {
        let py = transport.py();
        let state = transport.get().state(py);
        let outcome = Self::announce(transport, intern!(py, "connection_made"), (transport,));
        state.is_open.set(true);
        Self::update_interest(transport);
        if let Some(waiter) = state.waiter.take() {
            settle_unless_done(waiter.bind(py), None)?;
        }
        outcome
    }

    /// Receives and sends, as the socket is ready for it.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn dispatch(transport: &Bound<'_, Self>, readiness: Readiness) -> PyResult<()> {
        if readiness.readable() {
            Self::on_readable(transport)?;
        }
        if readiness.writable() {
            Self::on_writable(transport)?;
        }
        Ok(())
    }

    /// Has the loop watch for what the transport can do next.
    fn update_interest(transport: &Bound<'_, Self>) {
        let (py, this) = (transport.py(), transport.get());
        if Self::is_watched(transport) {
            let interest = this.receiving_interest(py) | this.sending_interest(py);
            let outcome = this.event_loop.get().core(py).set_interest(this.fd(), interest);
            Self::fail_unwatched(transport, outcome);
        }
    }

    fn is_watched(transport: &Bound<'_, Self>) -> bool {
        let (py, this) = (transport.py(), transport.get());
        let source = this.event_loop.get().core(py).source(this.descriptor);
        matches!(source, Some(Source::Datagram(watching)) if watching.is(transport))
    }

    /// Shows the garbage collector what the transport holds.
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.context)?;
        visit.call(&self.remote_address)?;
        visit.call(&self.extra)?;
        self.state.visit().traverse(visit)
    }
}

impl Reporting for DatagramTransport {
    fn event_loop(&self) -> &Py<EventLoop> {
        &self.event_loop
    }

    fn context(&self) -> &Py<PyContext> {
        &self.context
    }

    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.state(py).protocol.borrow().as_ref().map(|protocol| protocol.bind(py).clone())
    }

    fn abort_for(transport: &Bound<'_, Self>, reason: PyErr) -> PyResult<()> {
        Self::abort(transport, Some(reason))
    }
}

/// What get_extra_info is to give of a socket, and what the socket is connected to.
fn describe_socket<'py>(socket: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyDict>, Peer)> {
    let py = socket.py();
    let ask = |method: &str| match socket.call_method0(method) {
        Err(error) if error.is_instance_of::<PyOSError>(py) => Ok(None),
        outcome => outcome.map(Some),
    };
    let (sockname, peername) = (ask("getsockname")?, ask("getpeername")?);
    let peer = match &peername {
        None => Peer::None,
        Some(name) if name.is_truthy()? => Peer::Named,
        Some(_) => Peer::Unnamed,
    };
    let extra = PyDict::new(py);
    extra.set_item("socket", imports::transport_socket(py)?.call1((socket,))?)?;
    extra.set_item("sockname", sockname)?;
    extra.set_item("peername", peername)?;
    Ok((extra, peer))
}
