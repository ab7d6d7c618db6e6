//! A task's step: its coroutine is resumed, until it waits, returns or raises.

use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;

use super::classes::{Future, Task};
use super::future::invalid_state;
use super::layout::{PENDING, peek, put, take};
use super::waiting;
use crate::errors::RunError;
use crate::event_loop::EventLoop;
use crate::ffi::{self, Sent};
use crate::{errors, imports};

/// Why a task goes on.
#[derive(Debug)]
pub enum Awakening<'py> {
    /// It begins, or has let others go first.
    Step,
    /// What it waits for is done.
    Waited,
    /// It has waited for what cannot be waited for, and is told so.
    Throw(Bound<'py, PyBaseException>),
}

impl Task {
    /// Goes on with a task, in its context.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; `RuntimeError` when another task is being resumed.
    #[inline(always)]
    pub fn resume<'py>(
        task: &Bound<'py, Self>,
        event_loop: &Bound<'py, EventLoop>,
        awakening: Awakening<'py>,
    ) -> Result<(), RunError> {
        Self::run_in_context(task, || match awakening {
            Awakening::Step => Self::step(task, event_loop, None),
            Awakening::Throw(exception) => Self::step(task, event_loop, Some(exception)),
            Awakening::Waited => match peek(task.py(), &Self::fields(task).waiter) {
                Some(future) => Self::wake(task, event_loop, &future),
                None => Self::step(task, event_loop, None),
            },
        })
    }

    /// Takes the next step of a task that has waited for a future, which is done.
    ///
    /// # Errors
    ///
    /// Those of [`Task::resume`].
    #[inline(always)]
    pub fn wake(
        task: &Bound<'_, Self>,
        event_loop: &Bound<'_, EventLoop>,
        future: &Bound<'_, PyAny>,
    ) -> Result<(), RunError> {
        waiting::end(task, future)?;
        let failure = match Future::of(future) {
            Some(own) if Future::has_result(own) => None,
            Some(own) if !Future::is_pending(own) => Future::failure(own)?,
            _ => result_of(future),
        };
        Self::step(task, event_loop, failure)
    }

    /// Takes the next step; with an exception, that is raised where the coroutine stopped.
    ///
    /// # Errors
    ///
    /// Those of [`Task::resume`].
    #[inline(always)]
    pub fn step<'py>(
        task: &Bound<'py, Self>,
        event_loop: &Bound<'py, EventLoop>,
        exception: Option<Bound<'py, PyBaseException>>,
    ) -> Result<(), RunError> {
        let current = event_loop.get().current_task(event_loop.py());
        let entered = current.enter(event_loop, task)?;
        let outcome = Self::advance(task, event_loop, exception);
        entered.leave(current);
        outcome
    }

    /// Resumes the coroutine, whoever is current, and sees what comes of it.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`.
    #[inline]
    pub fn advance<'py>(
        task: &Bound<'py, Self>,
        event_loop: &Bound<'py, EventLoop>,
        exception: Option<Bound<'py, PyBaseException>>,
    ) -> Result<(), RunError> {
        let (py, fields) = (task.py(), Self::fields(task));
        if fields.future.state.get() != PENDING {
            return Err(Self::already_done(task, exception).into());
        }
        let exception = if fields.must_cancel() {
            Some(Self::cancellation(task, exception)?)
        } else {
            exception
        };
        drop(take(py, &fields.waiter));
        let Some(coroutine) = peek(py, &fields.coroutine) else {
            return Err(uninitialised().into());
        };
        let sent = match exception {
            None => ffi::send(&coroutine, py.None().bind(py)),
            Some(exception) => throw(&coroutine, exception),
        };
        match sent {
            Ok(Sent::Yielded(yielded)) => waiting::begin(task, event_loop, yielded)?,
            Ok(Sent::Returned(_)) if fields.must_cancel() => {
                // It was cancelled just before it returned.
                fields.set_must_cancel(false);
                let message = peek(py, &fields.future.cancel_message);
                Future::cancel(Self::as_future(task), message)?;
            }
            Ok(Sent::Returned(value)) => Future::set_result(Self::as_future(task), value)?,
            Err(error) => Self::fail(task, error)?,
        }
        Ok(())
    }

    fn already_done(
        task: &Bound<'_, Self>,
        exception: Option<Bound<'_, PyBaseException>>,
    ) -> PyErr {
        let py = task.py();
        let exception =
            exception.map_or(Ok(String::new()), |error| error.repr().map(|repr| repr.to_string()));
        match (task.as_any().repr(), exception) {
            (Ok(task), Ok(exception)) => {
                invalid_state(py, &format!("__step(): already done: {task} {exception}"))
            }
            (Err(error), _) | (_, Err(error)) => error,
        }
    }

    /// The `CancelledError` that a task is to hear of: one that is on its way, or a new one.
    fn cancellation<'py>(
        task: &Bound<'py, Self>,
        exception: Option<Bound<'py, PyBaseException>>,
    ) -> PyResult<Bound<'py, PyBaseException>> {
        let py = task.py();
        let cancelled_error = imports::cancelled_error(py)?;
        let error = match exception {
            Some(error) if error.is_instance(cancelled_error)? => error,
            _ => Future::cancellation(Self::as_future(task))?,
        };
        Self::fields(task).set_must_cancel(false);
        Ok(error)
    }

    /// The loop of a task that has been begun.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when it was not.
    pub fn event_loop<'py>(task: &Bound<'py, Self>) -> PyResult<Bound<'py, EventLoop>> {
        let event_loop = peek(task.py(), &Self::fields(task).future.event_loop);
        event_loop.and_then(|it| it.cast_into().ok()).ok_or_else(uninitialised)
    }

    /// Ends a task with what its coroutine has raised.
    fn fail(task: &Bound<'_, Self>, error: PyErr) -> PyResult<()> {
        let py = task.py();
        if error.matches(py, imports::cancelled_error(py)?)? {
            let error = error.into_value(py).into_any();
            put(py, &Self::fields(task).future.cancelled_error, Some(error.into_bound(py)));
            return Future::cancel(Self::as_future(task), None).map(drop);
        }
        let exception = errors::exception(py, &error).into_any();
        Future::set_exception(Self::as_future(task), exception)?;
        if errors::ends_run(py, &error) { Err(error) } else { Ok(()) }
    }
}

/// What a future's method raises that is no future of this module, or not done.
#[cold]
fn result_of<'py>(future: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBaseException>> {
    let py = future.py();
    let error = future.call_method0(intern!(py, "result")).err();
    error.map(|error| error.into_value(py).into_bound(py))
}

fn throw<'py>(
    coroutine: &Bound<'py, PyAny>,
    exception: Bound<'py, PyBaseException>,
) -> PyResult<Sent<'py>> {
    let py = coroutine.py();
    let thrown = coroutine.call_method1(intern!(py, "throw"), (exception,));
    match thrown {
        Ok(yielded) => Ok(Sent::Yielded(yielded)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
            error.value(py).getattr(intern!(py, "value")).map(Sent::Returned)
        }
        Err(error) => Err(error),
    }
}

fn uninitialised() -> PyErr {
    PyRuntimeError::new_err("uninitialized Task object")
}
