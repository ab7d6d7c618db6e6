//! The reading end of a pipe.

use std::cell::Cell;
use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use rustix::io::Errno;

use super::end::PipeEnd;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::{errors, ffi, imports};

/// The transport of the reading end of a pipe; stands for `asyncio.ReadTransport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct ReadPipeTransport {
    end: PipeEnd,
    is_paused: GilBound<Cell<bool>>,
}

impl ReadPipeTransport {
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
        let refusal = "Pipe transport is for pipes/sockets only.";
        let end = PipeEnd::new(event_loop, file, protocol, refusal)?;
        let transport = ffi::create(event_loop.py(), Self { end, is_paused: GilBound::default() })?;
        let start = transport.getattr("_start_reading")?;
        transport.get().end.begin(&transport, Some(start), waiter)?;
        Ok(transport.into_any())
    }

    /// The number of the pipe.
    pub fn descriptor(&self) -> RawFd {
        self.end.descriptor
    }

    fn on_eof(transport: &Bound<'_, Self>) -> PyResult<()> {
        let (py, end) = (transport.py(), &transport.get().end);
        end.log(transport, "info", "%r was closed by peer")?;
        end.set_closing(py);
        end.unwatch(py, Readiness::READABLE);
        let eof_received = end.method(py, intern!(py, "eof_received"));
        let told = eof_received.and_then(|eof_received| end.call_soon(eof_received, &[]));
        end.lose(transport, None).and(told)
    }

    fn fail(transport: &Bound<'_, Self>, errno: Errno) -> PyResult<()> {
        let (py, end) = (transport.py(), &transport.get().end);
        let error = errors::os_error(&errno.into());
        // What a terminal says when its other side has closed.
        let quiet = errno == Errno::IO;
        end.report(transport, &error, "Fatal read error on pipe transport", quiet)?;
        end.unwatch(py, Readiness::READABLE);
        end.lose(transport, Some(error))
    }

    fn describe(&self, py: Python<'_>) -> String {
        self.end.describe(py, "ReadPipeTransport", Readiness::READABLE)
    }
}

#[pymethods]
impl ReadPipeTransport {
    /// Begins to read, unless the protocol has paused or closed the transport already.
    fn _start_reading(slf: &Bound<'_, Self>) -> PyResult<()> {
        if !slf.get().is_reading(slf.py()) {
            return Ok(());
        }
        let callback = slf.getattr(intern!(slf.py(), "_read_ready"))?;
        slf.get().end.watch(Readiness::READABLE, callback)
    }

    fn _read_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, end) = (slf.py(), &slf.get().end);
        let outcome = end.event_loop.get().with_scratch(py, |scratch| {
            let read = || rustix::io::read(end.fd(), &mut *scratch);
            let length = end.event_loop.get().read_with(py, end.descriptor, read)?;
            Ok((length > 0).then(|| end.spares(py).copy(py, &scratch[..length]).into_bytes()))
        });
        match outcome {
            Ok(Some(data)) => {
                end.method(py, intern!(py, "data_received"))?.call1((data,)).map(drop)
            }
            Ok(None) => Self::on_eof(slf),
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(errno) => Self::fail(slf, errno),
        }
    }

    fn _call_connection_lost(&self, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        self.end.finish(exc)
    }

    /// Return True if the protocol receives what arrives.
    fn is_reading(&self, py: Python<'_>) -> bool {
        !self.is_paused.get(py).get() && !self.end.is_closing(py)
    }

    /// Stop receiving, until resume_reading().
    fn pause_reading(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if !this.is_reading(py) {
            return Ok(());
        }
        this.is_paused.get(py).set(true);
        this.end.unwatch(py, Readiness::READABLE);
        this.end.log(slf, "debug", "%r pauses reading")
    }

    /// Receive again, after pause_reading().
    fn resume_reading(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if this.end.is_closing(py) || !this.is_paused.get(py).replace(false) {
            return Ok(());
        }
        Self::_start_reading(slf)?;
        this.end.log(slf, "debug", "%r resumes reading")
    }

    /// Have another protocol hear of everything from here on.
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        self.end.set_protocol(protocol.py(), protocol.unbind());
    }

    /// Return the protocol; None once the connection is lost.
    fn get_protocol(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.end.protocol(py)
    }

    /// Return the file object for 'pipe', the default for anything else.
    #[pyo3(signature = (name, default=None))]
    fn get_extra_info<'py>(
        &self,
        name: &Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.end.extra(name)?.or(default))
    }

    /// Return True if the transport is closed or closing.
    fn is_closing(&self, py: Python<'_>) -> bool {
        self.end.is_closing(py)
    }

    /// Close the pipe; the protocol hears of it by connection_lost(None).
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, end) = (slf.py(), &slf.get().end);
        if end.set_closing(py) {
            return Ok(());
        }
        end.unwatch(py, Readiness::READABLE);
        end.lose(slf, None)
    }

    /// The file that is to be closed in the end.
    #[getter]
    fn _pipe(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.end.open_file(py)
    }

    #[setter(_pipe)]
    fn set_pipe(&self, py: Python<'_>, pipe: Option<Py<PyAny>>) {
        self.end.set_open_file(py, pipe);
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_read_transport(py).map(|class| class.clone().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<{}>", self.describe(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.end.traverse(visit)
    }

    fn __clear__(&self) {
        self.end.clear();
    }
}

impl Drop for ReadPipeTransport {
    fn drop(&mut self) {
        Python::attach(|py| self.end.abandon(py, &self.describe(py)));
    }
}
