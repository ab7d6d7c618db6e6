//! Tasks and futures.

use std::cell::RefCell;

use groundup::recorder::{Recorder, TaskId};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::{EventLoop, Ready};
use crate::call::Call;
use crate::handle::Handle;
use crate::tasks::{self, Awakening, CurrentTask, Future, Task};
use crate::{errors, ffi, imports};

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

impl EventLoop {
    /// The object as a loop that tasks may be put on directly: no other `call_soon` wants to hear of it,
    /// and debug mode does not.
    #[inline]
    pub fn schedules<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, Self>> {
        let event_loop = object.cast::<Self>().ok()?;
        event_loop.get().takes_tasks(object.py()).then_some(event_loop)
    }

    /// Whether tasks may be put on it directly.
    #[inline]
    pub fn takes_tasks(&self, py: Python<'_>) -> bool {
        !self.is_debug(py) && !self.parts(py).replaced.call_soon.get()
    }

    /// Which of its tasks is being resumed.
    #[inline]
    pub fn current_task<'a>(&'a self, py: Python<'a>) -> &'a CurrentTask {
        &self.parts(py).current_task
    }

    /// Has no task stand for the current one any more: before anything goes on that is none.
    #[inline]
    pub fn leave_task(event_loop: &Bound<'_, Self>) {
        event_loop.get().current_task(event_loop.py()).clear(event_loop);
    }

    /// Puts a task on the ready queue whose wait is over.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    #[inline]
    pub fn wake_task(event_loop: &Bound<'_, Self>, task: &Bound<'_, Task>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        this.core(py).wake(Ready::Wake(task.clone().unbind()));
        Ok(())
    }

    /// Has a task go on in the next turn.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed; what a `call_soon` raises that was put in its place.
    #[inline]
    pub fn resume_soon(
        event_loop: &Bound<'_, Self>,
        task: &Bound<'_, Task>,
        awakening: Awakening,
    ) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        if this.takes_tasks(py) && matches!(awakening, Awakening::Step) {
            this.check_open(py)?;
            this.core(py).wake(Ready::Step(task.clone().unbind()));
            return Ok(());
        }
        tasks::call_soon(event_loop, task, awakening)
    }

    /// Calls a callback of a future in the next turn.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    pub fn call_back(
        event_loop: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        let call = Call::new(callback, PyTuple::new(py, [future])?);
        let handle = Handle::new_ready::<Handle>(event_loop, call, context)?;
        this.core(py).wake(Ready::Handle(handle.unbind()));
        Ok(())
    }

    /// Goes on with a task whose turn it is.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; other exceptions go to the loop's exception handler.
    #[inline]
    pub fn resume_task(
        event_loop: &Bound<'_, Self>,
        task: &Bound<'_, Task>,
        awakening: Awakening,
    ) -> PyResult<()> {
        if event_loop.get().is_debug(event_loop.py()) {
            return Handle::run_once(tasks::handle_of(event_loop, task, awakening)?);
        }
        match Task::resume(task, event_loop, awakening) {
            Ok(()) => Ok(()),
            Err(error) => Self::report_step(event_loop, task, error),
        }
    }

    #[cold]
    fn report_step(
        event_loop: &Bound<'_, Self>,
        task: &Bound<'_, Task>,
        error: PyErr,
    ) -> PyResult<()> {
        Self::leave_task(event_loop);
        if errors::ends_run(event_loop.py(), &error) {
            return Err(error);
        }
        let handle = tasks::handle_of(event_loop, task, Awakening::Step)?;
        Handle::report_error(&handle, &error)
    }
}

#[pymethods]
impl EventLoop {
    /// Return a new asyncio.Future of this loop.
    pub fn create_future<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static NAMES: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
        let py = slf.py();
        if !slf.get().is_debug(py)
            && let Some(future) = Future::new(slf)?
        {
            return Ok(future.into_any());
        }
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
            (None, keywords) => return create_default_task(slf, coro, keywords),
            (Some(factory), keywords)
                if makes_eager_tasks(slf, factory.bind(py))?
                    && let Some(task) = Task::spawn_eagerly(slf, coro, keywords)? =>
            {
                return Ok(task);
            }
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
    let class = imports::task(py)?;
    if class.is(imports::c_task(py)?)
        && let Some(task) = Task::spawn(event_loop, coro, keywords)?
    {
        return Ok(task);
    }
    let task = if let Some(keywords) = keywords {
        let keywords = keywords.copy()?;
        keywords.set_item(intern!(py, "loop"), event_loop)?;
        class.call((coro,), Some(&keywords))?
    } else {
        let names = NAMES
            .get_or_try_init(py, || PyTuple::new(py, [intern!(py, "loop")]).map(Bound::unbind))?;
        ffi::call_with_keywords(&class, [coro], names.bind(py), [event_loop.as_any()])?
    };
    event_loop.get().core(py).recorder().spawn(TaskId(task.as_ptr().addr() as u64));
    Ok(task)
}

/// Whether a task factory is asyncio's for eager tasks, and would make them of asyncio's class.
fn makes_eager_tasks(
    event_loop: &Bound<'_, EventLoop>,
    factory: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let py = factory.py();
    Ok(cfg!(Py_3_12)
        && factory.is(imports::eager_task_factory(py)?)
        && event_loop.get().takes_tasks(py))
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
