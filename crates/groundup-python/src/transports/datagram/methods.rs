//! What Python code asks of a datagram transport: the methods of `asyncio.DatagramTransport`.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::backlog::Datagram;
use super::destination::Destination;
use super::{DatagramTransport, Peer};
use crate::imports;
use crate::transports::data::frozen;
use crate::transports::reports::{Reporting, SOCKET_LOST, count_lost_write};

impl DatagramTransport {
    /// The address that is meant by one that may be left out.
    ///
    /// # Errors
    ///
    /// `ValueError` if it is not the one that the transport is for.
    fn resolve_address<'py>(
        &self,
        py: Python<'py>,
        address: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(remote) = self.remote_address.as_ref().map(|remote| remote.bind(py)) else {
            return Ok(address);
        };
        if let Some(address) = address
            && !address.is(remote)
            && !address.eq(remote)?
        {
            let message = format!("Invalid address: must be None or {}", remote.str()?);
            return Err(PyValueError::new_err(message));
        }
        Ok(Some(remote.clone()))
    }

    fn destination<'py>(&self, py: Python<'py>, address: Option<Bound<'py, PyAny>>) -> Destination {
        match (self.peer, address) {
            (Peer::Named, _) | (Peer::Unnamed, None) => Destination::Peer,
            (_, Some(address)) => match self.state(py).senders.last_if(&address) {
                Some(sender) => Destination::Internet(sender),
                None => Destination::of(self.family, &address),
            },
            (Peer::None, None) => Destination::Python(py.None()),
        }
    }
}

#[pymethods]
impl DatagramTransport {
    /// Send a datagram to an address, or to the one that the transport was created for.
    ///
    /// It is sent at once where the kernel takes it, else buffered. What the network answers goes to
    /// the protocol's error_received(). Raise TypeError if data is not bytes-like, ValueError if the
    /// address is not the one that the transport was created for. An empty datagram is sent from
    /// Python 3.13 on. After close(), nothing is sent to the address that the transport was created
    /// for; when that is repeated, a warning is logged.
    #[pyo3(signature = (data, addr=None))]
    fn sendto(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        addr: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let data = frozen(data)?;
        if data.as_bytes().is_empty() && py.version_info() < (3, 13) {
            return Ok(());
        }
        let address = this.resolve_address(py, addr)?;
        let state = this.state(py);
        let is_over = this.remote_address.is_some() || state.socket.borrow().is_none();
        if state.lost_count.get() > 0 && is_over {
            return count_lost_write(py, &state.lost_count, SOCKET_LOST);
        }
        let destination = this.destination(py, address);
        Self::send(slf, Datagram { data: data.unbind(), destination })
    }

    /// Close the transport when all is sent; the protocol hears of it by connection_lost(None).
    #[pyo3(name = "close")]
    fn py_close(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close(slf)
    }

    /// Close the transport at once; what is not yet sent is lost.
    #[pyo3(name = "abort")]
    fn py_abort(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::abort(slf, None)
    }

    /// Return True if the transport is closed or closing.
    #[pyo3(name = "is_closing")]
    fn py_is_closing(slf: &Bound<'_, Self>) -> bool {
        Self::is_closing(slf)
    }

    /// Return True if the protocol receives what arrives.
    fn is_reading(&self, py: Python<'_>) -> bool {
        let state = self.state(py);
        !state.is_closing.get() && !state.is_paused.get()
    }

    /// Stop receiving, until resume_reading(); the kernel keeps what it has room for.
    fn pause_reading(slf: &Bound<'_, Self>) -> PyResult<()> {
        let state = slf.get().state(slf.py());
        if state.is_closing.get() || state.is_paused.replace(true) {
            return Ok(());
        }
        Self::update_interest(slf);
        slf.get().log_debug(slf.py(), "%r pauses reading", slf)
    }

    /// Receive again, after pause_reading().
    fn resume_reading(slf: &Bound<'_, Self>) -> PyResult<()> {
        let state = slf.get().state(slf.py());
        if state.is_closing.get() || !state.is_paused.replace(false) {
            return Ok(());
        }
        Self::update_interest(slf);
        slf.get().log_debug(slf.py(), "%r resumes reading", slf)
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(&self, py: Python<'_>, protocol: Py<PyAny>) {
        drop(self.state(py).protocol.replace(Some(protocol)));
    }

    /// Return the protocol; None once the transport is closed.
    fn get_protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol(py)
    }

    /// Return 'socket', 'sockname', 'peername', or the default for anything else.
    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.extra.bind(py).get_item(name)?.or(default))
    }

    /// Set when the protocol is asked to pause and to resume sending: above high, at most low bytes.
    ///
    /// Without low it is a quarter of high; without high it is four times low, or 64 KiB. Raise
    /// ValueError unless high >= low >= 0.
    #[pyo3(signature = (high=None, low=None))]
    fn set_write_buffer_limits(
        slf: &Bound<'_, Self>,
        high: Option<isize>,
        low: Option<isize>,
    ) -> PyResult<()> {
        slf.get().state(slf.py()).flow.set_limits(high, low)?;
        Self::pause_protocol(slf)
    }

    /// Return the limits of the buffer, low and high, in bytes.
    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        self.state(py).flow.limits()
    }

    /// Return how many bytes are waiting; from Python 3.13 on, each datagram counts 8 bytes more.
    fn get_write_buffer_size(&self, py: Python<'_>) -> usize {
        self.state(py).backlog.borrow().size()
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        apparent_class(py).map(|class| class.clone_ref(py))
    }

    #[getter]
    fn _sock(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state(py).socket.borrow().as_ref().map(|socket| socket.clone_ref(py))
    }

    /// Tries again to send what is waiting.
    fn _retry(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::retry(slf)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let (py, this) = (slf.py(), slf.get());
        let (state, fd) = (this.state(py), this.descriptor);
        if state.socket.borrow().is_none() {
            return format!("<DatagramTransport closed fd={fd}>");
        }
        let word = |polls| if polls { "polling" } else { "idle" };
        let interest = this.receiving_interest(py) | this.sending_interest(py);
        let (read, write) = (word(interest.readable()), word(interest.writable()));
        let closing = if state.is_closing.get() { " closing" } else { "" };
        let size = state.backlog.borrow().size();
        format!("<DatagramTransport{closing} fd={fd} read={read} write=<{write}, bufsize={size}>>")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.traverse(visit)
    }

    fn __clear__(&self) {
        self.state.visit().clear();
    }
}

/// A class that is both an `asyncio.DatagramTransport` and an `asyncio.Transport`, as asyncio's own
/// datagram transports are.
fn apparent_class(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.get_or_try_init(py, || {
        let bases = (imports::asyncio_transport(py)?, imports::asyncio_datagram_transport(py)?);
        let namespace = PyDict::new(py);
        namespace.set_item("__module__", "groundup")?;
        namespace.set_item("__slots__", ())?;
        let class = py.get_type::<PyType>().call1(("DatagramTransport", bases, namespace))?;
        Ok(class.unbind())
    })
}
