//! Tasks and futures.

use std::cell::RefCell;

use groundup::recorder::{Recorder, TaskId};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use crate::{ffi, imports};

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
    /// Return a new asyncio.Future of this loop.
    pub fn create_future<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static NAMES: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
        let py = slf.py();
        let names = NAMES
            .get_or_try_init(py, || PyTuple::new(py, [intern!(py, "loop")]).map(Bound::unbind))?;
        ffi::call_with_keywords(imports::future(py)?, [], names.bind(py), [slf.as_any()])
    }

    /// Start a coroutine on this loop and return its asyncio.Task.
    ///
    /// Keywords are those of asyncio.Task in the running version of Python: name, context and,
    /// from 3.12 on, eager_start. Raise TypeError if it is no coroutine, RuntimeError on a closed loop.
    #[pyo3(signature = (coro, **keywords))]
    fn create_task<'py>(
        slf: &Bound<'py, Self>,
        coro: &Bound<'py, PyAny>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        let task = match (slf.get().get_task_factory(py), keywords) {
            (None, keywords) => create_default_task(slf, coro, keywords)?,
            (Some(factory), None) => factory.bind(py).call1((slf, coro))?,
            (Some(factory), Some(keywords)) if py.version_info() >= (3, 14) => {
                factory.bind(py).call((slf, coro), Some(keywords))?
            }
            (Some(factory), Some(keywords)) => {
                create_named_task(slf, factory.bind(py), coro, keywords)?
            }
        };
        slf.get().core(py).recorder().spawn(TaskId(task.as_ptr().addr() as u64));
        Ok(task)
    }

    /// Set the task factory, a callable of the loop and a coroutine; None means the default one.
    ///
    /// Raise TypeError if it is not callable.
    fn set_task_factory(&self, factory: &Bound<'_, PyAny>) -> PyResult<()> {
        if !factory.is_none() && !factory.is_callable() {
            return Err(PyTypeError::new_err("task factory must be a callable or None"));
        }
        let new = (!factory.is_none()).then(|| factory.clone().unbind());
        drop(self.parts(factory.py()).tasks.factory.replace(new));
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
    fn get_task_factory(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).tasks.factory.borrow().as_ref().map(|factory| factory.clone_ref(py))
    }
}

fn create_default_task<'py>(
    event_loop: &Bound<'py, EventLoop>,
    coro: &Bound<'py, PyAny>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    static NAMES: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    let py = event_loop.py();
    if let Some(keywords) = keywords {
        let keywords = keywords.copy()?;
        keywords.set_item(intern!(py, "loop"), event_loop)?;
        return imports::task(py)?.call((coro,), Some(&keywords));
    }
    let names =
        NAMES.get_or_try_init(py, || PyTuple::new(py, [intern!(py, "loop")]).map(Bound::unbind))?;
    ffi::call_with_keywords(&imports::task(py)?, [coro], names.bind(py), [event_loop.as_any()])
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
