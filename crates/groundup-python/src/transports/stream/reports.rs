//! Calling the protocol, and what becomes of the exceptions it raises.

use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::StreamTransport;
use crate::event_loop::EventLoop;
use crate::handle::{Call, format_callback};
use crate::{errors, ffi, imports};

impl StreamTransport {
    /// Calls a method of the protocol in the stream's context.
    pub(super) fn call_protocol<'py>(
        stream: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: impl PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = stream.py();
        let protocol = stream.get().state(py).protocol.borrow().as_ref().map(|p| p.clone_ref(py));
        let Some(protocol) = protocol else { return Ok(py.None().into_bound(py)) };
        let context = stream.get().context.bind(py);
        ffi::run_in_context(context, || protocol.bind(py).call_method1(method, args))
    }

    pub(super) fn fail_on_error(
        stream: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(stream.py(), &error) => Err(error),
            Err(error) => Self::fatal_error(stream, error, &format!("Fatal error: {message}")),
        }
    }

    /// Ends the connection because of an exception, which is reported unless it is the network's.
    pub(super) fn fatal_error(
        stream: &Bound<'_, Self>,
        error: PyErr,
        message: &str,
    ) -> PyResult<()> {
        let py = stream.py();
        if error.is_instance_of::<PyOSError>(py) {
            if stream.get().event_loop.get().is_debug(py) {
                let keywords = PyDict::new(py);
                keywords.set_item("exc_info", error.value(py))?;
                let args = ("%r: %s", stream, message);
                imports::logger(py)?.call_method("debug", args, Some(&keywords))?;
            }
        } else {
            Self::report_error(stream, &error, message)?;
        }
        Self::abort_stream(stream, Some(error))
    }

    pub(super) fn report_on_error(
        stream: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(stream.py(), &error) => Err(error),
            Err(error) => Self::report_error(stream, &error, message),
        }
    }

    pub(super) fn report_error(
        stream: &Bound<'_, Self>,
        error: &PyErr,
        message: &str,
    ) -> PyResult<()> {
        let py = stream.py();
        let context = PyDict::new(py);
        context.set_item("message", message)?;
        context.set_item("exception", error.value(py))?;
        context.set_item("transport", stream)?;
        context.set_item("protocol", &*stream.get().state(py).protocol.borrow())?;
        EventLoop::report(stream.get().event_loop.bind(py), &context)
    }

    /// Reports that connection_made or connection_lost raised.
    pub(super) fn report_failed_call(
        stream: &Bound<'_, Self>,
        method: &Bound<'_, PyString>,
        argument: &Bound<'_, PyAny>,
        error: PyErr,
    ) -> PyResult<()> {
        let py = stream.py();
        if errors::ends_run(py, &error) {
            return Err(error);
        }
        let protocol = stream.get().state(py).protocol.borrow().as_ref().map(|p| p.clone_ref(py));
        let callback = match protocol {
            Some(protocol) => protocol.bind(py).getattr(method)?.unbind(),
            None => py.None(),
        };
        let call = Call { callback, args: PyTuple::new(py, [argument])?.unbind() };
        let source = format_callback(stream.get().event_loop.bind(py), &call)?;
        Self::report_error(stream, &error, &format!("Exception in callback {source}"))
    }

    pub(super) fn log_debug(
        &self,
        py: Python<'_>,
        format: &str,
        stream: &Bound<'_, Self>,
    ) -> PyResult<()> {
        if self.event_loop.get().is_debug(py) {
            imports::logger(py)?.call_method1("debug", (format, stream))?;
        }
        Ok(())
    }
}
