//! Futures: making one, giving it its outcome, and waking who waits for it.

use pyo3::exceptions::{PyBaseException, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyType};

use super::callables::Wakeup;
use super::classes::{Future, Task, bases};
use super::layout::{CANCELLED, FINISHED, FutureObject, PENDING, is_set, peek, put, take};
use crate::contexts::CallContext;
use crate::event_loop::EventLoop;
use crate::{ffi, imports};

/// Who is to be told that a future is done, taken out of it.
struct Callbacks<'py> {
    first: Option<Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyAny>>,
    others: Option<Bound<'py, PyAny>>,
}

impl<'py> Callbacks<'py> {
    #[inline]
    fn take(py: Python<'py>, fields: &FutureObject) -> Self {
        Self {
            first: take(py, &fields.callback),
            context: take(py, &fields.context),
            others: take(py, &fields.callbacks),
        }
    }

    fn put_back(self, fields: &FutureObject) {
        fields.callback.set(self.first.map(Bound::unbind));
        fields.context.set(self.context.map(Bound::unbind));
        fields.callbacks.set(self.others.map(Bound::unbind));
    }
}

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

    /// Has a callback called when it is done, or soon if it is; in a copy of the current context, unless
    /// one is given.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when it has no loop yet; what scheduling a callback raises.
    pub fn add_done_callback<'py>(
        future: &Bound<'py, Self>,
        callback: Bound<'py, PyAny>,
        context: Option<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let (py, fields) = (future.py(), Self::fields(future));
        let event_loop = Self::event_loop(future)?;
        if fields.state.get() != PENDING {
            return call_soon(&event_loop, callback, future, context);
        }
        let is_first = !is_set(&fields.callback) && !is_set(&fields.callbacks);
        if !is_first || EventLoop::schedules(&event_loop).is_none() {
            let keywords = PyDict::new(py);
            if let Some(context) = context {
                keywords.set_item(intern!(py, "context"), context)?;
            }
            let add = bases(py).add_done_callback.bind(py);
            return add.call((future.as_any(), callback), Some(&keywords)).map(drop);
        }
        let context = match context {
            Some(context) => context,
            None => CallContext::current(py)?.into_object(py),
        };
        fields.context.set(Some(context.unbind()));
        fields.callback.set(Some(callback.unbind()));
        Ok(())
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

    /// Schedules the callbacks of a future that is done, in their order.
    fn tell(future: &Bound<'_, Self>, callbacks: Callbacks<'_>) -> PyResult<()> {
        let py = future.py();
        let Some(event_loop) = peek(py, &Self::fields(future).event_loop) else { return Ok(()) };
        #[cfg(Py_3_14)]
        super::registry::leave(future)?;
        if let Some(first) = callbacks.first {
            call_soon(&event_loop, first, future, callbacks.context)?;
        }
        let Some(others) = callbacks.others else { return Ok(()) };
        for callback in others.cast::<PyList>()? {
            let (callback, context): (Bound<'_, PyAny>, Bound<'_, PyAny>) = callback.extract()?;
            call_soon(&event_loop, callback, future, Some(context))?;
        }
        Ok(())
    }

    /// The callbacks with their contexts, as `_callbacks` shows them; tasks that wait show as what wakes
    /// them.
    ///
    /// # Errors
    ///
    /// What the base raises.
    pub fn callbacks<'py>(future: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, fields) = (future.py(), Self::fields(future));
        if let Some(context) = peek(py, &fields.context).filter(|context| !context.is_none()) {
            let context = CallContext::of(context).own(py)?.clone();
            put(py, &fields.context, Some(context));
        }
        let callbacks = bases(py).callbacks.bind(py).call1((future.as_any(),))?;
        let Ok(list) = callbacks.cast::<PyList>() else { return Ok(callbacks) };
        for (place, pair) in list.iter().enumerate() {
            let (callback, _): (Bound<'py, PyAny>, Bound<'py, PyAny>) = pair.extract()?;
            if let Some(task) = Task::of(&callback) {
                let context = Task::context(py, Task::fields(task))?;
                list.set_item(place, (Wakeup::of(task)?, context))?;
            }
        }
        Ok(callbacks)
    }
}

/// Calls a callback of a future in the loop's next turn, or wakes the task that stands for one.
fn call_soon(
    event_loop: &Bound<'_, PyAny>,
    callback: Bound<'_, PyAny>,
    future: &Bound<'_, Future>,
    context: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = event_loop.py();
    let context = context.filter(|context| !context.is_none());
    if let Some(event_loop) = EventLoop::schedules(event_loop) {
        return match Task::of(&callback) {
            Some(task) => EventLoop::wake_task(event_loop, task),
            None => {
                let context = match context {
                    Some(context) => CallContext::of(context),
                    None => CallContext::current(py)?,
                };
                EventLoop::call_back(event_loop, callback, future, context)
            }
        };
    }
    let (callback, context) = match Task::of(&callback) {
        Some(task) => (Wakeup::of(task)?.into_any(), Some(Task::context(py, Task::fields(task))?)),
        None => (callback, context),
    };
    let keywords = PyDict::new(py);
    if let Some(context) = context {
        let mut context = CallContext::of(context);
        keywords.set_item(intern!(py, "context"), context.own(py)?)?;
        context.let_go(py);
    }
    let arguments = (callback, future.as_any());
    event_loop.call_method(intern!(py, "call_soon"), arguments, Some(&keywords)).map(drop)
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
