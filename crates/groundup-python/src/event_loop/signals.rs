//! Signals, handled between callbacks: the interpreter's C handler writes a signal's number into a
//! pipe, whose other end the loop reads. A pipe, as it holds a byte each of 65,536 signals that come
//! while the loop is busy, where a socket holds some hundred.

use std::cell::RefCell;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use groundup::poller::Readiness;
use pyo3::exceptions::{PyOSError, PyResourceWarning, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};
use rustix::pipe::PipeFlags;

use super::{EventLoop, Source};
use crate::call::Call;
use crate::handle::Handle;
use crate::{errors, imports, warnings};

/// The callbacks of add_signal_handler, and the pipe that signals go through.
pub struct Signals {
    /// A handle for each signal's number.
    handlers: Py<PyDict>,
    wakeup: RefCell<Option<Wakeup>>,
}

struct Wakeup {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Signals {
    pub fn new(py: Python<'_>) -> Self {
        Self { handlers: PyDict::new(py).unbind(), wakeup: RefCell::default() }
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.handlers)
    }
}

/// Wakes what handles the signals that have come.
pub fn dispatch(event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
    let (py, this) = (event_loop.py(), event_loop.get());
    let signals = &this.parts(py).signals;
    let mut numbers = [0; 256];
    let length = match &*signals.wakeup.borrow() {
        Some(wakeup) => rustix::io::read(&wakeup.reader, &mut numbers),
        None => return Ok(()),
    };
    for number in &numbers[..length.unwrap_or(0)] {
        EventLoop::_handle_signal(event_loop, i32::from(*number))?;
    }
    Ok(())
}

impl EventLoop {
    /// The end of the pipe that the interpreter writes signals to; made when it is first needed.
    fn wakeup_descriptor(&self, py: Python<'_>) -> PyResult<i32> {
        let mut wakeup = self.parts(py).signals.wakeup.borrow_mut();
        if wakeup.is_none() {
            let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
            let made = rustix::pipe::pipe_with(flags).map_err(io::Error::from);
            let made = made.and_then(|(reader, writer)| {
                self.core(py).watch(reader.as_fd(), Source::Signals, Readiness::READABLE)?;
                Ok(Wakeup { reader, writer })
            });
            *wakeup = Some(made.map_err(|error| errors::os_error(&error))?);
        }
        Ok(wakeup.as_ref().map_or(-1, |wakeup| wakeup.writer.as_raw_fd()))
    }

    fn remove_handler(&self, py: Python<'_>, number: i32) -> PyResult<bool> {
        let signals = &self.parts(py).signals;
        let handlers = signals.handlers.bind(py);
        if !handlers.contains(number)? {
            return Ok(false);
        }
        handlers.del_item(number)?;
        let module = imports::signal(py)?;
        let is_interrupt = module.getattr("SIGINT")?.eq(number)?;
        let default = if is_interrupt { "default_int_handler" } else { "SIG_DFL" };
        install(py, number, &module.getattr(default)?)?;
        if handlers.is_empty() {
            unset_wakeup(py)?;
        }
        Ok(true)
    }

    /// Sets all signals back to their defaults, when the loop is closed.
    pub fn remove_all_signal_handlers(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let signals = &event_loop.get().parts(event_loop.py()).signals;
        let _wakeup = signals.wakeup.take();
        if imports::sys(event_loop.py())?.call_method0("is_finalizing")?.is_truthy()? {
            return Self::forget_signal_handlers(event_loop);
        }
        for number in signals.handlers.bind(event_loop.py()).keys() {
            event_loop.call_method1("remove_signal_handler", (number,))?;
        }
        Ok(())
    }
}

impl EventLoop {
    /// At the end of the interpreter, it is too late to set anything back.
    fn forget_signal_handlers(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let py = event_loop.py();
        let handlers = event_loop.get().parts(py).signals.handlers.bind(py);
        if handlers.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Closing the loop {} on interpreter shutdown stage, skipping signal handlers removal",
            event_loop.repr()?
        );
        let keywords = PyDict::new(py);
        keywords.set_item("source", event_loop)?;
        imports::warn(py)?.call((message, py.get_type::<PyResourceWarning>()), Some(&keywords))?;
        handlers.clear();
        Ok(())
    }

    /// Lets go of the handlers when the interpreter ends, where signals can no longer be set back.
    pub fn forget_all_signal_handlers(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let py = event_loop.py();
        let signals = &event_loop.get().parts(py).signals;
        if signals.handlers.bind(py).is_empty() {
            return Ok(());
        }
        // The interpreter goes on writing to it.
        mem::forget(signals.wakeup.take());
        signals.handlers.bind(py).clear();
        let message = format!(
            "Closing the loop {} on interpreter shutdown stage, skipping signal handlers removal",
            event_loop.repr()?
        );
        warnings::warn_of_resource(py, &message)
    }
}

#[pymethods]
impl EventLoop {
    /// Call a callback with arguments on the loop each time a signal comes. Main thread only.
    ///
    /// Raise ValueError if the signal's number is invalid, RuntimeError if it cannot be caught or
    /// this is not the main thread, TypeError if the callback is a coroutine.
    #[pyo3(signature = (sig, callback, *args))]
    fn add_signal_handler(
        slf: &Bound<'_, Self>,
        sig: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if imports::iscoroutine(py)?.call1((&callback,))?.is_truthy()?
            || imports::iscoroutinefunction(py)?.call1((&callback,))?.is_truthy()?
        {
            let message = "coroutines cannot be used with add_signal_handler()";
            return Err(PyTypeError::new_err(message));
        }
        let number = signal_number(sig)?;
        this.check_open(py)?;
        let wakeup = this.wakeup_descriptor(py)?;
        let module = imports::signal(py)?;
        module.call_method1("set_wakeup_fd", (wakeup,)).map_err(|error| {
            // Only the main thread may set it.
            let known =
                error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyOSError>(py);
            if known { PyRuntimeError::new_err(error.value(py).to_string()) } else { error }
        })?;
        let handle = Handle::new(slf, Call::new(callback, args), None)?;
        let handlers = this.parts(py).signals.handlers.bind(py);
        handlers.set_item(number, handle)?;
        if let Err(error) = catch(py, number, &slf.getattr("_ignore_signal")?) {
            handlers.del_item(number)?;
            if handlers.is_empty() {
                unset_wakeup(py)?;
            }
            return Err(error);
        }
        Ok(())
    }

    /// Set a signal back to its default; return False if it had no handler.
    ///
    /// Raise ValueError if the signal's number is invalid.
    fn remove_signal_handler(&self, sig: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove_handler(sig.py(), signal_number(sig)?)
    }

    /// Make ready what handles a signal; a handler that was cancelled is removed.
    fn _handle_signal(slf: &Bound<'_, Self>, sig: i32) -> PyResult<()> {
        let py = slf.py();
        let Some(handle) = slf.get().parts(py).signals.handlers.bind(py).get_item(sig)? else {
            return Ok(()); // it was removed just before
        };
        if handle.getattr(intern!(py, "_cancelled"))?.is_truthy()? {
            return slf.call_method1("remove_signal_handler", (sig,)).map(drop);
        }
        slf.get().tell(py, |narrator| narrator.tell_signal(sig));
        slf.call_method1("_add_callback_signalsafe", (handle,)).map(drop)
    }

    /// Raise TypeError if a signal's number is no int, ValueError if it is invalid.
    #[staticmethod]
    fn _check_signal(sig: &Bound<'_, PyAny>) -> PyResult<()> {
        signal_number(sig).map(drop)
    }

    /// The handle of each signal that is handled, by its number.
    #[getter]
    fn _signal_handlers(&self, py: Python<'_>) -> Py<PyDict> {
        self.parts(py).signals.handlers.clone_ref(py)
    }

    /// What Python itself calls for a signal that the loop handles: nothing.
    #[staticmethod]
    #[pyo3(signature = (*_args))]
    fn _ignore_signal(_args: &Bound<'_, PyTuple>) {}
}

fn signal_number(sig: &Bound<'_, PyAny>) -> PyResult<i32> {
    if !sig.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("sig must be an int, not {}", sig.repr()?)));
    }
    let valid = imports::signal(sig.py())?.call_method0("valid_signals")?;
    if !valid.contains(sig)? {
        return Err(PyValueError::new_err(format!("invalid signal number {}", sig.str()?)));
    }
    sig.extract()
}

/// Has the interpreter catch a signal, and system calls go on after it where they can.
fn catch(py: Python<'_>, number: i32, handler: &Bound<'_, PyAny>) -> PyResult<()> {
    install(py, number, handler)?;
    imports::signal(py)?.call_method1("siginterrupt", (number, false)).map(drop)
}

fn install(py: Python<'_>, number: i32, handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let outcome = imports::signal(py)?.call_method1("signal", (number, handler));
    outcome.map(drop).map_err(|error| {
        let errno = error.value(py).getattr("errno").and_then(|errno| errno.extract::<i32>());
        if errno.is_ok_and(|errno| errno == rustix::io::Errno::INVAL.raw_os_error()) {
            return PyRuntimeError::new_err(format!("sig {number} cannot be caught"));
        }
        error
    })
}

fn unset_wakeup(py: Python<'_>) -> PyResult<()> {
    let outcome = imports::signal(py)?.call_method1("set_wakeup_fd", (-1,));
    if let Err(error) = outcome {
        let message = "set_wakeup_fd(-1) failed: %s";
        imports::logger(py)?.call_method1("info", (message, errors::exception(py, &error)))?;
    }
    Ok(())
}
