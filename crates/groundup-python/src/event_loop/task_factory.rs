//! The task factory: what a program has put in the place of asyncio's classes for tasks.

use std::cell::RefCell;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::EventLoop;

/// The factory that set_task_factory was given.
#[derive(Default)]
pub struct TaskFactory {
    factory: RefCell<Option<Py<PyAny>>>,
}

impl TaskFactory {
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.factory.try_borrow().map_or(Ok(()), |factory| visit.call(&*factory))
    }

    pub fn clear(&self) {
        drop(self.factory.take());
    }
}

#[pymethods]
impl EventLoop {
    /// Set the task factory, a callable of the loop and a coroutine; None means the default one.
    ///
    /// Raise TypeError if it is not callable.
    fn set_task_factory(&self, factory: &Bound<'_, PyAny>) -> PyResult<()> {
        if !factory.is_none() && !factory.is_callable() {
            return Err(PyTypeError::new_err("task factory must be a callable or None"));
        }
        let new = (!factory.is_none()).then(|| factory.clone().unbind());
        drop(self.parts(factory.py()).task_factory.factory.replace(new));
        Ok(())
    }

    #[getter]
    fn _task_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.get_task_factory(py)
    }

    #[setter(_task_factory)]
    fn change_task_factory(&self, factory: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set_task_factory(factory)
    }

    /// Return the task factory, or None if it is the default one.
    pub fn get_task_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).task_factory.factory.borrow().as_ref().map(|factory| factory.clone_ref(py))
    }
}

/// Has a factory make a task.
///
/// # Errors
///
/// What the factory raises.
pub fn call_factory<'py>(
    event_loop: &Bound<'py, EventLoop>,
    factory: &Bound<'py, PyAny>,
    coro: &Bound<'py, PyAny>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    match keywords {
        None => factory.call1((event_loop, coro)),
        Some(keywords) if cfg!(Py_3_14) => factory.call((event_loop, coro), Some(keywords)),
        Some(keywords) => create_named_task(event_loop, factory, coro, keywords),
    }
}

/// Before 3.14, a factory is given no name: the task is named afterwards.
fn create_named_task<'py>(
    event_loop: &Bound<'py, EventLoop>,
    factory: &Bound<'py, PyAny>,
    coro: &Bound<'py, PyAny>,
    keywords: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let keywords = keywords.copy()?;
    let name = keywords.get_item("name")?;
    if name.is_some() {
        keywords.del_item("name")?;
    }
    if keywords.get_item("context")?.is_some_and(|context| context.is_none()) {
        keywords.del_item("context")?;
    }
    let task = factory.call((event_loop, coro), Some(&keywords))?;
    if let Some(name) = name.filter(|name| !name.is_none()) {
        task.call_method1(intern!(py, "set_name"), (name,))?;
    }
    Ok(task)
}
