//! Futures: making one, giving it its outcome, and waking who waits for it.

use pyo3::exceptions::{PyBaseException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::callbacks::Callbacks;
use super::classes::{Future, Task, bases};
use super::layout::{CANCELLED, FINISHED, PENDING, is_set, peek, put, take};
use crate::event_loop::EventLoop;
use crate::{ffi, imports};

impl Future {
    /// A new future of a loop; `None` when there is no class for it.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline]
    pub fn new<'py>(event_loop: &Bound<'py, EventLoop>) -> PyResult<Option<Bound<'py, Self>>> {
        let Some(future) = Self::allocate(event_loop.py())? else { return Ok(None) };
        Self::fields(&future).event_loop.set(Some(event_loop.clone().into_any().unbind()));
        Ok(Some(future))
    }

    /// Whether it has neither a result nor an exception, and was not cancelled.
    pub fn is_pending(future: &Bound<'_, Self>) -> bool {
        Self::fields(future).state.get() == PENDING
    }

    /// Whether it can be given its result without any code of Python's: it has none yet, and its loop
    /// takes who waits for it as they are.
    #[inline]
    pub fn takes_result(future: &Bound<'_, Self>) -> bool {
        let event_loop = peek(future.py(), &Self::fields(future).event_loop);
        Self::is_pending(future) && event_loop.as_ref().and_then(EventLoop::schedules).is_some()
    }

    /// The task that waits for it, if it was the first to do so.
    pub fn waiting_task<'py>(future: &Bound<'py, Self>) -> Option<Bound<'py, Task>> {
        let callback = peek(future.py(), &Self::fields(future).callback)?;
        Task::of(&callback).cloned()
    }

    /// Whether it has a result.
    pub fn has_result(future: &Bound<'_, Self>) -> bool {
        let fields = Self::fields(future);
        fields.state.get() == FINISHED && !is_set(&fields.exception)
    }

    /// Gives it its result, and tells who waits for it.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` when it is done already; what scheduling a callback raises.
    pub fn set_result(future: &Bound<'_, Self>, value: Bound<'_, PyAny>) -> PyResult<()> {
        let fields = Self::fields(future);
        if !is_set(&fields.event_loop) {
            return Err(not_initialized());
        }
        if fields.state.get() != PENDING {
            return Err(invalid_state(future.py(), "invalid state"));
        }
        fields.result.set(Some(value.unbind()));
        fields.state.set(FINISHED);
        Self::tell(future, Callbacks::take(future.py(), fields))
    }

    /// Gives it an exception, and tells who waits for it.
    ///
    /// # Errors
    ///
    /// `InvalidStateError` when it is done already; `TypeError` when that is no exception a future can
    /// have.
    pub fn set_exception(future: &Bound<'_, Self>, exception: Bound<'_, PyAny>) -> PyResult<()> {
        let exception = match exception.cast::<PyType>() {
            Ok(class) if Self::is_pending(future) && is_exception_class(class) => class.call0()?,
            _ => exception,
        };
        let fields = Self::fields(future);
        let callbacks = Callbacks::take(future.py(), fields);
        // The base knows what each version takes for an exception.
        let set = bases(future.py()).set_exception.bind(future.py());
        let outcome = set.call1((future.as_any(), exception));
        if fields.state.get() == PENDING || outcome.is_err() {
            callbacks.put_back(fields);
            return outcome.map(drop);
        }
        Self::tell(future, callbacks)
    }

    /// Its result.
    ///
    /// # Errors
    ///
    /// Its exception; `CancelledError` when it was cancelled, `InvalidStateError` when it is not done.
    pub fn result<'py>(future: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, fields) = (future.py(), Self::fields(future));
        if !Self::has_result(future) {
            return bases(py).result.bind(py).call1((future.as_any(),));
        }
        fields.set_logs_traceback(false);
        Ok(peek(py, &fields.result).unwrap_or_else(|| py.None().into_bound(py)))
    }

    /// Its exception, or None if it has a result.
    ///
    /// # Errors
    ///
    /// `CancelledError` when it was cancelled, `InvalidStateError` when it is not done.
    pub fn exception<'py>(future: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, fields) = (future.py(), Self::fields(future));
        if fields.state.get() != FINISHED || !is_set(&fields.event_loop) {
            return bases(py).exception.bind(py).call1((future.as_any(),));
        }
        fields.set_logs_traceback(false);
        Ok(peek(py, &fields.exception).unwrap_or_else(|| py.None().into_bound(py)))
    }

    /// Its loop.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when it has none yet.
    pub fn event_loop<'py>(future: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        peek(future.py(), &Self::fields(future).event_loop).ok_or_else(not_initialized)
    }

    /// Cancels it, and tells who waits for it; says whether it was still to be cancelled.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when it has no loop yet; what scheduling a callback raises.
    pub fn cancel<'py>(
        future: &Bound<'py, Self>,
        message: Option<Bound<'py, PyAny>>,
    ) -> PyResult<bool> {
        let fields = Self::fields(future);
        if !is_set(&fields.event_loop) {
            return Err(not_initialized());
        }
        fields.set_logs_traceback(false);
        if fields.state.get() != PENDING {
            return Ok(false);
        }
        fields.state.set(CANCELLED);
        put(future.py(), &fields.cancel_message, message);
        Self::tell(future, Callbacks::take(future.py(), fields))?;
        Ok(true)
    }

    /// What is raised where one waits for it; `None` if it has a result.
    ///
    /// # Errors
    ///
    /// What making the `CancelledError` raises.
    pub fn failure<'py>(
        future: &Bound<'py, Self>,
    ) -> PyResult<Option<Bound<'py, PyBaseException>>> {
        let (py, fields) = (future.py(), Self::fields(future));
        if fields.state.get() == CANCELLED {
            let error = Self::cancellation(future)?;
            ffi::set_handled_context(&error);
            return Ok(Some(error));
        }
        let Some(exception) = peek(py, &fields.exception) else { return Ok(None) };
        let exception = exception.cast_into::<PyBaseException>()?;
        fields.set_logs_traceback(false);
        ffi::set_traceback(&exception, take(py, &fields.exception_traceback));
        Ok(Some(exception))
    }

    /// The `CancelledError` that it was, or is, cancelled with: the one that a task ended with, or a new one.
    ///
    /// # Errors
    ///
    /// What making one raises.
    pub fn cancellation<'py>(future: &Bound<'py, Self>) -> PyResult<Bound<'py, PyBaseException>> {
        let (py, fields) = (future.py(), Self::fields(future));
        if let Some(error) = take(py, &fields.cancelled_error) {
            return Ok(error.cast_into()?);
        }
        let class = imports::cancelled_error(py)?;
        let error = match peek(py, &fields.cancel_message).filter(|message| !message.is_none()) {
            Some(message) => class.call1((message,))?,
            None => class.call0()?,
        };
        Ok(error.cast_into()?)
    }
}

fn not_initialized() -> PyErr {
    PyRuntimeError::new_err("Future object is not initialized.")
}

fn is_exception_class(class: &Bound<'_, PyType>) -> bool {
    class.is_subclass_of::<PyBaseException>().unwrap_or(false)
}

/// `asyncio.InvalidStateError`.
pub fn invalid_state(py: Python<'_>, message: &str) -> PyErr {
    match imports::invalid_state_error(py).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
