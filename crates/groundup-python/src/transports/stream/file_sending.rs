//! A stream while the kernel sends a file over its socket.

use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::exceptions::{PyConnectionError, PyRuntimeError};
use pyo3::prelude::*;

use super::StreamTransport;
use crate::event_loop::{EventLoop, settle_unless_done};
use crate::native_coroutine::{Awaiter, Goal};

/// The time in which a file is sent: nothing is read, and nothing else is written.
pub struct FileSending {
    stream: Py<StreamTransport>,
    resumes_reading: bool,
}

impl FileSending {
    /// Begins to send a file; what was written before goes first.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when a file is being sent already.
    pub fn begin(stream: &Bound<'_, StreamTransport>) -> PyResult<Self> {
        let state = stream.get().state(stream.py());
        if state.is_sending_file.replace(true) {
            return Err(PyRuntimeError::new_err("Empty waiter is already set"));
        }
        let resumes_reading = !state.is_closing.get() && !state.is_paused.replace(true);
        let sending = Self { stream: stream.clone().unbind(), resumes_reading };
        StreamTransport::update_interest(stream);
        StreamTransport::flush(stream)?;
        Ok(sending)
    }

    /// Whether all that was written before is with the kernel.
    pub fn is_drained(&self) -> bool {
        Python::attach(|py| self.stream.get().state(py).buffer.borrow().is_empty())
    }

    /// The descriptor to send over.
    pub fn descriptor(&self) -> RawFd {
        self.stream.get().descriptor
    }

    /// The loop of the stream.
    pub fn event_loop(&self) -> &Py<EventLoop> {
        &self.stream.get().event_loop
    }

    /// Waits until the kernel takes more.
    ///
    /// # Errors
    ///
    /// `ConnectionError` when the connection is lost; what is thrown into the coroutine meanwhile.
    pub async fn wait(&self, awaiter: &Awaiter) -> PyResult<()> {
        let waiter = Python::attach(|py| self.waiter(py))?;
        let goal = Goal::Socket(self.descriptor(), Readiness::WRITABLE);
        awaiter.wait_for(goal, waiter).await.map(drop)
    }

    fn waiter(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (stream, state) = (self.stream.bind(py), self.stream.get().state(py));
        if state.lost_count.get() > 0 {
            return Err(lost());
        }
        let waiter = EventLoop::create_future(stream.get().event_loop.bind(py))?.unbind();
        drop(state.file_waiter.replace(Some(waiter.clone_ref(py))));
        state.is_blocked.set(true);
        StreamTransport::update_interest(stream);
        Ok(waiter)
    }
}

impl Drop for FileSending {
    fn drop(&mut self) {
        Python::attach(|py| {
            let (stream, state) = (self.stream.bind(py), self.stream.get().state(py));
            state.is_sending_file.set(false);
            drop(state.file_waiter.take());
            if self.resumes_reading {
                state.is_paused.set(false);
            }
            StreamTransport::update_interest(stream);
        });
    }
}

impl StreamTransport {
    /// Says that the kernel takes more of a file.
    pub(super) fn wake_file(&self, py: Python<'_>) -> PyResult<()> {
        let waiter = self.state(py).file_waiter.take();
        waiter.map_or(Ok(()), |waiter| settle_unless_done(waiter.bind(py), None))
    }

    /// Says that no more of a file can be sent.
    pub(super) fn fail_file(&self, py: Python<'_>) -> PyResult<()> {
        let waiter = self.state(py).file_waiter.take();
        waiter.map_or(Ok(()), |waiter| {
            settle_unless_done(waiter.bind(py), Some(lost().value(py).as_any()))
        })
    }
}

fn lost() -> PyErr {
    PyConnectionError::new_err("Connection is closed by peer")
}
