//! Running a handle's call: in its context, with what it raises reported.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::call::Call;
use crate::contexts::{self, CallContext};
use crate::event_loop::EventLoop;
use crate::handle::{Handle, format_callback};
use crate::tasks::{self, Future, Task};
use crate::{errors, ffi, imports, spare_handles};

impl Handle {
    /// Calls the callback for the last time.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; other exceptions go to the loop's exception handler.
    #[inline]
    pub fn run_once(handle: Bound<'_, Self>) -> PyResult<()> {
        let py = handle.py();
        if ffi::is_unseen(&handle) && handle.get().is_plain(py) {
            return Self::run_unseen(handle);
        }
        if handle.get().end_sleep(py)? {
            return Ok(());
        }
        let outcome = Self::run(&handle);
        handle.get().forget_call(py);
        // Whoever has it may keep it where only the collector finds it.
        ffi::track(&handle);
        outcome
    }

    /// The same for a handle that nobody else has.
    #[inline]
    fn run_unseen(handle: Bound<'_, Self>) -> PyResult<()> {
        let py = handle.py();
        match handle.get().make_unseen_call(py) {
            Ok(()) => {
                spare_handles::put(handle);
                Ok(())
            }
            Err(error) => Self::end_in_error(&handle, error),
        }
    }

    /// Ends a sleep, if the call is asyncio.sleep's. Its handle has only the sleep to serve, and holds nothing from
    /// then on, so that the collector need not know it.
    ///
    /// # Errors
    ///
    /// What scheduling a callback raises.
    #[inline]
    fn end_sleep(&self, py: Python<'_>) -> PyResult<bool> {
        let settled = match &*self.lend_call(py) {
            Some(call) if self.is_plain(py) => settled_by_sleep(py, call),
            _ => None,
        };
        let Some((future, result)) = settled else { return Ok(false) };
        let outcome = Future::set_result(&future, result);
        self.clear(py);
        outcome.map(|()| true)
    }

    #[cold]
    fn end_in_error(handle: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let py = handle.py();
        let Some(call) = handle.get().call(py) else { return Err(error) };
        let outcome = Self::settle(handle, &call, Err(error));
        handle.get().forget_call(py);
        ffi::track(handle);
        outcome
    }

    /// Calls the callback, which may be called again.
    ///
    /// # Errors
    ///
    /// As [`Handle::run_once`].
    pub fn run(handle: &Bound<'_, Self>) -> PyResult<()> {
        let py = handle.py();
        let (call, event_loop) = (handle.get().call(py), handle.get().event_loop(py));
        let (Some(call), Some(event_loop)) = (call, event_loop) else { return Ok(()) };
        let invoke = || Self::invoke(handle, &event_loop, &call);
        if event_loop.get().is_debug(py) {
            EventLoop::leave_task(&event_loop);
            return event_loop.get().run_watched(handle, &call, invoke);
        }
        invoke()
    }

    fn invoke(
        handle: &Bound<'_, Self>,
        event_loop: &Bound<'_, EventLoop>,
        call: &Call,
    ) -> PyResult<()> {
        let py = handle.py();
        let outcome = match handle.get().call_context(py)? {
            mut made @ CallContext::Made(_) => call.make_in(event_loop, &mut made).map(drop),
            CallContext::Variables(variables) => {
                contexts::run_lent(handle.get(), variables.into_bound(py), |context| {
                    let context = context.clone().into_any().unbind();
                    call.make_in(event_loop, &mut CallContext::Made(context)).map(drop)
                })
            }
        };
        Self::settle(handle, call, outcome)
    }

    fn settle(handle: &Bound<'_, Self>, call: &Call, outcome: PyResult<()>) -> PyResult<()> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if errors::ends_run(handle.py(), &error) => Err(error),
            Err(error) => Self::report(handle, call, &error),
        }
    }

    /// Hands what a handle's call has raised to the loop's exception handler.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` that the handler raises.
    pub fn report(handle: &Bound<'_, Self>, call: &Call, error: &PyErr) -> PyResult<()> {
        let py = handle.py();
        let Some(event_loop) = handle.get().event_loop(py) else { return Ok(()) };
        EventLoop::leave_task(&event_loop);
        let context = PyDict::new(py);
        let source = format_callback(&event_loop, call)?;
        context.set_item("message", format!("Exception in callback {source}"))?;
        context.set_item("exception", errors::exception(py, error))?;
        context.set_item("handle", handle)?;
        if let Some(traceback) = handle.get().source_traceback(py) {
            context.set_item("source_traceback", traceback)?;
        }
        EventLoop::report(&event_loop, &context)
    }
}

impl Call {
    /// Makes the call in a context.
    ///
    /// # Errors
    ///
    /// What it raises; `MemoryError`.
    #[inline]
    pub fn make_in<'py>(
        &self,
        event_loop: &Bound<'py, EventLoop>,
        context: &mut CallContext,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = event_loop.py();
        if let Some((future, result)) = settled_by(py, self) {
            // No code of Python's runs: nobody asks for the context, or for the current task.
            return Future::set_result(&future, result).map(|()| py.None().into_bound(py));
        }
        EventLoop::leave_task(event_loop);
        if let Some(context) = context.foreign(py) {
            return make_by_method(context, self);
        }
        context.run_unseen(py, || self.make(py))
    }
}

/// A future, and its result.
type Settled<'py> = (Bound<'py, Future>, Bound<'py, PyAny>);

/// The future and the result, if all that a call does is to give the one to the other: asyncio.sleep's,
/// and those of a future's own method.
#[inline]
fn settled_by<'py>(py: Python<'py>, call: &Call) -> Option<Settled<'py>> {
    if call.two_arguments().is_some() {
        return settled_by_sleep(py, call);
    }
    let future = tasks::future_set_by(call.callback().bind(py))?;
    settle(&future, call.only_argument()?)
}

/// The same of asyncio.sleep's call.
#[inline]
fn settled_by_sleep<'py>(py: Python<'py>, call: &Call) -> Option<Settled<'py>> {
    let (future, result) = call.two_arguments()?;
    let is_sleep = call.callback().is(imports::set_result_unless_cancelled(py).ok()?);
    is_sleep.then(|| settle(future.bind(py), result))?
}

/// A future that is given a result without any code of Python's.
#[inline]
fn settle<'py>(future: &Bound<'py, PyAny>, result: &Py<PyAny>) -> Option<Settled<'py>> {
    // Tasks refuse to be given a result.
    let own = Future::of(future).filter(|_| Task::of(future).is_none())?;
    Future::takes_result(own).then(|| (own.clone(), result.bind(future.py()).clone()))
}

#[cold]
fn make_by_method<'py>(context: &Bound<'py, PyAny>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py();
    let mut arguments = vec![call.callback().bind(py).clone()];
    arguments.extend(call.args(py)?.iter());
    context.call_method1(intern!(py, "run"), PyTuple::new(py, arguments)?)
}
