//! Callbacks: soon, later, and from other threads.

use std::thread;
use std::time::Duration;

use groundup::clock::Timestamp;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyTuple};

use super::{EventLoop, Ready};
use crate::call::Call;
use crate::handle::Handle;
use crate::thread_exit::Stay;
use crate::thread_safe_handle::ThreadSafeHandle;
use crate::timer_handle::TimerHandle;
use crate::{ffi, imports, tasks};

/// A thread that has sent so many callbacks, of which the loop has taken none, lets the loop go on: what
/// is called soon is still at hand then, and less waits at once.
const FAR_AHEAD: usize = 4096;

impl EventLoop {
    /// The loop's time in seconds.
    pub fn seconds(&self, py: Python<'_>) -> f64 {
        self.core(py).time().0 as f64 / 1e9
    }

    fn check_scheduling(&self, callback: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
        let py = callback.py();
        self.check_open(py)?;
        if self.is_debug(py) {
            self.check_thread(py)?;
            check_callback(callback, method)?;
        }
        Ok(())
    }

    /// Says that the loop runs on another thread, if it does.
    pub fn check_thread(&self, py: Python<'_>) -> PyResult<()> {
        if self.parts(py).running.runs_elsewhere() {
            return Err(PyRuntimeError::new_err(
                "Non-thread-safe operation invoked on an event loop other than the current one",
            ));
        }
        Ok(())
    }

    /// What `call_soon` does.
    pub fn schedule<'py>(
        event_loop: &Bound<'py, Self>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Handle>> {
        let py = event_loop.py();
        let (call, own_context) = match tasks::wakeup_of(py, &call)? {
            Some((wakeup, context)) => {
                call.let_go(py);
                (wakeup, Some(context))
            }
            None => (call, None),
        };
        event_loop.get().check_scheduling(call.callback().bind(py), "call_soon")?;
        let context = own_context.as_ref().or(context);
        let handle = Handle::new_ready::<Handle>(event_loop, call, context)?;
        event_loop.get().core(py).wake(Ready::Handle(handle.clone().unbind()));
        Ok(handle)
    }

    /// What `call_soon_threadsafe` does.
    pub fn schedule_from_any_thread<'py>(
        event_loop: &Bound<'py, Self>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Handle>> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        // Debugging runs Python code.
        let _stay = this.is_debug(py).then(Stay::new);
        if this.is_debug(py) {
            check_callback(call.callback().bind(py), "call_soon_threadsafe")?;
        }
        let (handle, ready) = if ThreadSafeHandle::ARE_KNOWN {
            let handle = Handle::new_ready::<ThreadSafeHandle>(event_loop, call, context)?;
            (handle.as_super().clone(), Ready::ThreadSafe(handle.unbind()))
        } else {
            let handle = Handle::new_ready::<Handle>(event_loop, call, context)?;
            (handle.clone(), Ready::Handle(handle.unbind()))
        };
        if this.parts(py).running.runs_elsewhere() {
            let count = this.core(py).inbox().push(ready);
            if count.is_multiple_of(FAR_AHEAD) {
                let_others_go_on(py);
            }
        } else {
            this.core(py).wake(ready);
        }
        Ok(handle)
    }

    /// What `call_later` does.
    pub fn schedule_after<'py>(
        event_loop: &Bound<'py, Self>,
        delay: &Bound<'_, PyAny>,
        call: Call,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (event_loop.py(), event_loop.get());
        if delay.is_none() {
            return Err(PyTypeError::new_err("delay must not be None"));
        }
        let when = Self::time_of(event_loop)? + number(delay, "delay")?;
        this.check_scheduling(call.callback().bind(py), "call_later")?;
        if this.parts(py).replaced.call_at.get() {
            return Self::call_at_elsewhere(event_loop, when, &call, context);
        }
        Self::set_timer(event_loop, when, call, context).map(Bound::into_any)
    }

    /// What `call_at` does.
    pub fn schedule_at<'py>(
        event_loop: &Bound<'py, Self>,
        when: &Bound<'_, PyAny>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, TimerHandle>> {
        let py = event_loop.py();
        if when.is_none() {
            return Err(PyTypeError::new_err("when cannot be None"));
        }
        let seconds = number(when, "when")?;
        event_loop.get().check_scheduling(call.callback().bind(py), "call_at")?;
        let timer = Self::set_timer(event_loop, seconds, call, context)?;
        if when.is_instance_of::<PyInt>() {
            timer.get().tell_int(py);
        }
        Ok(timer)
    }

    fn set_timer<'py>(
        event_loop: &Bound<'py, Self>,
        when: f64,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, TimerHandle>> {
        let py = event_loop.py();
        let timer = TimerHandle::new(event_loop, when, call, context)?;
        let ready = Ready::Handle(timer.as_super().clone().unbind());
        let key = event_loop.get().core(py).wake_at(timestamp(when), ready);
        timer.get().set_key(py, key);
        Ok(timer)
    }

    /// Calls something without arguments after a time.
    pub fn call_after(
        event_loop: &Bound<'_, Self>,
        delay: Duration,
        callback: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let when = Self::time_of(event_loop)? + delay.as_secs_f64();
        let call = Call::new(callback, PyTuple::empty(event_loop.py()));
        Self::set_timer(event_loop, when, call, None).map(drop)
    }

    /// Calls a `call_at` that somebody has put in place of the loop's.
    fn call_at_elsewhere<'py>(
        event_loop: &Bound<'py, Self>,
        when: f64,
        call: &Call,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let callback = call.callback().bind(py).clone();
        let mut arguments = vec![when.into_pyobject(py)?.into_any(), callback];
        arguments.extend(call.args(py)?.iter());
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "context"), context)?;
        let arguments = PyTuple::new(py, arguments)?;
        event_loop.call_method(intern!(py, "call_at"), arguments, Some(&keywords))
    }
}

#[pymethods]
impl EventLoop {
    /// Return the loop's time: seconds, as a float, of the monotonic clock.
    fn time(&self, py: Python<'_>) -> f64 {
        self.seconds(py)
    }

    /// Call a callback with arguments in the loop's next turn; callbacks keep their order.
    ///
    /// Return an asyncio.Handle that can cancel it. Raise RuntimeError on a closed loop.
    #[pyo3(signature = (callback, *args, context=None))]
    fn call_soon(
        slf: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Handle>> {
        Self::schedule(slf, Call::new(callback, args), context).map(Bound::unbind)
    }

    /// Like call_soon(), but may be called from any thread, and ends the loop's sleep.
    #[pyo3(signature = (callback, *args, context=None))]
    fn call_soon_threadsafe(
        slf: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Handle>> {
        Self::schedule_from_any_thread(slf, Call::new(callback, args), context).map(Bound::unbind)
    }

    /// Call a callback with arguments after a delay in seconds.
    ///
    /// Return an asyncio.TimerHandle that can cancel it. A delay that is not positive means the
    /// next turn. Raise TypeError if the delay is no number, ValueError if it is NaN.
    #[pyo3(signature = (delay, callback, *args, context=None))]
    fn call_later<'py>(
        slf: &Bound<'py, Self>,
        delay: &Bound<'_, PyAny>,
        callback: Bound<'py, PyAny>,
        args: Bound<'py, PyTuple>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::schedule_after(slf, delay, Call::new(callback, args), context)
    }

    /// Call a callback with arguments at a time of the loop's clock, in seconds.
    ///
    /// Return an asyncio.TimerHandle that can cancel it. Raise TypeError if the time is no number,
    /// ValueError if it is NaN.
    #[pyo3(signature = (when, callback, *args, context=None))]
    fn call_at<'py>(
        slf: &Bound<'py, Self>,
        when: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, TimerHandle>> {
        Self::schedule_at(slf, when, Call::new(callback, args), context)
    }
}

/// Lets other threads have the interpreter lock, if there are any that wait for it.
#[cold]
fn let_others_go_on(py: Python<'_>) {
    let _stay = Stay::new();
    py.detach(thread::yield_now);
}

/// Checks, in debug mode, what is to be called.
///
/// # Errors
///
/// `TypeError` when it is a coroutine, a coroutine function, or cannot be called.
pub fn check_callback(callback: &Bound<'_, PyAny>, method: &str) -> PyResult<()> {
    let py = callback.py();
    if imports::iscoroutine(py)?.call1((callback,))?.is_truthy()?
        || imports::iscoroutinefunction(py)?.call1((callback,))?.is_truthy()?
    {
        let message = format!("coroutines cannot be used with {method}()");
        return Err(PyTypeError::new_err(message));
    }
    if !callback.is_callable() {
        let repr = callback.repr()?;
        let message = format!("a callable object was expected by {method}(), got {repr}");
        return Err(PyTypeError::new_err(message));
    }
    Ok(())
}

/// A time in seconds that can be compared with others.
fn number(value: &Bound<'_, PyAny>, name: &str) -> PyResult<f64> {
    if let Ok(float) = value.cast_exact::<PyFloat>()
        && !float.value().is_nan()
    {
        return Ok(float.value());
    }
    if let Ok(int) = value.cast_exact::<PyInt>() {
        return ffi::int_as_float(int);
    }
    let is_number = value.hasattr(intern!(value.py(), "__float__"))?
        || value.hasattr(intern!(value.py(), "__index__"))?;
    if !is_number {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("{name} must be a number, not {kind}")));
    }
    let seconds: f64 = value.extract()?;
    if seconds.is_nan() {
        return Err(PyValueError::new_err(format!("Invalid {name}: NaN (not a number)")));
    }
    Ok(seconds)
}

/// The clock's time that is nearest to seconds, so that what it said comes back; out of its range it is the
/// range's end.
pub fn timestamp(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1e9).round() as i64)
}
