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
        let (py, this) = (stream.py(), stream.get());
        let call = || Self::call_protocol_here(stream, method, args);
        let event_loop = this.event_loop.get();
        if !event_loop.is_debug(py) {
            return ffi::run_in_context(this.context.bind(py), call);
        }
        let begin = event_loop.seconds(py);
        let result = ffi::run_in_context(this.context.bind(py), call)?;
        let taken = event_loop.seconds(py) - begin;
        event_loop.log_if_slow(py, taken, || Ok(format!("{method}() of {}", stream.repr()?)))?;
        Ok(result)
    }

    /// Calls a method of the protocol in the caller's context, which may be the stream's already.
    pub(super) fn call_protocol_here<'py>(
        stream: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: impl PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match stream.get().get_protocol(stream.py()) {
            Some(protocol) => protocol.bind(stream.py()).call_method1(method, args),
            None => Ok(stream.py().None().into_bound(stream.py())),
        }
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

    /// Calls connection_made or connection_lost; what it raises is reported as of any callback.
    pub(super) fn announce(
        stream: &Bound<'_, Self>,
        method: &Bound<'_, PyString>,
        argument: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = stream.py();
        match Self::call_protocol(stream, method, (argument,)) {
            Ok(_) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                let source = Self::describe_call(stream, method, argument)?;
                Self::report_error(stream, &error, &format!("Exception in callback {source}"))
            }
        }
    }

    fn describe_call(
        stream: &Bound<'_, Self>,
        method: &Bound<'_, PyString>,
        argument: &Bound<'_, PyAny>,
    ) -> PyResult<String> {
        let py = stream.py();
        let protocol = stream.get().get_protocol(py);
        let callback = protocol.and_then(|protocol| protocol.getattr(py, method).ok());
        let Some(callback) = callback else { return Ok(method.to_string()) };
        let call = Call { callback, args: PyTuple::new(py, [argument])?.unbind() };
        format_callback(stream.get().event_loop.bind(py), &call)
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
