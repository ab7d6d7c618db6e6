//! The end of a stream: closing, aborting, and letting go of everything.

use pyo3::intern;
use pyo3::prelude::*;

use super::{StreamSocket, StreamTransport};
use crate::event_loop::Ready;
use crate::transports::reports::Reporting;
use crate::warnings::warn_unclosed;

impl StreamTransport {
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
        let reason = reason.map(|error| error.into_value(py));
        let outcome = Self::announce(stream, intern!(py, "connection_lost"), (&reason,));
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
        this.fail_file(py)?;
        drop(state.protocol.take());
        drop(state.reader.take());
        let socket = state.socket.take();
        let outcome = socket.map_or(Ok(()), |socket| this.close_socket(py, socket));
        if let Some((server, place)) = state.server.take() {
            server.get().detach(py, place)?;
        }
        outcome
    }
}

impl StreamTransport {
    fn close_socket(&self, py: Python<'_>, socket: StreamSocket) -> PyResult<()> {
        self.event_loop.get().tell_close(py, self.descriptor);
        socket.close(py)
    }
}

impl Drop for StreamTransport {
    fn drop(&mut self) {
        Python::attach(|py| {
            let Some(socket) = self.state(py).socket.take() else { return };
            let name = format!("<StreamTransport fd={}>", self.descriptor);
            warn_unclosed(py, &name, || self.close_socket(py, socket));
        });
    }
}
