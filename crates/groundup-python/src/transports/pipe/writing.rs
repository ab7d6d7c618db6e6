//! The writing end of a pipe: what is written goes to the kernel at once, and the rest when it takes
//! more.

use std::cell::{Cell, RefCell};
use std::io::IoSlice;
use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::exceptions::PyBrokenPipeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::end::PipeEnd;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::transports::limits::FlowControl;
use crate::transports::reports::count_lost_write;
use crate::transports::stream::WriteBuffer;
use crate::{errors, ffi};

/// What is logged when a lost pipe is written to again and again.
const LOST: &str = "pipe closed by peer or os.write(pipe, data) raised exception.";

/// The transport of the writing end of a pipe; stands for `asyncio.WriteTransport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct WritePipeTransport {
    pub(super) end: PipeEnd,
    state: GilBound<State>,
}

/// What changes in the life of a writing end.
#[derive(Default)]
pub(super) struct State {
    buffer: RefCell<WriteBuffer>,
    pub(super) flow: FlowControl,
    /// How often it was written to after its end.
    lost_writes: Cell<u32>,
}

impl WritePipeTransport {
    /// A transport whose protocol will hear of it in the loop's next turn; then the waiter is woken.
    ///
    /// # Errors
    ///
    /// Those of [`PipeEnd::new`]; `RuntimeError` when the loop is closed.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        file: &Bound<'py, PyAny>,
        protocol: &Bound<'py, PyAny>,
        waiter: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let refusal = "Pipe transport is only for pipes, sockets and character devices";
        let end = PipeEnd::new(event_loop, file, protocol, refusal)?;
        // A device that is readable has something to say; anything else has lost its reader.
        let tells_of_reader = end.kind != FileType::CharacterDevice;
        let transport = ffi::create(event_loop.py(), Self { end, state: GilBound::default() })?;
        let start = tells_of_reader.then(|| transport.getattr("_watch_reader")).transpose()?;
        transport.get().end.begin(&transport, start, waiter)?;
        Ok(transport.into_any())
    }

    /// The number of the pipe.
    pub fn descriptor(&self) -> RawFd {
        self.end.descriptor
    }

    pub(super) fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    pub(super) fn len(&self, py: Python<'_>) -> usize {
        self.state(py).buffer.borrow().len()
    }

    /// Writes what the kernel takes now.
    fn write_buffered(&self, py: Python<'_>) -> rustix::io::Result<()> {
        let (event_loop, end) = (self.end.event_loop.get(), &self.end);
        let write = |slices: &[IoSlice<'_>]| {
            event_loop.write_with(py, end.descriptor, || rustix::io::writev(end.fd(), slices))
        };
        let mut buffer = self.state(py).buffer.borrow_mut();
        buffer.write_with(py, end.spares(py), write)
    }

    pub(super) fn write_piece(
        transport: &Bound<'_, Self>,
        piece: Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        if this.end.is_closing(py) {
            return count_lost_write(py, &this.state(py).lost_writes, LOST);
        }
        let is_first = this.len(py) == 0;
        this.state(py).buffer.borrow_mut().push(piece);
        if is_first {
            match this.write_buffered(py) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN | Errno::INTR) => {
                    let callback = transport.getattr(intern!(py, "_write_ready"))?;
                    this.end.watch(Readiness::WRITABLE, callback)?;
                }
                Err(errno) => return Self::fail(transport, errno),
            }
        }
        Self::pause_protocol(transport)
    }

    pub(super) fn pause_protocol(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        if !this.state(py).flow.pauses_at(this.len(py)) {
            return Ok(());
        }
        let message = "protocol.pause_writing() failed";
        Self::tell_protocol(transport, intern!(py, "pause_writing"), message)
    }

    fn resume_protocol(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        if !this.state(py).flow.resumes_at(this.len(py)) {
            return Ok(());
        }
        let message = "protocol.resume_writing() failed";
        Self::tell_protocol(transport, intern!(py, "resume_writing"), message)
    }

    fn tell_protocol<'py>(
        transport: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        failure: &str,
    ) -> PyResult<()> {
        let (py, end) = (transport.py(), &transport.get().end);
        match end.method(py, method).and_then(|method| method.call0()) {
            Ok(_) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => end.report(transport, &error, failure, false),
        }
    }

    fn fail(transport: &Bound<'_, Self>, errno: Errno) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        this.state(py).lost_writes.set(1);
        let error = errors::os_error(&errno.into());
        this.end.report(transport, &error, "Fatal write error on pipe transport", true)?;
        Self::abort_pipe(transport, Some(error))
    }

    /// Closes the pipe at once; what is buffered is dropped.
    pub(super) fn abort_pipe(transport: &Bound<'_, Self>, reason: Option<PyErr>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        this.end.set_closing(py);
        drop(this.state(py).buffer.borrow_mut().take());
        this.end.unwatch(py, Readiness::WRITABLE);
        this.end.unwatch(py, Readiness::READABLE);
        this.end.lose(transport, reason)
    }

    /// Closes the pipe when all is written.
    pub(super) fn close_pipe(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        if this.end.set_closing(py) || this.len(py) > 0 {
            return Ok(());
        }
        this.end.unwatch(py, Readiness::READABLE);
        this.end.lose(transport, None)
    }

    pub(super) fn describe(&self, py: Python<'_>) -> String {
        let end = self.end.describe(py, "WritePipeTransport", Readiness::WRITABLE);
        format!("{end} bufsize={}", self.len(py))
    }
}

#[pymethods]
impl WritePipeTransport {
    /// Has the loop tell when the reading end is closed.
    fn _watch_reader(slf: &Bound<'_, Self>) -> PyResult<()> {
        if slf.get().end.is_closing(slf.py()) {
            return Ok(());
        }
        let callback = slf.getattr(intern!(slf.py(), "_read_ready"))?;
        slf.get().end.watch(Readiness::READABLE, callback)
    }

    fn _read_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        this.end.log(slf, "info", "%r was closed by peer")?;
        let reason = (this.len(py) > 0).then(|| PyBrokenPipeError::new_err(()));
        Self::abort_pipe(slf, reason)
    }

    fn _write_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        match this.write_buffered(py) {
            Ok(()) => this.end.unwatch(py, Readiness::WRITABLE),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Self::fail(slf, errno),
        }
        let was_closing = this.end.is_closing(py);
        Self::resume_protocol(slf)?;
        if was_closing && this.len(py) == 0 && !this.end.is_lost(py) {
            this.end.unwatch(py, Readiness::READABLE);
            return this.end.finish(py.None().bind(py));
        }
        Ok(())
    }

    fn _call_connection_lost(&self, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        self.end.finish(exc)
    }
}

impl Drop for WritePipeTransport {
    fn drop(&mut self) {
        Python::attach(|py| self.end.abandon(py, &self.describe(py)));
    }
}
