//! The stream transport: one connection, its protocol, and the bytes between them.
//!
//! A read is one `recv` into the loop's scratch buffer and one bytes object for the protocol. Writes
//! are collected and handed to the kernel together at the end of the turn; whatever depends on their
//! having been tried (closing, aborting, flow control, the size of the buffer) tries them at once, so
//! that nobody can tell the difference.

use std::cell::{Cell, RefCell};
use std::os::fd::{BorrowedFd, RawFd};

use groundup::poller::Readiness;
use pyo3::exceptions::{PyBufferError, PyOSError, PyResourceWarning, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyContext, PyDict, PyTuple};
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown};

use super::address::Address;
use super::server::Server;
use super::stream_socket::StreamSocket;
use super::write_buffer::WriteBuffer;
use crate::event_loop::{EventLoop, Ready, Source};
use crate::gil::GilBound;
use crate::handle::{Call, format_callback};
use crate::{errors, ffi, imports};

/// When the protocol is asked to pause, in bytes, unless it says otherwise.
const HIGH_WATER: usize = 64 * 1024;

/// A transport over a connected stream socket; stands for `asyncio.Transport`.
#[pyclass(frozen, weakref, module = "groundup._groundup")]
pub struct StreamTransport {
    pub(super) event_loop: Py<EventLoop>,
    context: Py<PyContext>,
    pub(super) descriptor: RawFd,
    pub(super) state: GilBound<State>,
}

/// What changes in the life of a stream.
pub(super) struct State {
    /// Absent once the connection is lost.
    pub socket: RefCell<Option<StreamSocket>>,
    pub protocol: RefCell<Option<Py<PyAny>>>,
    /// Whether the protocol is an `asyncio.BufferedProtocol`.
    is_buffered: Cell<bool>,
    pub sockname: Address,
    pub peername: Address,
    /// What get_extra_info gives, once it was asked for.
    pub extra: RefCell<Option<Py<PyDict>>>,
    server: RefCell<Option<(Py<Server>, usize)>>,
    waiter: RefCell<Option<Py<PyAny>>>,
    pub buffer: RefCell<WriteBuffer>,
    pub low_water: Cell<usize>,
    pub high_water: Cell<usize>,
    /// The protocol has heard of the connection, so that reading may begin.
    is_open: Cell<bool>,
    pub is_paused: Cell<bool>,
    pub is_closing: Cell<bool>,
    got_eof: Cell<bool>,
    pub wrote_eof: Cell<bool>,
    /// The kernel took no more; the rest is written when the socket is writable.
    is_blocked: Cell<bool>,
    awaits_flush: Cell<bool>,
    pub is_protocol_paused: Cell<bool>,
    /// Once the loss of the connection is certain: how often it was written to since, plus one.
    pub lost_count: Cell<u32>,
    lost_reason: RefCell<Option<PyErr>>,
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

impl StreamTransport {
    /// A stream whose protocol will hear of it in the loop's next turn.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another transport has the descriptor.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        origin: Origin,
        protocol: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let (py, descriptor) = (event_loop.py(), origin.descriptor);
        let file = descriptor.into_pyobject(py)?.into_any();
        event_loop.get().check_no_transport(&file, descriptor)?;
        let fd = ffi::borrow_descriptor(descriptor);
        let stream = Self {
            event_loop: event_loop.clone().unbind(),
            context: origin.context,
            descriptor,
            state: GilBound::new(State::new(fd, origin.socket, origin.peername, origin.waiter)),
        };
        let stream = Bound::new(py, stream)?;
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
        core.wake(Ready::Opened(stream.clone().unbind()));
        Ok(stream)
    }

    pub(super) fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        ffi::borrow_descriptor(self.descriptor)
    }

    /// Makes `protocol` the one that hears of everything from here on.
    pub(super) fn adopt_protocol(
        stream: &Bound<'_, Self>,
        protocol: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        state.is_buffered.set(protocol.is_instance(imports::buffered_protocol(py)?)?);
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

    /// Calls a method of the protocol in the stream's context.
    fn call_protocol<'py>(
        stream: &Bound<'py, Self>,
        method: &Bound<'py, pyo3::types::PyString>,
        args: impl pyo3::call::PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = stream.py();
        let protocol = stream.get().state(py).protocol.borrow().as_ref().map(|p| p.clone_ref(py));
        let Some(protocol) = protocol else { return Ok(py.None().into_bound(py)) };
        let context = stream.get().context.bind(py);
        ffi::run_in_context(context, || protocol.bind(py).call_method1(method, args))
    }

    /// Tells the protocol of the connection, and begins to read.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn open(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        let name = intern!(py, "connection_made");
        if let Err(error) = Self::call_protocol(stream, name, (stream,)) {
            Self::report_failed_call(stream, name, stream.as_any(), error)?;
        }
        state.is_open.set(true);
        Self::update_interest(stream);
        if let Some(waiter) = state.waiter.take() {
            stream.get().event_loop.get().core(py).wake(Ready::Waiter(waiter));
        }
        Ok(())
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

    fn on_readable(stream: &Bound<'_, Self>) -> PyResult<()> {
        let state = stream.get().state(stream.py());
        if state.lost_count.get() > 0 || state.is_paused.get() {
            return Ok(());
        }
        if state.is_buffered.get() { Self::read_into_protocol(stream) } else { Self::read(stream) }
    }

    fn read(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let received = this.event_loop.get().with_scratch(py, |scratch| {
            let (length, _) = rustix::net::recv(this.fd(), &mut *scratch, RecvFlags::DONTWAIT)?;
            Ok((length > 0).then(|| PyBytes::new(py, &scratch[..length])))
        });
        match received {
            Ok(Some(data)) => {
                let name = intern!(py, "data_received");
                let outcome = Self::call_protocol(stream, name, (data,)).map(drop);
                Self::fail_on_error(stream, outcome, "protocol.data_received() call failed.")
            }
            Ok(None) => Self::on_eof(stream),
            Err(error) => Self::fail_on_read_error(stream, error),
        }
    }

    fn read_into_protocol(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let buffer = match Self::get_buffer(stream) {
            Ok(buffer) => buffer,
            Err(error) => {
                let outcome = Err(error);
                return Self::fail_on_error(stream, outcome, "protocol.get_buffer() call failed.");
            }
        };
        let received = ffi::with_bytes_mut(&buffer, |bytes| {
            rustix::net::recv(this.fd(), bytes, RecvFlags::DONTWAIT)
        });
        drop(buffer);
        match received {
            Ok(Ok((0, _))) => Self::on_eof(stream),
            Ok(Ok((length, _))) => {
                let name = intern!(py, "buffer_updated");
                let outcome = Self::call_protocol(stream, name, (length,)).map(drop);
                Self::fail_on_error(stream, outcome, "protocol.buffer_updated() call failed.")
            }
            Ok(Err(error)) => Self::fail_on_read_error(stream, error),
            Err(error) => Self::fatal_error(stream, error, "Fatal read error on socket transport"),
        }
    }

    fn get_buffer(stream: &Bound<'_, Self>) -> PyResult<pyo3::buffer::PyUntypedBuffer> {
        let name = intern!(stream.py(), "get_buffer");
        let object = Self::call_protocol(stream, name, (-1,))?;
        let buffer = pyo3::buffer::PyUntypedBuffer::get(&object)?;
        if buffer.len_bytes() == 0 {
            return Err(PyRuntimeError::new_err("get_buffer() returned an empty buffer"));
        }
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("get_buffer() returned a buffer in pieces"));
        }
        Ok(buffer)
    }

    fn on_eof(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        stream.get().log_debug(py, "%r received EOF", stream)?;
        match Self::call_protocol(stream, intern!(py, "eof_received"), ())
            .and_then(|keep| keep.is_truthy())
        {
            Ok(true) => {
                // The protocol goes on writing; there is nothing more to read.
                stream.get().state(py).got_eof.set(true);
                Self::update_interest(stream);
                Ok(())
            }
            Ok(false) => Self::close_stream(stream),
            Err(error) => {
                let outcome = Err(error);
                Self::fail_on_error(stream, outcome, "protocol.eof_received() call failed.")
            }
        }
    }

    fn fail_on_read_error(stream: &Bound<'_, Self>, error: Errno) -> PyResult<()> {
        match error {
            Errno::AGAIN | Errno::INTR => Ok(()),
            error => {
                let error = errors::os_error(&error.into());
                Self::fatal_error(stream, error, "Fatal read error on socket transport")
            }
        }
    }

    fn fail_on_error(
        stream: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(stream.py(), &error) => Err(error),
            Err(error) => Self::fatal_error(stream, error, &format!("Fatal error: {message}")),
        }
    }

    fn on_writable(stream: &Bound<'_, Self>) -> PyResult<()> {
        let state = stream.get().state(stream.py());
        if state.lost_count.get() > 0 || !state.is_blocked.replace(false) {
            return Ok(());
        }
        Self::flush(stream)?;
        if state.lost_count.get() > 0 {
            return Ok(());
        }
        Self::resume_protocol(stream)?;
        if state.buffer.borrow().is_empty() && state.is_closing.get() && state.lost_count.get() == 0
        {
            state.lost_count.set(1);
            return Self::finish(stream);
        }
        Ok(())
    }

    /// Writes at the end of a turn what was collected in it.
    pub fn flush_written(stream: &Bound<'_, Self>) {
        let py = stream.py();
        if stream.get().state(py).awaits_flush.get()
            && let Err(error) = Self::flush(stream)
        {
            error.write_unraisable(py, Some(stream));
        }
    }

    /// Writes at the end of this turn, or at once where no turn will end here.
    pub(super) fn flush_later(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let state = this.state(py);
        if state.is_blocked.get() || state.awaits_flush.get() {
            return Ok(());
        }
        if !this.event_loop.get().runs_here(py) {
            return Self::flush(stream);
        }
        state.awaits_flush.set(true);
        this.event_loop.get().flush_later(py, stream.clone().unbind());
        Ok(())
    }

    /// Writes what the kernel takes now; the rest follows when it takes more.
    pub(super) fn flush(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let state = this.state(py);
        state.awaits_flush.set(false);
        if state.is_blocked.get() || state.lost_count.get() > 0 {
            return Ok(());
        }
        let outcome = state.buffer.borrow_mut().write_to(py, this.fd());
        match outcome {
            Ok(()) => Self::drained(stream),
            Err(Errno::AGAIN | Errno::INTR) => {
                state.is_blocked.set(true);
                Self::update_interest(stream);
            }
            Err(error) => {
                let error = errors::os_error(&error.into());
                return Self::fatal_error(stream, error, "Fatal write error on socket transport");
            }
        }
        Ok(())
    }

    /// All is written: what waited for that follows.
    fn drained(stream: &Bound<'_, Self>) {
        let this = stream.get();
        if this.state(stream.py()).wrote_eof.get() {
            // The peer may have gone; the next read tells.
            let _ = rustix::net::shutdown(this.fd(), Shutdown::Write);
        }
        Self::update_interest(stream);
    }

    /// Asks the protocol to pause, if the buffer is too full even after the kernel took its share.
    pub(super) fn pause_protocol(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        if state.buffer.borrow().len() <= state.high_water.get() {
            return Ok(());
        }
        Self::flush(stream)?;
        let is_full = state.buffer.borrow().len() > state.high_water.get();
        if !is_full || state.is_protocol_paused.replace(true) {
            return Ok(());
        }
        let outcome = Self::call_protocol(stream, intern!(py, "pause_writing"), ());
        Self::report_on_error(stream, outcome.map(drop), "protocol.pause_writing() failed")
    }

    fn resume_protocol(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        let is_low = state.buffer.borrow().len() <= state.low_water.get();
        if !is_low || !state.is_protocol_paused.replace(false) {
            return Ok(());
        }
        let outcome = Self::call_protocol(stream, intern!(py, "resume_writing"), ());
        Self::report_on_error(stream, outcome.map(drop), "protocol.resume_writing() failed")
    }

    /// Has the loop watch for what the stream can do next.
    pub(super) fn update_interest(stream: &Bound<'_, Self>) {
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
        if Self::is_watched(stream) {
            // Fails when the descriptor was closed behind the transport: there is nothing to hear.
            let _ = this.event_loop.get().core(py).set_interest(this.fd(), interest);
        }
    }

    /// What the loop watches for.
    pub(super) fn interest(&self, stream: &Bound<'_, Self>) -> Readiness {
        let core = self.event_loop.get().core(stream.py());
        if Self::is_watched(stream) { core.interest(self.descriptor) } else { Readiness::NONE }
    }

    fn is_watched(stream: &Bound<'_, Self>) -> bool {
        let (py, this) = (stream.py(), stream.get());
        let source = this.event_loop.get().core(py).source(this.descriptor);
        matches!(source, Some(Source::Stream(watching)) if watching.is(stream))
    }

    /// Whether the stream is closed or about to be.
    pub fn is_closing(stream: &Bound<'_, Self>) -> bool {
        stream.get().state(stream.py()).is_closing.get()
    }

    /// Closes the stream when all is written.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    pub fn close_stream(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        if state.is_closing.replace(true) {
            return Ok(());
        }
        Self::flush(stream)?;
        Self::update_interest(stream);
        if state.buffer.borrow().is_empty() && state.lost_count.get() == 0 {
            return Self::lose(stream, None);
        }
        Ok(())
    }

    /// Closes the stream at once; what the kernel does not take now is dropped.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    pub fn abort_stream(stream: &Bound<'_, Self>, reason: Option<PyErr>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        if reason.is_none() {
            Self::flush(stream)?;
        }
        if state.lost_count.get() > 0 {
            return Ok(());
        }
        drop(state.buffer.borrow_mut().take());
        state.is_blocked.set(false);
        state.is_closing.set(true);
        Self::lose(stream, reason)
    }

    /// Tells the protocol in the next turn that the connection is lost.
    fn lose(stream: &Bound<'_, Self>, reason: Option<PyErr>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let state = this.state(py);
        state.lost_count.set(1);
        state.lost_reason.replace(reason);
        Self::update_interest(stream);
        this.event_loop.get().check_open(py)?;
        this.event_loop.get().core(py).wake(Ready::Lost(stream.clone().unbind()));
        Ok(())
    }

    /// Tells the protocol that the connection is lost, and lets go of everything.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of the protocol.
    pub fn finish(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let reason = stream.get().state(py).lost_reason.take();
        let reason = match reason {
            Some(error) => error.into_value(py).into_any(),
            None => py.None(),
        };
        let name = intern!(py, "connection_lost");
        let outcome = match Self::call_protocol(stream, name, (&reason,)) {
            Ok(_) => Ok(()),
            Err(error) => Self::report_failed_call(stream, name, reason.bind(py), error),
        };
        Self::release(stream)?;
        outcome
    }

    /// Gives the descriptor, the protocol and the server's place back.
    fn release(stream: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let state = this.state(py);
        if Self::is_watched(stream) {
            drop(this.event_loop.get().core(py).unwatch(this.fd()));
        }
        drop(state.protocol.take());
        let socket = state.socket.take();
        let outcome = socket.map_or(Ok(()), |socket| socket.close(py));
        if let Some((server, place)) = state.server.take() {
            server.get().detach(py, place)?;
        }
        outcome
    }

    /// Ends the connection because of an exception, which is reported unless it is the network's.
    fn fatal_error(stream: &Bound<'_, Self>, error: PyErr, message: &str) -> PyResult<()> {
        let py = stream.py();
        if error.is_instance_of::<PyOSError>(py) {
            if stream.get().event_loop.get().is_debug(py) {
                let keywords = PyDict::new(py);
                keywords.set_item("exc_info", error.value(py))?;
                let args = ("%r: %s", stream, message);
                imports::logger(py)?.call_method("debug", args, Some(&keywords))?;
            }
        } else {
            Self::report_error(stream, &error, message)?;
        }
        Self::abort_stream(stream, Some(error))
    }

    fn report_on_error(
        stream: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(stream.py(), &error) => Err(error),
            Err(error) => Self::report_error(stream, &error, message),
        }
    }

    fn report_error(stream: &Bound<'_, Self>, error: &PyErr, message: &str) -> PyResult<()> {
        let py = stream.py();
        let context = PyDict::new(py);
        context.set_item("message", message)?;
        context.set_item("exception", error.value(py))?;
        context.set_item("transport", stream)?;
        context.set_item("protocol", &*stream.get().state(py).protocol.borrow())?;
        EventLoop::report(stream.get().event_loop.bind(py), &context)
    }

    /// Reports that connection_made or connection_lost raised.
    fn report_failed_call(
        stream: &Bound<'_, Self>,
        method: &Bound<'_, pyo3::types::PyString>,
        argument: &Bound<'_, PyAny>,
        error: PyErr,
    ) -> PyResult<()> {
        let py = stream.py();
        if errors::ends_run(py, &error) {
            return Err(error);
        }
        let protocol = stream.get().state(py).protocol.borrow().as_ref().map(|p| p.clone_ref(py));
        let callback = match protocol {
            Some(protocol) => protocol.bind(py).getattr(method)?.unbind(),
            None => py.None(),
        };
        let call = Call { callback, args: PyTuple::new(py, [argument])?.unbind() };
        let source = format_callback(stream.get().event_loop.bind(py), &call)?;
        Self::report_error(stream, &error, &format!("Exception in callback {source}"))
    }

    pub(super) fn log_debug(
        &self,
        py: Python<'_>,
        format: &str,
        stream: &Bound<'_, Self>,
    ) -> PyResult<()> {
        if self.event_loop.get().is_debug(py) {
            imports::logger(py)?.call_method1("debug", (format, stream))?;
        }
        Ok(())
    }

    /// Shows the garbage collector what the stream holds.
    pub(super) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        visit.call(&self.event_loop)?;
        visit.call(&self.context)?;
        state.protocol.try_borrow().map_or(Ok(()), |protocol| visit.call(&*protocol))?;
        state.extra.try_borrow().map_or(Ok(()), |extra| visit.call(&*extra))?;
        state.waiter.try_borrow().map_or(Ok(()), |waiter| visit.call(&*waiter))?;
        let server = state.server.try_borrow();
        server.map_or(Ok(()), |server| visit.call(server.as_ref().map(|(server, _)| server)))
    }

    pub(super) fn clear(&self) {
        let state = self.state.visit();
        drop(state.protocol.take());
        drop(state.extra.take());
        drop(state.waiter.take());
        drop(state.server.take());
    }
}

impl State {
    fn new(
        fd: BorrowedFd<'_>,
        socket: StreamSocket,
        peername: Option<Address>,
        waiter: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            socket: RefCell::new(Some(socket)),
            protocol: RefCell::default(),
            is_buffered: Cell::default(),
            sockname: Address::of_socket(fd),
            peername: peername.unwrap_or_else(|| Address::of_peer(fd)),
            extra: RefCell::default(),
            server: RefCell::default(),
            waiter: RefCell::new(waiter),
            buffer: RefCell::default(),
            low_water: Cell::new(HIGH_WATER / 4),
            high_water: Cell::new(HIGH_WATER),
            is_open: Cell::default(),
            is_paused: Cell::default(),
            is_closing: Cell::default(),
            got_eof: Cell::default(),
            wrote_eof: Cell::default(),
            is_blocked: Cell::default(),
            awaits_flush: Cell::default(),
            is_protocol_paused: Cell::default(),
            lost_count: Cell::default(),
            lost_reason: RefCell::default(),
        }
    }
}

impl Drop for StreamTransport {
    fn drop(&mut self) {
        Python::attach(|py| {
            let Some(socket) = self.state(py).socket.take() else { return };
            // A destructor may run while an exception is on its way; it goes on afterwards.
            let pending = PyErr::take(py);
            let message = format!("unclosed transport <StreamTransport fd={}>", self.descriptor);
            let category = py.get_type::<PyResourceWarning>();
            let warned = imports::warn(py).and_then(|warn| warn.call1((message, category)));
            if let Err(error) = warned.map(drop).and(socket.close(py)) {
                error.write_unraisable(py, None);
            }
            if let Some(error) = pending {
                error.restore(py);
            }
        });
    }
}
