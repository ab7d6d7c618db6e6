//! Calling a transport's protocol, and what becomes of the exceptions it raises.
//!
//! What all transports over a descriptor do alike stands here once. It must not know what they
//! transport, nor how they end.

use std::cell::Cell;
use std::io;

use pyo3::PyClass;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyContext, PyDict, PyString, PyTuple};

use crate::call::Call;
use crate::event_loop::EventLoop;
use crate::handle::Handle;
use crate::{errors, ffi, imports};

/// How often a lost transport is written to before that is logged.
const TOLERATED_LOST_WRITES: u32 = 5;

/// A transport that calls a protocol, and reports what that raises.
pub trait Reporting: PyClass<Frozen = True> + Sync {
    /// The loop that hears of exceptions.
    fn event_loop(&self) -> &Py<EventLoop>;

    /// The context in which the loop calls the protocol.
    fn context(&self) -> &Py<PyContext>;

    /// The protocol; none once the transport is closed.
    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>>;

    /// Ends the transport at once, for a reason that its protocol is to hear.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    fn abort_for(transport: &Bound<'_, Self>, reason: PyErr) -> PyResult<()>;

    /// Calls a method of the protocol in the transport's context.
    fn call_protocol<'py>(
        transport: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: impl PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (transport.py(), transport.get());
        let call = || Self::call_protocol_here(transport, method, args);
        let event_loop = this.event_loop().get();
        if !event_loop.is_debug(py) {
            return ffi::run_in_context(this.context().bind(py), call);
        }
        let begin = event_loop.seconds(py);
        let result = ffi::run_in_context(this.context().bind(py), call)?;
        let taken = event_loop.seconds(py) - begin;
        event_loop.log_if_slow(py, taken, || {
            Ok(format!("{method}() of {}", transport.as_any().repr()?))
        })?;
        Ok(result)
    }

    /// Calls a method of the protocol in the caller's context, which may be the transport's already.
    fn call_protocol_here<'py>(
        transport: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: impl PyCallArgs<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match transport.get().protocol(transport.py()) {
            Some(protocol) => protocol.call_method1(method, args),
            None => Ok(transport.py().None().into_bound(transport.py())),
        }
    }

    /// Calls a method of the protocol; what it raises is reported as of any callback.
    fn announce<'py, A>(
        transport: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: A,
    ) -> PyResult<()>
    where
        A: PyCallArgs<'py>
            + IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>
            + Copy,
    {
        let py = transport.py();
        match Self::call_protocol(transport, method, args) {
            Ok(_) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => {
                let args = args.into_pyobject(py).map_err(Into::into)?;
                Self::report_call(transport, method, args, &error)
            }
        }
    }

    /// Reports what a call of the protocol has raised, as if a handle had made the call.
    fn report_call<'py>(
        transport: &Bound<'py, Self>,
        method: &Bound<'py, PyString>,
        args: Bound<'py, PyTuple>,
        error: &PyErr,
    ) -> PyResult<()> {
        let (py, this) = (transport.py(), transport.get());
        let callback = this.protocol(py).and_then(|protocol| protocol.getattr(method).ok());
        let Some(callback) = callback else {
            let message = format!("Exception in callback {method}");
            return Self::report_error(transport, error, &message);
        };
        let (event_loop, context) = (this.event_loop().bind(py), this.context().bind(py));
        let call = Call::new(callback, args);
        let handle = Handle::new(event_loop, call.clone_ref(py), Some(context))?;
        Handle::report(&handle, &call, error)
    }

    /// Ends the transport if a call of its protocol failed.
    fn fail_on_error(
        transport: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(transport.py(), &error) => Err(error),
            Err(error) => Self::fatal_error(transport, error, &format!("Fatal error: {message}")),
        }
    }

    /// Ends the transport because of an exception, which is reported unless it is the network's.
    fn fatal_error(transport: &Bound<'_, Self>, error: PyErr, message: &str) -> PyResult<()> {
        let py = transport.py();
        if !error.is_instance_of::<PyOSError>(py) {
            Self::report_error(transport, &error, message)?;
        } else if transport.get().event_loop().get().is_debug(py) {
            let keywords = PyDict::new(py);
            keywords.set_item("exc_info", errors::exception(py, &error))?;
            let args = ("%r: %s", transport, message);
            imports::logger(py)?.call_method("debug", args, Some(&keywords))?;
        }
        Self::abort_for(transport, error)
    }

    /// Ends the transport if it cannot be watched, or nobody would ever hear of it again.
    fn fail_unwatched(transport: &Bound<'_, Self>, outcome: io::Result<()>) {
        // Any other failure means that the descriptor was closed behind the transport.
        if let Err(error) = outcome
            && errors::is_exhaustion(&error)
            && let Err(error) = Self::abort_for(transport, errors::os_error(&error))
        {
            error.write_unraisable(transport.py(), Some(transport.as_any()));
        }
    }

    /// Reports that a call of the protocol failed; the transport goes on.
    fn report_on_error(
        transport: &Bound<'_, Self>,
        outcome: PyResult<()>,
        message: &str,
    ) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(transport.py(), &error) => Err(error),
            Err(error) => Self::report_error(transport, &error, message),
        }
    }

    /// Hands an exception to the loop's exception handler.
    fn report_error(transport: &Bound<'_, Self>, error: &PyErr, message: &str) -> PyResult<()> {
        let py = transport.py();
        let context = PyDict::new(py);
        context.set_item("message", message)?;
        context.set_item("exception", errors::exception(py, error))?;
        context.set_item("transport", transport)?;
        context.set_item("protocol", transport.get().protocol(py))?;
        EventLoop::report(transport.get().event_loop().bind(py), &context)
    }

    /// Logs what a transport does, in debug mode.
    fn log_debug(&self, py: Python<'_>, format: &str, transport: &Bound<'_, Self>) -> PyResult<()> {
        if self.event_loop().get().is_debug(py) {
            imports::logger(py)?.call_method1("debug", (format, transport))?;
        }
        Ok(())
    }
}

/// What is logged when a lost socket is written to again and again.
pub const SOCKET_LOST: &str = "socket.send() raised exception.";

/// Counts a write to a lost transport, and logs a warning if there were several before.
pub fn count_lost_write(py: Python<'_>, count: &Cell<u32>, message: &str) -> PyResult<()> {
    if count.get() >= TOLERATED_LOST_WRITES {
        imports::logger(py)?.call_method1("warning", (message,))?;
    }
    count.set(count.get().saturating_add(1));
    Ok(())
}
