//! Signals, handled between callbacks: the interpreter's C handler writes a signal's number into a
//! socket, whose other end the loop reads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;

use groundup::poller::Readiness;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyTuple};
use rustix::net::RecvFlags;

use super::{EventLoop, Ready, Source};
use crate::handle::{Call, Handle};
use crate::{errors, imports};

/// The callbacks of add_signal_handler, and the pair of sockets that signals go through.
#[derive(Default)]
pub struct Signals {
    handlers: RefCell<BTreeMap<i32, Py<Handle>>>,
    wakeup: RefCell<Option<Wakeup>>,
}

struct Wakeup {
    reader: UnixStream,
    writer: UnixStream,
}

impl Signals {
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(handlers) = self.handlers.try_borrow() else { return Ok(()) };
        handlers.values().try_for_each(|handle| visit.call(handle))
    }

    pub fn clear(&self) {
        drop(self.handlers.take());
    }
}

/// Wakes what handles the signals that have come.
pub fn dispatch(event_loop: &Bound<'_, EventLoop>) {
    let (py, this) = (event_loop.py(), event_loop.get());
    let signals = &this.parts(py).signals;
    let mut numbers = [0; 256];
    let length = match &*signals.wakeup.borrow() {
        Some(wakeup) => rustix::net::recv(&wakeup.reader, &mut numbers, RecvFlags::DONTWAIT),
        None => return,
    };
    for number in &numbers[..length.map_or(0, |(length, _)| length)] {
        if let Some(handle) = signals.handlers.borrow().get(&i32::from(*number)) {
            this.core(py).wake(Ready::Signal(handle.clone_ref(py)));
        }
    }
}

impl EventLoop {
    /// The socket that the interpreter writes signals to; made when it is first needed.
    fn wakeup_descriptor(&self, py: Python<'_>) -> PyResult<i32> {
        let mut wakeup = self.parts(py).signals.wakeup.borrow_mut();
        if wakeup.is_none() {
            let pair = UnixStream::pair().and_then(|(reader, writer)| {
                reader.set_nonblocking(true)?;
                writer.set_nonblocking(true)?;
                self.core(py).watch(reader.as_fd(), Source::Signals, Readiness::READABLE)?;
                Ok(Wakeup { reader, writer })
            });
            *wakeup = Some(pair.map_err(|error| errors::os_error(&error))?);
        }
        Ok(wakeup.as_ref().map_or(-1, |wakeup| wakeup.writer.as_raw_fd()))
    }

    fn remove_handler(&self, py: Python<'_>, number: i32) -> PyResult<bool> {
        let signals = &self.parts(py).signals;
        // Its destructor may call back, so the table must not be borrowed any more.
        let removed = signals.handlers.borrow_mut().remove(&number);
        if removed.is_none() {
            return Ok(false);
        }
        let module = py.import("signal")?;
        let is_interrupt = module.getattr("SIGINT")?.eq(number)?;
        let default = if is_interrupt { "default_int_handler" } else { "SIG_DFL" };
        install(py, number, &module.getattr(default)?)?;
        if signals.handlers.borrow().is_empty() {
            unset_wakeup(py)?;
        }
        Ok(true)
    }

    /// Sets all signals back to their defaults, when the loop is closed.
    pub fn remove_all_signal_handlers(&self, py: Python<'_>) -> PyResult<()> {
        let _wakeup = self.parts(py).signals.wakeup.take();
        let numbers: Vec<i32> = {
            let handlers = self.parts(py).signals.handlers.borrow();
            handlers.keys().copied().collect()
        };
        numbers.into_iter().try_for_each(|number| self.remove_handler(py, number).map(drop))
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
        let module = py.import("signal")?;
        module.call_method1("set_wakeup_fd", (wakeup,)).map_err(|error| {
            // Only the main thread may set it.
            let known =
                error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyOSError>(py);
            if known { PyRuntimeError::new_err(error.value(py).to_string()) } else { error }
        })?;
        let handle = Handle::new(slf, Call::new(callback, args), None)?.unbind();
        let handlers = &this.parts(py).signals.handlers;
        let _previous = handlers.borrow_mut().insert(number, handle);
        if let Err(error) = catch(py, number, &slf.getattr("_ignore_signal")?) {
            let _refused = handlers.borrow_mut().remove(&number);
            if handlers.borrow().is_empty() {
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

    /// What Python itself calls for a signal that the loop handles: nothing.
    #[staticmethod]
    #[pyo3(signature = (*_args))]
    fn _ignore_signal(_args: &Bound<'_, PyTuple>) {}
}

fn signal_number(sig: &Bound<'_, PyAny>) -> PyResult<i32> {
    if !sig.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("sig must be an int, not {}", sig.repr()?)));
    }
    let valid = sig.py().import("signal")?.call_method0("valid_signals")?;
    if !valid.contains(sig)? {
        return Err(PyValueError::new_err(format!("invalid signal number {}", sig.str()?)));
    }
    sig.extract()
}

/// Has the interpreter catch a signal, and system calls go on after it where they can.
fn catch(py: Python<'_>, number: i32, handler: &Bound<'_, PyAny>) -> PyResult<()> {
    install(py, number, handler)?;
    py.import("signal")?.call_method1("siginterrupt", (number, false)).map(drop)
}

fn install(py: Python<'_>, number: i32, handler: &Bound<'_, PyAny>) -> PyResult<()> {
    let outcome = py.import("signal")?.call_method1("signal", (number, handler));
    outcome.map(drop).map_err(|error| {
        let errno = error.value(py).getattr("errno").and_then(|errno| errno.extract::<i32>());
        if errno.is_ok_and(|errno| errno == rustix::io::Errno::INVAL.raw_os_error()) {
            return PyRuntimeError::new_err(format!("sig {number} cannot be caught"));
        }
        error
    })
}

fn unset_wakeup(py: Python<'_>) -> PyResult<()> {
    let outcome = py.import("signal")?.call_method1("set_wakeup_fd", (-1,));
    if let Err(error) = outcome {
        let message = "set_wakeup_fd(-1) failed: %s";
        imports::logger(py)?.call_method1("info", (message, error.value(py)))?;
    }
    Ok(())
}
