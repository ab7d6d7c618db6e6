//! The receiving half of a datagram transport: one receive and one call of the protocol each.

use std::net::SocketAddr;

use groundup::poller::Readiness;
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketAddrAny};

use super::DatagramTransport;
use crate::errors;
use crate::transports::address::Address;
use crate::transports::reports::Reporting;

/// How many datagrams are received in a turn, at most.
const BURST: usize = 32;

/// The largest datagram that is received whole, in bytes.
const MAX_SIZE: usize = 256 * 1024;

/// The data of a datagram, and the address of its sender.
type Received<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

impl DatagramTransport {
    /// Receives what has come.
    ///
    /// More than one datagram is received only while nothing else is ready, so that everything has
    /// its turn after each datagram, in the order in which asyncio has it.
    pub(super) fn on_readable(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let core = this.event_loop.get().core(py);
        for _ in 0..BURST {
            if !this.state(py).receives() || !Self::receive_one(transport)? {
                break;
            }
            if core.ready_len() > 0 || core.is_stopping() {
                break;
            }
        }
        Ok(())
    }

    /// Receives a datagram, or an error; false if it is not worth trying again in this turn.
    fn receive_one(transport: &Bound<'_, Self>) -> PyResult<bool> {
        let py = transport.py();
        match transport.get().receive(py) {
            Ok(Some((data, sender))) => {
                let name = intern!(py, "datagram_received");
                Self::announce(transport, name, (&data, &sender))?;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) if error.is_instance_of::<PyOSError>(py) => {
                let name = intern!(py, "error_received");
                let error = errors::exception(py, &error);
                Self::announce(transport, name, (&error,))?;
                Ok(false)
            }
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                let message = "Fatal read error on datagram transport";
                Self::fatal_error(transport, error, message)?;
                Ok(false)
            }
        }
    }

    fn receive<'py>(&self, py: Python<'py>) -> PyResult<Option<Received<'py>>> {
        if !self.is_native() {
            return self.receive_by_socket(py);
        }
        let event_loop = self.event_loop.get();
        let spares = event_loop.spares(py);
        let received = event_loop.with_scratch(py, |scratch| {
            let flags = RecvFlags::DONTWAIT;
            let (length, _, sender) = event_loop.read_with(py, self.descriptor, || {
                rustix::net::recvfrom(self.fd(), &mut *scratch, flags)
            })?;
            Ok((spares.copy(py, &scratch[..length]).into_bytes(), sender))
        });
        match received {
            Ok((data, sender)) => Ok(Some((data.into_any(), self.address_of(py, sender)?))),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(errors::os_error(&error.into())),
        }
    }

    /// Receives over a family whose addresses only Python's socket knows.
    fn receive_by_socket<'py>(&self, py: Python<'py>) -> PyResult<Option<Received<'py>>> {
        let socket = self.state(py).socket.borrow().as_ref().map(|socket| socket.clone_ref(py));
        let Some(socket) = socket else { return Ok(None) };
        match socket.bind(py).call_method1(intern!(py, "recvfrom"), (MAX_SIZE,)) {
            Ok(received) => received.extract().map(Some),
            Err(error) if errors::would_block(py, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A sender's address as Python has it; None where the sender has none.
    fn address_of<'py>(
        &self,
        py: Python<'py>,
        sender: Option<SocketAddrAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(sender) = sender else { return Ok(py.None().into_bound(py)) };
        let Ok(internet) = SocketAddr::try_from(sender.clone()) else {
            return Ok(Address::new(self.fd(), sender).to_python(py)?.into_bound(py));
        };
        self.state(py).senders.address_of(py, internet, || {
            Ok(Address::new(self.fd(), sender).to_python(py)?.into_bound(py))
        })
    }

    /// What the loop is to watch for on behalf of this half.
    pub(super) fn receiving_interest(&self, py: Python<'_>) -> Readiness {
        if self.state(py).receives() { Readiness::READABLE } else { Readiness::NONE }
    }
}
