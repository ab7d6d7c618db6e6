//! Who is to be told that a future is done: tasks that wait for it, and callbacks.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::callables::Wakeup;
use super::classes::{Future, Task, bases};
use super::layout::{FutureObject, PENDING, is_set, peek, put, take};
use crate::contexts::CallContext;
use crate::event_loop::EventLoop;

/// Who is to be told that a future is done, taken out of it.
pub struct Callbacks<'py> {
    first: Option<Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyAny>>,
    others: Option<Bound<'py, PyAny>>,
}

impl<'py> Callbacks<'py> {
    /// Takes them out of a future.
    #[inline]
    pub fn take(py: Python<'py>, fields: &FutureObject) -> Self {
        Self {
            first: take(py, &fields.callback),
            context: take(py, &fields.context),
            others: take(py, &fields.callbacks),
        }
    }

    /// Puts them back into the future that they were taken out of.
    pub fn put_back(self, fields: &FutureObject) {
        fields.callback.set(self.first.map(Bound::unbind));
        fields.context.set(self.context.map(Bound::unbind));
        fields.callbacks.set(self.others.map(Bound::unbind));
    }
}

impl Future {
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

    /// Schedules the callbacks of a future that is done, in their order.
    ///
    /// # Errors
    ///
    /// What scheduling one raises.
    pub fn tell(future: &Bound<'_, Self>, callbacks: Callbacks<'_>) -> PyResult<()> {
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
