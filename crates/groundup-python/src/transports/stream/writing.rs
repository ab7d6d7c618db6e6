//! The writing half of a stream: pieces collected in a turn, handed to the kernel at its end, or as soon as
//! they are worth a call.

use std::io::IoSlice;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;
use rustix::net::Shutdown;

use super::StreamTransport;
use super::state::State;
use super::write_buffer::{piece_of, send};
use crate::transports::data::check_bytes_like;
use crate::transports::reports::{Reporting, SOCKET_LOST, count_lost_write};
use crate::{errors, ffi};

/// From this size on, it is worth a system call not to copy what is written, in bytes.
const LARGE: usize = 16 * 1024;

/// Collecting more than this saves nothing any more, and lets the peer wait for it, in bytes.
const ENOUGH: usize = 64 * 1024;

impl StreamTransport {
    /// Writes a bytes-like object.
    pub(super) fn write_piece<'py>(
        stream: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let spares = stream.get().event_loop.get().spares(stream.py());
        if !data.is_exact_instance_of::<PyBytes>() {
            check_bytes_like(data)?;
            if stream.get().state(stream.py()).takes_at_once() {
                return Self::write_at_once(stream, data);
            }
        }
        Self::collect(stream, piece_of(data, spares)?, "write")
    }

    /// Writes what Python code may change; only what the kernel does not take now has to be copied.
    fn write_at_once<'py>(stream: &Bound<'py, Self>, data: &Bound<'py, PyAny>) -> PyResult<()> {
        let (py, this) = (stream.py(), stream.get());
        let spares = this.event_loop.get().spares(py);
        let buffer = PyUntypedBuffer::get(data)?;
        if buffer.len_bytes() < LARGE || !buffer.is_c_contiguous() {
            return Self::collect(stream, piece_of(data, spares)?, "write");
        }
        let (sent, rest) = ffi::with_bytes(&buffer, |bytes| {
            let sent = this.send(py, &[IoSlice::new(bytes)]);
            let taken = sent.unwrap_or_default();
            (sent, (taken < bytes.len()).then(|| spares.copy(py, &bytes[taken..]).into_bytes()))
        })?;
        match sent {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Self::collect(stream, rest, "write"),
            Err(error) => Self::fail_on_write_error(stream, error),
        }
    }

    /// Puts pieces into the write buffer, which the kernel gets when they are enough, and at the end of the
    /// turn at the latest.
    pub(super) fn collect<'py>(
        stream: &Bound<'py, Self>,
        pieces: impl IntoIterator<Item = Bound<'py, PyBytes>>,
        method: &str,
    ) -> PyResult<()> {
        let (py, state) = (stream.py(), stream.get().state(stream.py()));
        if state.wrote_eof.get() || state.is_sending_file.get() {
            return Err(refusal(state, method));
        }
        let mut pieces = pieces.into_iter();
        let Some(first) = pieces.next() else { return Ok(()) };
        if state.lost_count.get() > 0 {
            return count_lost_write(py, &state.lost_count, SOCKET_LOST);
        }
        state.buffer.borrow_mut().push(first);
        pieces.for_each(|piece| state.buffer.borrow_mut().push(piece));
        let collected = state.buffer.borrow().len();
        if collected >= ENOUGH {
            Self::flush(stream)?;
        }
        Self::pause_protocol(stream)?;
        Self::flush_later(stream)
    }

    /// Writes bytes, as the method `write` does.
    ///
    /// # Errors
    ///
    /// Those of the method.
    pub fn write_bytes(stream: &Bound<'_, Self>, data: Bound<'_, PyBytes>) -> PyResult<()> {
        Self::collect(stream, Some(data), "write")
    }

    /// Tries what is collected, so that what is left is what the kernel does not take.
    pub(super) fn unsent(stream: &Bound<'_, Self>) -> PyResult<usize> {
        Self::flush(stream)?;
        Ok(stream.get().state(stream.py()).buffer.borrow().len())
    }

    pub(super) fn on_writable(stream: &Bound<'_, Self>) -> PyResult<()> {
        let state = stream.get().state(stream.py());
        if state.lost_count.get() > 0 || !state.is_blocked.replace(false) {
            return Ok(());
        }
        Self::flush(stream)?;
        Self::resume_protocol(stream)?;
        if state.buffer.borrow().is_empty() {
            stream.get().wake_file(stream.py())?;
        }
        if !state.is_closing.get() {
            return Ok(());
        }
        // resume_writing may have written, which nothing but this would send before the end.
        Self::flush(stream)?;
        if state.buffer.borrow().is_empty() && state.lost_count.get() == 0 {
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
        let is_flushed = state.buffer.borrow().is_empty();
        if is_flushed || state.is_blocked.get() || state.awaits_flush.get() {
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
        let spares = this.event_loop.get().spares(py);
        let outcome =
            state.buffer.borrow_mut().write_with(py, spares, |slices| this.send(py, slices));
        match outcome {
            Ok(()) => Self::drained(stream),
            Err(Errno::AGAIN | Errno::INTR) => {
                state.is_blocked.set(true);
                Self::update_interest(stream);
            }
            Err(error) => return Self::fail_on_write_error(stream, error),
        }
        Ok(())
    }

    fn send(&self, py: Python<'_>, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
        self.event_loop.get().write_with(py, self.descriptor, || send(self.fd(), slices))
    }

    fn fail_on_write_error(stream: &Bound<'_, Self>, error: Errno) -> PyResult<()> {
        let error = errors::os_error(&error.into());
        Self::fatal_error(stream, error, "Fatal write error on socket transport")
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
        let written = state.buffer.borrow().len();
        if !state.flow.is_exceeded_by(written) {
            return Ok(());
        }
        Self::flush(stream)?;
        let unsent = state.buffer.borrow().len();
        if !state.flow.pauses_at(unsent) {
            return Ok(());
        }
        let outcome = Self::call_protocol_here(stream, intern!(py, "pause_writing"), ());
        Self::report_on_error(stream, outcome.map(drop), "protocol.pause_writing() failed")
    }

    fn resume_protocol(stream: &Bound<'_, Self>) -> PyResult<()> {
        let py = stream.py();
        let state = stream.get().state(py);
        let unsent = state.buffer.borrow().len();
        if state.lost_count.get() > 0 || !state.flow.resumes_at(unsent) {
            return Ok(());
        }
        let outcome = Self::call_protocol(stream, intern!(py, "resume_writing"), ());
        Self::report_on_error(stream, outcome.map(drop), "protocol.resume_writing() failed")
    }
}

/// Why nothing can be written any more, or for now.
#[cold]
fn refusal(state: &State, method: &str) -> PyErr {
    let message = if state.wrote_eof.get() {
        format!("Cannot call {method}() after write_eof()")
    } else {
        format!("unable to {method}; sendfile is in progress")
    };
    PyRuntimeError::new_err(message)
}
