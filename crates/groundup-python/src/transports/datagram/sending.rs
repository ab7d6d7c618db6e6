//! The sending half of a datagram transport: each datagram is tried at once, and waits if it must.

use groundup::poller::Readiness;
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;

use super::DatagramTransport;
use super::backlog::Datagram;
use super::destination::Destination;
use super::state::Obstacle;
use crate::errors;
use crate::event_loop::EventLoop;
use crate::transports::reports::{Reporting, SOCKET_LOST, count_lost_write};

impl DatagramTransport {
    /// Sends a datagram, or keeps it until it can be sent.
    ///
    /// # Errors
    ///
    /// What the protocol's error_received raises.
    pub(super) fn send(transport: &Bound<'_, Self>, datagram: Datagram) -> PyResult<()> {
        let py = transport.py();
        let state = transport.get().state(py);
        let has_turn = state.backlog.borrow().is_empty();
        if has_turn && Self::send_now(transport, &datagram)? {
            return Ok(());
        }
        state.backlog.borrow_mut().push(py, datagram);
        Self::pause_protocol(transport)
    }

    /// Sends a datagram at once; false if it has to wait, true if nothing more is to be done for it.
    fn send_now(transport: &Bound<'_, Self>, datagram: &Datagram) -> PyResult<bool> {
        let (py, this) = (transport.py(), transport.get());
        let lost_count = &this.state(py).lost_count;
        let error = match this.try_send(py, datagram) {
            Ok(true) => return Ok(true),
            // Nobody would send it later.
            Ok(false) if lost_count.get() > 0 => {
                return count_lost_write(py, lost_count, SOCKET_LOST).map(|()| true);
            }
            Ok(false) => {
                Self::wait_for(transport, Obstacle::Socket);
                return Ok(false);
            }
            Err(error) => error,
        };
        if error.is_instance_of::<PyOSError>(py) {
            let error = errors::exception(py, &error);
            return Self::call_protocol_here(transport, intern!(py, "error_received"), (error,))
                .map(|_| true);
        }
        Self::fail(transport, error).map(|()| true)
    }

    /// Tries to send a datagram; false if it has to wait.
    fn try_send(&self, py: Python<'_>, datagram: &Datagram) -> PyResult<bool> {
        let (data, destination) = (datagram.data.bind(py), &datagram.destination);
        let sent = self.event_loop.get().write_with(py, self.descriptor, || {
            destination.send(self.fd(), data.as_bytes()).transpose()
        });
        match sent.transpose() {
            Some(Ok(_)) => Ok(true),
            Some(Err(Errno::AGAIN | Errno::INTR)) => Ok(false),
            Some(Err(error)) => Err(errors::os_error(&error.into())),
            None => self.try_send_by_socket(data, destination),
        }
    }

    fn try_send_by_socket(
        &self,
        data: &Bound<'_, PyBytes>,
        destination: &Destination,
    ) -> PyResult<bool> {
        let py = data.py();
        let socket = self.state(py).socket.borrow().as_ref().map(|socket| socket.clone_ref(py));
        let Some(socket) = socket else { return Ok(false) };
        match destination.send_by_socket(socket.bind(py), data) {
            Ok(_) => Ok(true),
            Err(error) if errors::would_block(py, &error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn on_writable(transport: &Bound<'_, Self>) -> PyResult<()> {
        match transport.get().state(transport.py()).obstacle.get() {
            Obstacle::Socket => Self::send_backlog(transport),
            Obstacle::None | Obstacle::Receiver => Ok(()),
        }
    }

    /// Tries again to send what its receiver had no room for.
    pub(super) fn retry(transport: &Bound<'_, Self>) -> PyResult<()> {
        match transport.get().state(transport.py()).obstacle.get() {
            Obstacle::Receiver => Self::send_backlog(transport),
            Obstacle::None | Obstacle::Socket => Ok(()),
        }
    }

    fn send_backlog(transport: &Bound<'_, Self>) -> PyResult<()> {
        let state = transport.get().state(transport.py());
        if state.lost_count.get() > 0 {
            return Ok(());
        }
        if let Some(error) = Self::send_waiting(transport) {
            // What else is waiting is sent when the loop comes to it again.
            Self::wait_for(transport, Obstacle::Socket);
            return Self::report_unsent(transport, error);
        }
        Self::resume_protocol(transport)?;
        Self::end_backlog(transport)
    }

    /// Sends what has waited, until one datagram has to wait on, or fails.
    fn send_waiting(transport: &Bound<'_, Self>) -> Option<PyErr> {
        let (py, this) = (transport.py(), transport.get());
        let state = this.state(py);
        let mut has_sent = false;
        loop {
            let next = state.backlog.borrow_mut().pop(py);
            let datagram = next?;
            match this.try_send(py, &datagram) {
                Ok(true) => has_sent = true,
                Ok(false) => {
                    state.backlog.borrow_mut().put_back(py, datagram);
                    return Self::wait_again(transport, has_sent).err();
                }
                Err(error) => return Some(error),
            }
        }
    }

    /// Tells of a datagram that waited in vain.
    fn report_unsent(transport: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let py = transport.py();
        if error.is_instance_of::<PyOSError>(py) {
            let error = errors::exception(py, &error);
            return Self::announce(transport, intern!(py, "error_received"), (&error,));
        }
        Self::fail(transport, error)
    }

    /// Ends the transport because of what is no error of the network.
    fn fail(transport: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        if errors::ends_run(transport.py(), &error) {
            return Err(error);
        }
        Self::fatal_error(transport, error, "Fatal write error on datagram transport")
    }

    /// If nothing is left to be sent, stops waiting, and ends the transport if it is closing.
    fn end_backlog(transport: &Bound<'_, Self>) -> PyResult<()> {
        let state = transport.get().state(transport.py());
        if state.lost_count.get() > 0 || !state.backlog.borrow().is_empty() {
            return Ok(());
        }
        Self::wait_for(transport, Obstacle::None);
        state.forget_retries();
        if !state.is_closing.get() {
            return Ok(());
        }
        state.lost_count.set(1);
        Self::finish(transport)
    }

    fn wait_for(transport: &Bound<'_, Self>, obstacle: Obstacle) {
        transport.get().state(transport.py()).obstacle.set(obstacle);
        Self::update_interest(transport);
    }

    /// Waits for the socket, or, where that was writable in vain, for some time.
    ///
    /// The queue of an unconnected receiver of Unix datagrams may be full while the socket stays
    /// writable: to wait for the socket would be to spin.
    fn wait_again(transport: &Bound<'_, Self>, has_sent: bool) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let state = this.state(py);
        if has_sent {
            state.forget_retries();
            Self::wait_for(transport, Obstacle::Socket);
            return Ok(());
        }
        Self::wait_for(transport, Obstacle::Receiver);
        let retry = transport.getattr(intern!(py, "_retry"))?;
        EventLoop::call_after(this.event_loop.bind(py), state.next_retry(), retry)
    }

    /// Asks the protocol to pause, if too much is waiting.
    pub(super) fn pause_protocol(transport: &Bound<'_, Self>) -> PyResult<()> {
        let py = transport.py();
        let state = transport.get().state(py);
        let size = state.backlog.borrow().size();
        if !state.flow.pauses_at(size) {
            return Ok(());
        }
        let outcome = Self::call_protocol_here(transport, intern!(py, "pause_writing"), ());
        Self::report_on_error(transport, outcome.map(drop), "protocol.pause_writing() failed")
    }

    fn resume_protocol(transport: &Bound<'_, Self>) -> PyResult<()> {
        let py = transport.py();
        let state = transport.get().state(py);
        let size = state.backlog.borrow().size();
        if !state.flow.resumes_at(size) {
            return Ok(());
        }
        let outcome = Self::call_protocol(transport, intern!(py, "resume_writing"), ());
        Self::report_on_error(transport, outcome.map(drop), "protocol.resume_writing() failed")
    }

    /// What the loop is to watch for on behalf of this half.
    pub(super) fn sending_interest(&self, py: Python<'_>) -> Readiness {
        let state = self.state(py);
        let waits = state.obstacle.get() == Obstacle::Socket && state.lost_count.get() == 0;
        if waits { Readiness::WRITABLE } else { Readiness::NONE }
    }
}
