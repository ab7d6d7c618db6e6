//! The end of a datagram transport: at once, or when all is sent.

use pyo3::intern;
use pyo3::prelude::*;

use super::{DatagramTransport, Step};
use crate::event_loop::Ready;
use crate::transports::reports::Reporting;
use crate::warnings::warn_unclosed;

impl DatagramTransport {
    /// Whether the transport is closed or about to be.
    pub fn is_closing(transport: &Bound<'_, Self>) -> bool {
        transport.get().state(transport.py()).is_closing.get()
    }

    /// Closes the transport when all is sent.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    pub fn close(transport: &Bound<'_, Self>) -> PyResult<()> {
        let state = transport.get().state(transport.py());
        if state.is_closing.replace(true) {
            return Ok(());
        }
        Self::update_interest(transport);
        if state.backlog.borrow().is_empty() && state.lost_count.get() == 0 {
            return Self::lose(transport, None);
        }
        Ok(())
    }

    /// Closes the transport at once; what is not yet sent is dropped.
    pub(super) fn abort(transport: &Bound<'_, Self>, reason: Option<PyErr>) -> PyResult<()> {
        let state = transport.get().state(transport.py());
        if state.lost_count.get() > 0 {
            return Ok(());
        }
        let unsent = state.backlog.borrow_mut().take();
        drop(unsent);
        state.is_closing.set(true);
        Self::lose(transport, reason)
    }

    /// Tells the protocol in the next turn that the transport is closed.
    fn lose(transport: &Bound<'_, Self>, reason: Option<PyErr>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let state = this.state(py);
        state.lost_count.set(1);
        state.lost_reason.replace(reason);
        Self::update_interest(transport);
        this.event_loop.get().check_open(py)?;
        let ready = Ready::Datagram(transport.clone().unbind(), Step::Finish);
        this.event_loop.get().core(py).wake(ready);
        Ok(())
    }

    /// Tells the protocol that the transport is closed, and lets go of everything.
    pub(super) fn finish(transport: &Bound<'_, Self>) -> PyResult<()> {
        let py = transport.py();
        let reason = transport.get().state(py).lost_reason.take();
        let reason = reason.map(|error| error.into_value(py));
        let outcome = Self::announce(transport, intern!(py, "connection_lost"), (&reason,));
        Self::release(transport)?;
        outcome
    }

    /// Gives the descriptor and the protocol back.
    fn release(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let state = this.state(py);
        if Self::is_watched(transport) {
            drop(this.event_loop.get().core(py).unwatch(this.fd()));
        }
        drop(state.protocol.take());
        state.senders.clear();
        let socket = state.socket.take();
        socket.map_or(Ok(()), |socket| this.close_socket(&socket.into_bound(py)))
    }

    fn close_socket(&self, socket: &Bound<'_, PyAny>) -> PyResult<()> {
        self.event_loop.get().tell_close(socket.py(), self.descriptor);
        socket.call_method0("close").map(drop)
    }
}

impl Drop for DatagramTransport {
    fn drop(&mut self) {
        Python::attach(|py| {
            let Some(socket) = self.state(py).socket.take() else { return };
            let name = format!("<DatagramTransport fd={}>", self.descriptor);
            warn_unclosed(py, &name, || self.close_socket(socket.bind(py)));
        });
    }
}
