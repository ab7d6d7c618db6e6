//! The stream transport: one connection, its protocol, and the bytes between them.
//!
//! A read is one `recv` into the loop's scratch buffer and one bytes object for the protocol. Writes
//! are collected and handed to the kernel together: when the protocol has been told of what came, or
//! at the end of the turn. Whatever depends on their having been tried (closing, aborting, flow
//! control, the size of the buffer) tries them at once, so that nobody can tell the difference.

mod ending;
mod file_sending;
mod methods;
mod quick_methods;
mod reading;
mod receiving;
mod reports;
mod socket;
mod state;
mod write_buffer;
mod writing;

use std::os::fd::{BorrowedFd, RawFd};

use groundup::poller::Readiness;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyContext;

pub use file_sending::FileSending;
pub use quick_methods::prepare;
pub use receiving::receive;
pub use socket::StreamSocket;
pub use write_buffer::{WriteBuffer, piece_of};

use self::state::State;
use super::address::Address;
use super::reports::Reporting;
use super::server::Server;
use crate::event_loop::{EventLoop, Ready, Source, settle_unless_done};
use crate::gil::GilBound;
use crate::recording::Connection;
use crate::{errors, ffi, imports, streams};

/// A transport over a connected stream socket; stands for `asyncio.Transport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct StreamTransport {
    event_loop: Py<EventLoop>,
    context: Py<PyContext>,
    descriptor: RawFd,
    state: GilBound<State>,
}

/// Where a stream comes from, and who is to know when it is there.
pub struct Origin {
    pub socket: StreamSocket,
    pub descriptor: RawFd,
    pub peername: Option<Address>,
    pub context: Py<PyContext>,
    /// The server that accepted the connection.
    pub server: Option<Py<Server>>,
    /// A future for when the protocol has heard of the connection.
    pub waiter: Option<Py<PyAny>>,
}

/// How much is read of a protocol and of a reader, in bytes.
const PROTOCOL: usize = 128;
const READER: usize = 256;

impl StreamTransport {
    /// A stream whose protocol will hear of it in the loop's next turn.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another transport has the descriptor; `AttributeError` when the protocol
    /// has no connection_made.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        origin: Origin,
        protocol: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let (py, descriptor) = (event_loop.py(), origin.descriptor);
        let file = match &origin.socket {
            StreamSocket::Python(socket) => socket.bind(py).clone(),
            StreamSocket::Owned(_) => descriptor.into_pyobject(py)?.into_any(),
        };
        event_loop.get().check_no_transport(&file, descriptor)?;
        protocol.getattr(intern!(py, "connection_made"))?;
        let fd = ffi::borrow_descriptor(descriptor);
        let stream = Self {
            event_loop: event_loop.clone().unbind(),
            context: origin.context,
            descriptor,
            state: GilBound::new(State::new(fd, origin.socket, origin.peername, origin.waiter)),
        };
        let stream = ffi::create(py, stream)?;
        Self::adopt_protocol(&stream, protocol)?;
        Self::set_nodelay(&stream);
        // Watchers that are left over have watched what the descriptor was before.
        let core = event_loop.get().core(py);
        drop(core.unwatch(fd));
        core.watch(fd, Source::Stream(stream.clone().unbind()), Readiness::NONE)
            .map_err(|error| errors::os_error(&error))?;
        if let Some(server) = origin.server {
            let place = server.get().attach(py, stream.clone().unbind());
            stream.get().state(py).server.replace(Some((server, place)));
        }
        let state = stream.get().state(py);
        let describe = || Connection::between(&state.sockname, &state.peername);
        event_loop.get().tell_open(py, descriptor, describe);
        core.wake(Ready::Opened(stream.clone().unbind()));
        Ok(stream)
    }

    /// What a recording says of the connection once it goes on.
    pub fn connection(stream: &Bound<'_, Self>) -> Connection {
        let state = stream.get().state(stream.py());
        let connection = Connection::between(&state.sockname, &state.peername);
        if Self::has_tls(stream) { connection.over_tls() } else { connection }
    }

    /// Has memory fetched of who hears of what arrives.
    #[inline]
    pub fn prefetch_listeners(&self, py: Python<'_>) {
        let state = self.state(py);
        state.protocol.borrow().iter().for_each(|it| ffi::prefetch(it.as_ptr(), PROTOCOL));
        state.reader.borrow().iter().for_each(|it| ffi::prefetch(it.as_ptr(), READER));
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

    /// Makes `protocol` the one that hears of everything from here on.
    fn adopt_protocol(stream: &Bound<'_, Self>, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        state.is_buffered.set(protocol.is_instance(imports::buffered_protocol(py)?)?);
        let reader = streams::adopt(stream.get().event_loop.bind(py), &protocol)?;
        drop(state.reader.replace(reader.map(Bound::unbind)));
        drop(state.protocol.replace(Some(protocol.unbind())));
        Ok(())
    }

    /// Small writes are sent without waiting for the acknowledgement of earlier ones.
    fn set_nodelay(stream: &Bound<'_, Self>) {
        if stream.get().state(stream.py()).sockname.is_internet() {
            // Fails for a protocol other than TCP, which has no such delay.
            let _ = rustix::net::sockopt::set_tcp_nodelay(stream.get().fd(), true);
        }
    }

    /// Tells the protocol of the connection, and begins to read.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn open(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        let outcome = Self::announce(stream, intern!(py, "connection_made"), (stream,));
        state.is_open.set(true);
        Self::update_interest(stream);
        if let Some(waiter) = state.waiter.take() {
            settle_unless_done(waiter.bind(py), None)?;
        }
        outcome
    }

    /// Reads and writes, as the socket is ready for it.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn dispatch(stream: &Bound<'_, Self>, readiness: Readiness) -> PyResult<()> {
        if readiness.readable() {
            Self::on_readable(stream)?;
        }
        if readiness.writable() {
            Self::on_writable(stream)?;
        }
        Ok(())
    }

    /// Has the loop watch for what the stream can do next.
    fn update_interest(stream: &Bound<'_, Self>) {
        let (py, this) = (stream.py(), stream.get());
        let state = this.state(py);
        let mut interest = Readiness::NONE;
        let hears = state.is_open.get() && !state.is_paused.get() && !state.got_eof.get();
        if hears && !state.is_closing.get() {
            interest = interest | Readiness::READABLE;
        }
        if state.is_blocked.get() && state.lost_count.get() == 0 {
            interest = interest | Readiness::WRITABLE;
        }
        if interest != state.interest.get() && Self::is_watched(stream) {
            let outcome = this.event_loop.get().core(py).set_interest(this.fd(), interest);
            if outcome.is_ok() {
                state.interest.set(interest);
            }
            Self::fail_unwatched(stream, outcome);
        }
    }

    /// What the loop watches for.
    fn interest(&self, stream: &Bound<'_, Self>) -> Readiness {
        let core = self.event_loop.get().core(stream.py());
        if Self::is_watched(stream) { core.interest(self.descriptor) } else { Readiness::NONE }
    }

    fn is_watched(stream: &Bound<'_, Self>) -> bool {
        let (py, this) = (stream.py(), stream.get());
        let source = this.event_loop.get().core(py).source(this.descriptor);
        matches!(source, Some(Source::Stream(watching)) if watching.is(stream))
    }

    /// Shows the garbage collector what the stream holds.
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        visit.call(&self.event_loop)?;
        visit.call(&self.context)?;
        state.protocol.try_borrow().map_or(Ok(()), |protocol| visit.call(&*protocol))?;
        state.reader.try_borrow().map_or(Ok(()), |reader| visit.call(&*reader))?;
        state.extra.try_borrow().map_or(Ok(()), |extra| visit.call(&*extra))?;
        state.waiter.try_borrow().map_or(Ok(()), |waiter| visit.call(&*waiter))?;
        let server = state.server.try_borrow();
        server.map_or(Ok(()), |server| visit.call(server.as_ref().map(|(server, _)| server)))
    }

    fn clear(&self) {
        let state = self.state.visit();
        drop(state.protocol.take());
        drop(state.reader.take());
        drop(state.extra.take());
        drop(state.waiter.take());
        drop(state.server.take());
    }
}
