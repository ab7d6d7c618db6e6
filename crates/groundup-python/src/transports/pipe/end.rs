//! What both ends of a pipe have in common: the file, its descriptor, and the protocol.

use std::cell::{Cell, RefCell};
use std::os::fd::{BorrowedFd, RawFd};

use groundup::poller::Readiness;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use rustix::fs::FileType;
use rustix::io::Errno;

use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::recording::Connection;
use crate::spare_bytes::SpareBytes;
use crate::transports::calls;
use crate::{errors, ffi, imports};

/// One end of a pipe.
pub struct PipeEnd {
    pub event_loop: Py<EventLoop>,
    /// What get_extra_info('pipe') gives, also afterwards.
    file: Py<PyAny>,
    pub descriptor: RawFd,
    pub kind: FileType,
    state: GilBound<State>,
}

struct State {
    /// The file, as long as it is to be closed.
    open_file: RefCell<Option<Py<PyAny>>>,
    protocol: RefCell<Option<Py<PyAny>>>,
    is_closing: Cell<bool>,
    /// The protocol will hear, or has heard, that the connection is lost.
    is_lost: Cell<bool>,
}

impl PipeEnd {
    /// The end of a pipe that a file object is; it no longer blocks.
    ///
    /// # Errors
    ///
    /// `ValueError` with `refusal` when the file is no pipe, socket or character device; `OSError`
    /// when its descriptor is closed.
    pub fn new<'py>(
        event_loop: &Bound<'py, EventLoop>,
        file: &Bound<'py, PyAny>,
        protocol: &Bound<'py, PyAny>,
        refusal: &'static str,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        event_loop.get().check_open(py)?;
        let descriptor: RawFd = file.call_method0(intern!(py, "fileno"))?.extract()?;
        if descriptor < 0 {
            return Err(errors::os_error(&Errno::BADF.into()));
        }
        let fd = ffi::borrow_descriptor(descriptor);
        let status = rustix::fs::fstat(fd).map_err(|error| errors::os_error(&error.into()))?;
        let kind = FileType::from_raw_mode(status.st_mode);
        if !matches!(kind, FileType::Fifo | FileType::Socket | FileType::CharacterDevice) {
            return Err(PyValueError::new_err(refusal));
        }
        rustix::io::ioctl_fionbio(fd, true).map_err(|error| errors::os_error(&error.into()))?;
        let state = State {
            open_file: RefCell::new(Some(file.clone().unbind())),
            protocol: RefCell::new(Some(protocol.clone().unbind())),
            is_closing: Cell::default(),
            is_lost: Cell::default(),
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            file: file.clone().unbind(),
            descriptor,
            kind,
            state: GilBound::new(state),
        })
    }

    /// Where bytes go that have served.
    pub fn spares<'a>(&'a self, py: Python<'a>) -> &'a SpareBytes {
        self.event_loop.get().spares(py)
    }

    /// Has the protocol hear of its transport, then calls `start`, then wakes who waits for that.
    pub fn begin<'py>(
        &self,
        transport: &Bound<'py, PyAny>,
        start: Option<Bound<'py, PyAny>>,
        waiter: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let py = transport.py();
        self.event_loop.get().tell_open(py, self.descriptor, || self.connection());
        let connection_made = self.method(py, intern!(py, "connection_made"))?;
        self.call_soon(connection_made, &[transport])?;
        if let Some(start) = start {
            self.call_soon(start, &[])?;
        }
        let settle = imports::set_result_unless_cancelled(py)?.clone();
        self.call_soon(settle, &[waiter, py.None().bind(py)])
    }

    /// The descriptor, which its file object owns.
    pub fn fd(&self) -> BorrowedFd<'_> {
        ffi::borrow_descriptor(self.descriptor)
    }

    /// Calls back in the loop's next turn.
    pub fn call_soon<'py>(
        &self,
        callback: Bound<'py, PyAny>,
        args: &[&Bound<'py, PyAny>],
    ) -> PyResult<()> {
        let py = callback.py();
        calls::call_soon(self.event_loop.bind(py), callback, PyTuple::new(py, args)?)
    }

    /// Calls back each time a direction is ready.
    pub fn watch(&self, direction: Readiness, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let py = callback.py();
        calls::call_when_ready(self.event_loop.bind(py), self.descriptor, direction, callback)
    }

    /// No longer calls back when a direction is ready.
    pub fn unwatch(&self, py: Python<'_>, direction: Readiness) {
        // Fails when the descriptor was closed behind the transport: there is nothing to hear.
        let _ = self.event_loop.get().remove_watcher(py, self.descriptor, direction);
    }

    /// A method of the protocol.
    pub fn method<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let protocol = self.protocol(py).map(|protocol| protocol.into_bound(py));
        protocol.unwrap_or_else(|| py.None().into_bound(py)).getattr(name)
    }

    /// The protocol; none once the connection is lost.
    pub fn protocol(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.get(py).protocol.borrow().as_ref().map(|protocol| protocol.clone_ref(py))
    }

    /// Has another protocol hear of everything from here on.
    pub fn set_protocol(&self, py: Python<'_>, protocol: Py<PyAny>) {
        drop(self.state.get(py).protocol.replace(Some(protocol)));
    }

    /// The file, as long as it is to be closed.
    pub fn open_file(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.get(py).open_file.borrow().as_ref().map(|file| file.clone_ref(py))
    }

    /// Has another file closed in the end, or none.
    pub fn set_open_file(&self, py: Python<'_>, file: Option<Py<PyAny>>) {
        drop(self.state.get(py).open_file.replace(file));
    }

    /// Takes the file out, so that it is not closed here.
    pub fn take_open_file(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.get(py).open_file.take()
    }

    /// What get_extra_info gives.
    pub fn extra<'py>(&self, name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(name.eq("pipe")?.then(|| self.file.bind(name.py()).clone()))
    }

    pub fn is_closing(&self, py: Python<'_>) -> bool {
        self.state.get(py).is_closing.get()
    }

    pub fn is_lost(&self, py: Python<'_>) -> bool {
        self.state.get(py).is_lost.get()
    }

    /// Says that the end is closing; whether it was before.
    pub fn set_closing(&self, py: Python<'_>) -> bool {
        self.state.get(py).is_closing.replace(true)
    }

    /// Calls `connection_lost` of the transport in the next turn, once.
    pub fn lose(&self, transport: &Bound<'_, PyAny>, reason: Option<PyErr>) -> PyResult<()> {
        let py = transport.py();
        self.set_closing(py);
        if self.state.get(py).is_lost.replace(true) {
            return Ok(());
        }
        let reason = reason.map(|error| error.into_value(py).into_any());
        let reason = reason.unwrap_or_else(|| py.None()).into_bound(py);
        let callback = transport.getattr(intern!(py, "_call_connection_lost"))?;
        self.call_soon(callback, &[&reason])
    }

    /// Tells the protocol that the connection is lost, and closes the file.
    pub fn finish(&self, reason: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = reason.py();
        self.state.get(py).is_lost.set(true);
        let name = intern!(py, "connection_lost");
        let outcome = self.method(py, name).and_then(|method| method.call1((reason,)));
        drop(self.state.get(py).protocol.take());
        let file = self.take_open_file(py);
        let closed = file.map_or(Ok(()), |file| self.close(file.bind(py)));
        outcome.map(drop).and(closed)
    }

    /// Closes a file object.
    ///
    /// # Errors
    ///
    /// What its `close()` raises.
    pub fn close(&self, file: &Bound<'_, PyAny>) -> PyResult<()> {
        self.event_loop.get().tell_close(file.py(), self.descriptor);
        file.call_method0(intern!(file.py(), "close")).map(drop)
    }

    fn connection(&self) -> Connection {
        let kind = match self.kind {
            FileType::Fifo => "pipe",
            FileType::Socket => return Connection::of_stream(self.descriptor),
            _ => "device",
        };
        Connection { kind, peer: String::new() }
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.file)?;
        let open_file = self.state.visit().open_file.try_borrow();
        open_file.map_or(Ok(()), |file| visit.call(&*file))?;
        let protocol = self.state.visit().protocol.try_borrow();
        protocol.map_or(Ok(()), |protocol| visit.call(&*protocol))
    }

    /// Lets go of the protocol; the file stays, to be closed.
    pub fn clear(&self) {
        drop(self.state.visit().protocol.take());
    }
}
