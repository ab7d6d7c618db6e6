//! Which task is being resumed: what `asyncio.current_task` answers.
//!
//! Up to Python 3.13 it is kept in a dict of loops and tasks, which `_asyncio` shares with
//! `asyncio.tasks`; from 3.14 on, in the state of the thread, which a few functions set. Either takes
//! longer than much else of a step. So when a step ends, the task is left standing there until
//! something else than a task goes on: between two steps there is nobody who could look.

use std::cell::Cell;
use std::mem;

use pyo3::prelude::*;

use super::classes::Task;
use crate::event_loop::EventLoop;
use crate::ffi;

/// The task of a loop that was resumed last and still stands for the current one, by its address; or
/// 0: then nobody stands there, or one that is being resumed.
#[derive(Default)]
pub struct CurrentTask(Cell<usize>);

/// A task that is being resumed, until this is dropped.
pub struct Entered<'a, 'py> {
    event_loop: &'a Bound<'py, EventLoop>,
    task: &'a Bound<'py, Task>,
}

impl CurrentTask {
    /// Makes a task the current one.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another one is being resumed.
    #[inline]
    pub fn enter<'a, 'py>(
        &self,
        event_loop: &'a Bound<'py, EventLoop>,
        task: &'a Bound<'py, Task>,
    ) -> PyResult<Entered<'a, 'py>> {
        match self.0.take() {
            0 => version::enter(event_loop, task)?,
            last if last == task.as_ptr().addr() => {}
            _ => version::replace(event_loop, task)?,
        }
        Ok(Entered { event_loop, task })
    }

    /// Leaves the task that was resumed last, if it still stands there.
    #[inline]
    pub fn clear(&self, event_loop: &Bound<'_, EventLoop>) {
        if self.0.take() != 0 {
            report(event_loop, version::remove(event_loop));
        }
    }
}

impl Entered<'_, '_> {
    /// The task has taken its step.
    #[inline]
    pub fn leave(self, current: &CurrentTask) {
        // Nobody else refers to a task with these two references: it is about to go, and what its
        // end calls must not find it.
        let is_last = ffi::reference_count(self.task) <= 2;
        if !is_last {
            current.0.set(self.task.as_ptr().addr());
            mem::forget(self);
        }
    }
}

impl Drop for Entered<'_, '_> {
    fn drop(&mut self) {
        report(self.event_loop, version::remove(self.event_loop));
    }
}

fn report(event_loop: &Bound<'_, EventLoop>, outcome: PyResult<()>) {
    if let Err(error) = outcome {
        error.write_unraisable(event_loop.py(), Some(event_loop));
    }
}

#[cfg(Py_3_12)]
pub use version::swap;

#[cfg(Py_3_14)]
mod version {
    use pyo3::prelude::*;

    use super::super::classes::Task;
    use crate::event_loop::EventLoop;
    use crate::{ffi, imports};

    pub fn enter(event_loop: &Bound<'_, EventLoop>, task: &Bound<'_, Task>) -> PyResult<()> {
        let enter = imports::enter_task(event_loop.py())?;
        ffi::call(enter, [event_loop.as_any(), task.as_any()]).map(drop)
    }

    pub fn replace(event_loop: &Bound<'_, EventLoop>, task: &Bound<'_, Task>) -> PyResult<()> {
        swap(event_loop, task.as_any()).map(drop)
    }

    pub fn remove(event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
        swap(event_loop, event_loop.py().None().bind(event_loop.py())).map(drop)
    }

    /// Makes a task the current one, or none, whatever was; returns what was.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop does not run on this thread.
    pub fn swap<'py>(
        event_loop: &Bound<'py, EventLoop>,
        task: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let swap = imports::swap_current_task(event_loop.py())?;
        ffi::call(swap, [event_loop.as_any(), task])
    }
}

#[cfg(not(Py_3_14))]
mod version {
    use pyo3::exceptions::PyRuntimeError;
    use pyo3::prelude::*;
    use pyo3::sync::PyOnceLock;
    use pyo3::types::PyDict;

    use super::super::classes::Task;
    use crate::event_loop::EventLoop;
    use crate::{ffi, imports};

    fn tasks(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
        static TASKS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
        let import =
            || PyResult::Ok(imports::current_tasks(py)?.cast::<PyDict>()?.clone().unbind());
        Ok(TASKS.get_or_try_init(py, import)?.bind(py))
    }

    pub fn enter(event_loop: &Bound<'_, EventLoop>, task: &Bound<'_, Task>) -> PyResult<()> {
        let tasks = tasks(event_loop.py())?;
        let current = ffi::set_default(tasks, event_loop.as_any(), task.as_any())?;
        if current.is(task) {
            return Ok(());
        }
        let message = format!(
            "Cannot enter into task {} while another task {} is being executed.",
            task.as_any().repr()?,
            current.repr()?
        );
        Err(PyRuntimeError::new_err(message))
    }

    pub fn replace(event_loop: &Bound<'_, EventLoop>, task: &Bound<'_, Task>) -> PyResult<()> {
        tasks(event_loop.py())?.set_item(event_loop, task.as_any())
    }

    pub fn remove(event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
        tasks(event_loop.py())?.del_item(event_loop)
    }

    /// Makes a task the current one, or none, whatever was; returns what was.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    #[cfg(Py_3_12)]
    pub fn swap<'py>(
        event_loop: &Bound<'py, EventLoop>,
        task: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let swap = imports::swap_current_task(event_loop.py())?;
        ffi::call(swap, [event_loop.as_any(), task])
    }
}
