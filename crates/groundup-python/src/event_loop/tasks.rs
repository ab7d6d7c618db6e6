//! Tasks and futures.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::task_factory::call_factory;
use super::{EventLoop, Ready};
use crate::call::Call;
use crate::contexts::CallContext;
use crate::errors::RunError;
use crate::handle::Handle;
use crate::tasks::{self, Awakening, CurrentTask, DoneCallback, Future, Task};
use crate::{errors, ffi, imports};

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
    #[inline(always)]
    pub fn resume_soon<'py>(
        event_loop: &Bound<'py, Self>,
        task: &Bound<'py, Task>,
        awakening: Awakening<'py>,
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
    /// `RuntimeError` when the loop is closed; `TypeError` when the context is none.
    pub fn call_back(
        event_loop: &Bound<'_, Self>,
        callback: Bound<'_, PyAny>,
        future: &Bound<'_, Future>,
        context: CallContext,
    ) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        let ready = if let Some(context) = context.foreign(py) {
            let call = Call::new(callback, PyTuple::new(py, [future.as_any()])?);
            let handle = Handle::new_ready::<Handle>(event_loop, call, Some(context))?;
            Ready::Handle(handle.unbind())
        } else {
            Ready::Done(Box::new(DoneCallback::new(callback, future, context)))
        };
        this.core(py).wake(ready);
        Ok(())
    }

    /// Makes the call of a future's callback whose turn it is.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; other exceptions go to the loop's exception handler.
    pub fn make_callback(event_loop: &Bound<'_, Self>, mut callback: DoneCallback) -> PyResult<()> {
        let py = event_loop.py();
        if event_loop.get().is_debug(py) {
            return Handle::run_once(callback.handle(event_loop)?);
        }
        match callback.make(py) {
            Ok(()) => {
                callback.let_go(py);
                Ok(())
            }
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => Handle::report_error(&callback.handle(event_loop)?, &error),
        }
    }

    /// Goes on with a task whose turn it is.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; other exceptions go to the loop's exception handler.
    #[inline(always)]
    pub fn resume_task<'py>(
        event_loop: &Bound<'py, Self>,
        task: &Bound<'py, Task>,
        awakening: Awakening<'py>,
    ) -> Result<(), RunError> {
        if event_loop.get().is_debug(event_loop.py()) {
            return Self::resume_watched(event_loop, task, awakening);
        }
        match Task::resume(task, event_loop, awakening) {
            Ok(()) => Ok(()),
            Err(error) => Self::report_step(event_loop, task, error.into()),
        }
    }

    #[cold]
    fn resume_watched<'py>(
        event_loop: &Bound<'py, Self>,
        task: &Bound<'py, Task>,
        awakening: Awakening<'py>,
    ) -> Result<(), RunError> {
        Ok(Handle::run_once(tasks::handle_of(event_loop, task, awakening)?)?)
    }

    /// Starts a coroutine as one of this module's tasks; `None` when somebody else is to make it.
    ///
    /// # Errors
    ///
    /// As for `create_task`.
    #[inline]
    pub fn start_task<'py>(
        event_loop: &Bound<'py, Self>,
        coroutine: &Bound<'py, PyAny>,
        keywords: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, this) = (event_loop.py(), event_loop.get());
        let is_eager = match this.get_task_factory(py) {
            None if imports::task(py)?.is(imports::c_task(py)?) => false,
            Some(it) if cfg!(Py_3_12) && it.is(imports::eager_task_factory(py)?) => true,
            _ => return Ok(None),
        };
        if !this.takes_tasks(py) {
            return Ok(None);
        }
        match tasks::Keywords::of(keywords)? {
            Some(keywords) if is_eager => Task::spawn_eagerly(event_loop, coroutine, keywords),
            Some(keywords) => Task::spawn(event_loop, coroutine, keywords),
            None => Ok(None),
        }
    }

    #[cold]
    fn report_step(
        event_loop: &Bound<'_, Self>,
        task: &Bound<'_, Task>,
        error: PyErr,
    ) -> Result<(), RunError> {
        Self::leave_task(event_loop);
        if errors::ends_run(event_loop.py(), &error) {
            return Err(error.into());
        }
        let handle = tasks::handle_of(event_loop, task, Awakening::Step)?;
        Ok(Handle::report_error(&handle, &error)?)
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
        let given = keywords.into_iter().flatten();
        if let Some(task) = Self::start_task(slf, coro, given)? {
            return Ok(task);
        }
        let task = match slf.get().get_task_factory(py) {
            Some(factory) => call_factory(slf, factory.bind(py), coro, keywords)?,
            None => return create_default_task(slf, coro, keywords),
        };
        slf.get().tell(py, |narrator| narrator.tell_spawn(&task));
        Ok(task)
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
        && let Some(task) = Task::spawn_by_base(event_loop, coro, keywords)?
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
    event_loop.get().tell(py, |narrator| narrator.tell_spawn(&task));
    Ok(task)
}
