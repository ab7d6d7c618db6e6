//! What a task waits for: what its coroutine has yielded, and what becomes of that.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::callables::Wakeup;
use super::classes::{Future, Task};
use super::layout::{PENDING, is_set, peek, refers_to};
use super::step::Awakening;
use crate::event_loop::EventLoop;
use crate::ffi;
use crate::imports;

/// Has a task wait for what its coroutine has yielded.
///
/// # Errors
///
/// What the yielded object's methods raise, and scheduling.
#[inline]
pub fn begin(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    yielded: Bound<'_, PyAny>,
) -> PyResult<()> {
    if yielded.is_none() {
        return EventLoop::resume_soon(event_loop, task, Awakening::Step);
    }
    if let Some(future) = Future::of(&yielded) {
        return wait_for_own(task, event_loop, future);
    }
    wait_for_other(task, event_loop, yielded)
}

/// Raises an exception in the coroutine, in the loop's next turn.
fn refuse(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    message: String,
) -> PyResult<()> {
    let error = PyRuntimeError::new_err(message).into_value(task.py()).into_bound(task.py());
    EventLoop::resume_soon(event_loop, task, Awakening::Throw(error))
}

#[inline]
fn wait_for_own(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    future: &Bound<'_, Future>,
) -> PyResult<()> {
    let (py, fields) = (task.py(), Future::fields(future));
    if future.as_any().is(task) {
        return refuse_itself(task, event_loop);
    }
    if !refers_to(&fields.event_loop, event_loop) {
        return refuse_other_loop(task, event_loop, future.as_any());
    }
    if !fields.is_blocking() {
        return refuse_yield(task, event_loop, future.as_any());
    }
    #[cfg(Py_3_14)]
    super::registry::note_awaited(future, task)?;
    fields.set_blocking(false);
    let is_first =
        fields.state.get() == PENDING && !is_set(&fields.callback) && !is_set(&fields.callbacks);
    if is_first && event_loop.get().takes_tasks(py) {
        // It goes on in its own, whatever stands here.
        fields.context.set(Some(py.None()));
        fields.callback.set(Some(task.as_any().clone().unbind()));
    } else {
        add_wakeup(task, future.as_any())?;
    }
    hold(task, future.as_any())
}

fn add_wakeup(task: &Bound<'_, Task>, future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = task.py();
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "context"), Task::context(py, Task::fields(task))?)?;
    let add = intern!(py, "add_done_callback");
    future.call_method(add, (Wakeup::of(task)?,), Some(&keywords)).map(drop)
}

/// Notes what the task waits for; if it was cancelled meanwhile, so is that.
#[inline]
fn hold(task: &Bound<'_, Task>, future: &Bound<'_, PyAny>) -> PyResult<()> {
    let fields = Task::fields(task);
    fields.waiter.set(Some(future.clone().unbind()));
    if fields.must_cancel() {
        let py = task.py();
        let message = peek(py, &fields.future.cancel_message);
        if future.call_method1(intern!(py, "cancel"), (message,))?.is_truthy()? {
            fields.set_must_cancel(false);
        }
    }
    Ok(())
}

/// Waits for whatever says, by `_asyncio_future_blocking`, that it is a future.
fn wait_for_other(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    yielded: Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = task.py();
    let attribute = intern!(py, "_asyncio_future_blocking");
    let Some(blocking) = yielded.getattr_opt(attribute)?.filter(|blocking| !blocking.is_none())
    else {
        return refuse_object(task, event_loop, &yielded);
    };
    let is_blocking = blocking.is_truthy()?;
    if !imports::get_loop(py)?.call1((&yielded,))?.is(event_loop) {
        return refuse_other_loop(task, event_loop, &yielded);
    }
    if !is_blocking {
        return refuse_yield(task, event_loop, &yielded);
    }
    #[cfg(Py_3_14)]
    imports::add_to_awaited_by(py)?.call1((&yielded, task.as_any()))?;
    yielded.setattr(attribute, false)?;
    add_wakeup(task, &yielded)?;
    hold(task, &yielded)
}

/// The task does not wait for a future any more.
///
/// # Errors
///
/// What the interpreter raises.
#[inline]
pub fn end(task: &Bound<'_, Task>, future: &Bound<'_, PyAny>) -> PyResult<()> {
    #[cfg(Py_3_14)]
    super::registry::forget_awaited(future, task)?;
    let _ = (task, future);
    Ok(())
}

fn refuse_object(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    yielded: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let repr = yielded.repr()?;
    if !ffi::is_generator(yielded) {
        return refuse(task, event_loop, format!("Task got bad yield: {repr}"));
    }
    let task_repr = task.as_any().repr()?;
    let message = format!(
        "yield was used instead of yield from for generator in task {task_repr} with {repr}"
    );
    refuse(task, event_loop, message)
}

fn refuse_itself(task: &Bound<'_, Task>, event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
    refuse(task, event_loop, format!("Task cannot await on itself: {}", task.as_any().repr()?))
}

fn refuse_yield(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    yielded: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (task_repr, repr) = (task.as_any().repr()?, yielded.repr()?);
    refuse(
        task,
        event_loop,
        format!("yield was used instead of yield from in task {task_repr} with {repr}"),
    )
}

fn refuse_other_loop(
    task: &Bound<'_, Task>,
    event_loop: &Bound<'_, EventLoop>,
    yielded: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (task_repr, repr) = (task.as_any().repr()?, yielded.repr()?);
    refuse(
        task,
        event_loop,
        format!("Task {task_repr} got Future {repr} attached to a different loop"),
    )
}
