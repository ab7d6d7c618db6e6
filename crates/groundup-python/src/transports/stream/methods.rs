//! What Python code asks of a stream transport: the methods of `asyncio.Transport`.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use rustix::net::Shutdown;

use super::write_buffer::piece_of;
use super::{StreamSocket, StreamTransport};
use crate::transports::reports::Reporting;
use crate::{errors, imports};

impl StreamTransport {
    /// Whether get_extra_info may have something of a name: streams ask for what only TLS has, and a
    /// socket object is not to be made for that.
    fn has_extra(&self, py: Python<'_>, name: &Bound<'_, PyAny>) -> bool {
        let is_made = self.state(py).extra.borrow().is_some();
        let Ok(name) = name.cast_exact::<PyString>() else { return true };
        is_made || ["socket", "sockname", "peername"].iter().any(|known| name == *known)
    }

    /// What get_extra_info gives, made when it is first asked for.
    fn extra<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = self.state(py);
        if let Some(extra) = &*state.extra.borrow() {
            return Ok(extra.bind(py).clone());
        }
        let extra = PyDict::new(py);
        extra.set_item("sockname", state.sockname.to_python(py)?)?;
        extra.set_item("peername", state.peername.to_python(py)?)?;
        let socket = state.socket.take();
        let socket = match socket {
            Some(socket) => {
                let socket = socket.into_python(py)?;
                state.socket.replace(Some(StreamSocket::Python(socket.clone_ref(py))));
                socket
            }
            None => StreamSocket::closed(py)?,
        };
        extra.set_item("socket", imports::transport_socket(py)?.call1((socket,))?)?;
        state.extra.replace(Some(extra.clone().unbind()));
        Ok(extra)
    }
}

#[pymethods]
impl StreamTransport {
    /// Write bytes; they are buffered and sent without blocking.
    ///
    /// Raise TypeError if data is not bytes-like, RuntimeError after write_eof(). On a lost
    /// connection nothing happens; when that is repeated, a warning is logged.
    pub fn write(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::write_piece(slf, data)
    }

    /// Write several bytes-like objects, one after the other; none, if one of them is refused.
    fn writelines(slf: &Bound<'_, Self>, list_of_data: &Bound<'_, PyAny>) -> PyResult<()> {
        let spares = slf.get().event_loop.get().spares(slf.py());
        let pieces: Vec<_> = list_of_data
            .try_iter()?
            .map(|data| piece_of(&data?, spares))
            .collect::<PyResult<_>>()?;
        Self::collect(slf, pieces.into_iter().flatten(), "writelines")
    }

    /// Close the writing half when all is written; the peer reads an end of file.
    fn write_eof(slf: &Bound<'_, Self>) -> PyResult<()> {
        let state = slf.get().state(slf.py());
        if state.is_closing.get() || state.wrote_eof.get() {
            return Ok(());
        }
        let is_drained = Self::unsent(slf)? == 0;
        state.wrote_eof.set(true);
        if is_drained && state.lost_count.get() == 0 {
            rustix::net::shutdown(slf.get().fd(), Shutdown::Write)
                .map_err(|error| errors::os_error(&error.into()))?;
        }
        Ok(())
    }

    /// Return True: a stream socket can be closed in one direction.
    fn can_write_eof(&self) -> bool {
        true
    }

    /// Close the connection when all is written; the protocol hears of it by connection_lost(None).
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::close_stream(slf)
    }

    /// Close the connection at once; what is not yet sent is lost.
    fn abort(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::abort_stream(slf, None)
    }

    fn _force_close(slf: &Bound<'_, Self>, exc: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        Self::flush(slf)?;
        Self::abort_stream(slf, exc.map(PyErr::from_value))
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

    /// Stop receiving, until resume_reading().
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
        // An end of file is told once more, as it is found once more.
        state.got_eof.set(false);
        Self::update_interest(slf);
        slf.get().log_debug(slf.py(), "%r resumes reading", slf)
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(slf: &Bound<'_, Self>, protocol: Bound<'_, PyAny>) -> PyResult<()> {
        Self::adopt_protocol(slf, protocol)
    }

    /// Return the protocol; None once the connection is lost.
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
        if !self.has_extra(py, name) {
            return Ok(default);
        }
        Ok(self.extra(py)?.get_item(name)?.or(default))
    }

    /// Set when the protocol is asked to pause and to resume writing: above high, at most low bytes.
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

    /// Return the limits of the write buffer, low and high, in bytes.
    fn get_write_buffer_limits(&self, py: Python<'_>) -> (usize, usize) {
        self.state(py).flow.limits()
    }

    /// Return how many bytes the kernel has not taken yet.
    fn get_write_buffer_size(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Self::unsent(slf)
    }

    #[getter]
    fn _closing(slf: &Bound<'_, Self>) -> bool {
        Self::is_closing(slf)
    }

    #[getter]
    fn _paused(&self, py: Python<'_>) -> bool {
        self.state(py).is_paused.get()
    }

    #[getter]
    fn _protocol_paused(&self, py: Python<'_>) -> bool {
        self.state(py).flow.is_paused()
    }

    #[classattr]
    fn _sendfile_compatible(py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::sendfile_mode(py)?.getattr("TRY_NATIVE").map(Bound::unbind)
    }

    #[classattr]
    fn _start_tls_compatible() -> bool {
        true
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_transport(py).map(|class| class.clone().unbind())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let (py, this) = (slf.py(), slf.get());
        let state = this.state(py);
        let mut words = vec!["StreamTransport".to_owned()];
        if state.socket.borrow().is_none() {
            words.push("closed".to_owned());
        } else if state.is_closing.get() {
            words.push("closing".to_owned());
        }
        words.push(format!("fd={}", this.descriptor));
        let interest = this.interest(slf);
        let word = |polls| if polls { "polling" } else { "idle" };
        let size = state.buffer.borrow().len();
        words.push(format!("read={}", word(interest.readable())));
        words.push(format!("write=<{}, bufsize={size}>", word(interest.writable())));
        format!("<{}>", words.join(" "))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.traverse(visit)
    }

    fn __clear__(&self) {
        self.clear();
    }
}
