//! Which task is being resumed: what `asyncio.current_task` answers.
//!
//! Up to Python 3.13 it is kept in a dict of loops and tasks, which `_asyncio` shares with
//! `asyncio.tasks`; from 3.14 on, in the state of the thread, which two functions set.

use std::mem;

use pyo3::prelude::*;

use super::classes::Task;
use crate::{ffi, imports};

/// A task that is being resumed, until this is dropped.
pub struct Current<'a, 'py> {
    event_loop: &'a Bound<'py, PyAny>,
    task: &'a Bound<'py, Task>,
}

impl<'a, 'py> Current<'a, 'py> {
    /// Makes a task the current one of its loop.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when there is one.
    #[inline]
    pub fn enter(event_loop: &'a Bound<'py, PyAny>, task: &'a Bound<'py, Task>) -> PyResult<Self> {
        begin(event_loop, task)?;
        Ok(Self { event_loop, task })
    }

    /// Leaves the task.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another one has become current.
    #[inline]
    pub fn leave(self) -> PyResult<()> {
        let outcome = end(self.event_loop, self.task);
        mem::forget(self);
        outcome
    }
}

impl Drop for Current<'_, '_> {
    fn drop(&mut self) {
        if let Err(error) = end(self.event_loop, self.task) {
            error.write_unraisable(self.event_loop.py(), None);
        }
    }
}

#[cfg(Py_3_14)]
#[inline]
fn begin(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, Task>) -> PyResult<()> {
    let enter = imports::enter_task(event_loop.py())?;
    ffi::call(enter, [event_loop, task.as_any()]).map(drop)
}

#[cfg(Py_3_14)]
#[inline]
fn end(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, Task>) -> PyResult<()> {
    let leave = imports::leave_task(event_loop.py())?;
    ffi::call(leave, [event_loop, task.as_any()]).map(drop)
}

#[cfg(not(Py_3_14))]
#[inline]
fn begin(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, Task>) -> PyResult<()> {
    let tasks = imports::current_tasks(event_loop.py())?.cast()?;
    let current = ffi::set_default(tasks, event_loop, task.as_any())?;
    if current.is(task) {
        return Ok(());
    }
    let message = format!(
        "Cannot enter into task {} while another task {} is being executed.",
        task.as_any().repr()?,
        current.repr()?
    );
    Err(pyo3::exceptions::PyRuntimeError::new_err(message))
}

#[cfg(not(Py_3_14))]
#[inline]
fn end(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, Task>) -> PyResult<()> {
    use pyo3::types::{PyDict, PyDictMethods};

    let tasks: &Bound<'_, PyDict> = imports::current_tasks(event_loop.py())?.cast()?;
    let current = tasks.get_item(event_loop)?;
    if current.as_ref().is_some_and(|current| current.is(task)) {
        return tasks.del_item(event_loop);
    }
    let current = match current {
        Some(current) => current.repr()?.to_string(),
        None => "None".to_owned(),
    };
    let task = task.as_any().repr()?;
    let message = format!("Leaving task {task} does not match the current task {current}.");
    Err(pyo3::exceptions::PyRuntimeError::new_err(message))
}

/// Makes a task the current one, or none, whatever was; returns what was.
///
/// # Errors
///
/// What the interpreter raises.
#[cfg(Py_3_12)]
pub fn swap<'py>(
    event_loop: &Bound<'py, PyAny>,
    task: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    ffi::call(imports::swap_current_task(event_loop.py())?, [event_loop, task])
}
