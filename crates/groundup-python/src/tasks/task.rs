//! Tasks: how one begins.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyDict, PyInt, PyString, PyTuple};

use super::classes::Task;
use super::layout::{PENDING, TaskObject, is_set, peek, put};
use super::registry;
use super::step::Awakening;
use crate::contexts::CallContext;
use crate::event_loop::EventLoop;
use crate::{ffi, imports};

/// The number in the name of the task that was made last.
static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);

/// What a task is made with, beside its coroutine and its loop.
#[derive(Default)]
pub struct Keywords<'py> {
    name: Option<Bound<'py, PyAny>>,
    context: Option<Bound<'py, PyContext>>,
    /// Whether it takes its first step at once; where nobody has said so, `None`.
    eager_start: Option<bool>,
}

impl<'py> Keywords<'py> {
    /// Takes them as they come, where `loop` may be among them too; `None` leaves the decision about
    /// them to the base: what is not known, what is no context, and what may raise.
    ///
    /// # Errors
    ///
    /// What comparing names raises.
    #[inline]
    pub fn of(
        given: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    ) -> PyResult<Option<Self>> {
        let mut found = Self::default();
        for (name, value) in given {
            match name.cast::<PyString>()?.to_str()? {
                "loop" => {}
                "name" => found.name = (!value.is_none()).then_some(value),
                "context" if value.is_none() => {}
                "context" => match value.cast_into() {
                    Ok(context) => found.context = Some(context),
                    Err(_) => return Ok(None),
                },
                "eager_start" if cfg!(Py_3_12) => found.eager_start = Some(value.is_truthy()?),
                _ => return Ok(None),
            }
        }
        Ok(Some(found))
    }
}

impl Task {
    /// Starts a coroutine on a loop that takes tasks; `None` when there is no class for it.
    ///
    /// # Errors
    ///
    /// `TypeError` when that is no coroutine or a keyword is wrong; what an eager step raises.
    #[inline]
    pub fn spawn<'py>(
        event_loop: &Bound<'py, EventLoop>,
        coroutine: &Bound<'py, PyAny>,
        keywords: Keywords<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(task) = Self::allocate(event_loop.py())? else { return Ok(None) };
        Self::begin(&task, event_loop, coroutine, keywords)?;
        Ok(Some(task.into_any()))
    }

    /// Does what `asyncio.eager_task_factory` does; `None` when it has to do that by itself.
    ///
    /// # Errors
    ///
    /// As for [`Task::spawn`].
    pub fn spawn_eagerly<'py>(
        event_loop: &Bound<'py, EventLoop>,
        coroutine: &Bound<'py, PyAny>,
        mut keywords: Keywords<'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(task) = Self::allocate(event_loop.py())? else { return Ok(None) };
        keywords.eager_start.get_or_insert(true);
        // Before 3.14, a factory is given no name: the task is named afterwards.
        let name = if cfg!(Py_3_14) { None } else { keywords.name.take() };
        Self::begin(&task, event_loop, coroutine, keywords)?;
        if let Some(name) = name {
            Self::fields(&task).name.set(Some(name_or_number(event_loop.py(), Some(name))?));
        }
        Ok(Some(task.into_any()))
    }

    /// Has the base's code drive a coroutine; `None` when there is no class for it.
    ///
    /// # Errors
    ///
    /// As for [`Task::spawn`].
    pub fn spawn_by_base<'py>(
        event_loop: &Bound<'py, EventLoop>,
        coroutine: &Bound<'py, PyAny>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(task) = Self::allocate(event_loop.py())? else { return Ok(None) };
        Self::begin_by_base(&task, event_loop, coroutine, keywords)?;
        Ok(Some(task.into_any()))
    }

    /// What `Task(coro, *, loop=None, name=None, context=None, eager_start=False)` does.
    ///
    /// # Errors
    ///
    /// As for [`Task::spawn`].
    pub fn init<'py>(
        object: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<()> {
        let Some(given) = keywords else { return Self::init_by_base(object, args, None) };
        let event_loop = given.get_item(intern!(object.py(), "loop"))?;
        let event_loop = event_loop.as_ref().and_then(EventLoop::schedules);
        // What is no task of exactly this class, or is initialised again, is the base's.
        let task = Self::of(object).filter(|task| !is_set(&Self::fields(task).coroutine));
        if let (Some(task), Some(event_loop), Ok(coroutine)) = (task, event_loop, args.get_item(0))
            && args.len() == 1
            && let Some(keywords) = Keywords::of(given.iter())?
        {
            return Self::begin(task, event_loop, &coroutine, keywords);
        }
        Self::init_by_base(object, args, keywords)
    }

    fn begin<'py>(
        task: &Bound<'py, Self>,
        event_loop: &Bound<'py, EventLoop>,
        coroutine: &Bound<'py, PyAny>,
        keywords: Keywords<'py>,
    ) -> PyResult<()> {
        let (py, fields) = (task.py(), Self::fields(task));
        fields.future.event_loop.set(Some(event_loop.as_any().clone().unbind()));
        #[cfg(Py_3_14)]
        fields.future.is_task.set(true);
        if !is_coroutine(coroutine)? {
            let repr = coroutine.repr()?;
            return Err(PyTypeError::new_err(format!("a coroutine was expected, got {repr}")));
        }
        let context = match keywords.context {
            Some(context) => context.into_any(),
            None => CallContext::current(py)?.into_object(py),
        };
        fields.context.set(Some(context.unbind()));
        fields.set_logs_destroy_pending(true);
        fields.coroutine.set(Some(coroutine.clone().unbind()));
        fields.name.set(Some(name_or_number(py, keywords.name)?));
        event_loop.get().tell(py, |narrator| narrator.tell_spawn(task.as_any()));
        #[cfg(Py_3_12)]
        if keywords.eager_start == Some(true)
            && event_loop.call_method0(intern!(py, "is_running"))?.is_truthy()?
        {
            return Self::start_eagerly(task, event_loop);
        }
        EventLoop::resume_soon(event_loop, task, Awakening::Step)?;
        registry::register(task)
    }

    fn begin_by_base(
        task: &Bound<'_, Self>,
        event_loop: &Bound<'_, EventLoop>,
        coroutine: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = task.py();
        let keywords = keywords.map_or_else(|| Ok(PyDict::new(py)), |given| given.copy())?;
        keywords.set_item(intern!(py, "loop"), event_loop)?;
        if keywords.get_item(intern!(py, "name"))?.is_none_or(|name| name.is_none()) {
            // The base would count by itself.
            let number = LAST_NUMBER.fetch_add(1, Ordering::Relaxed) + 1;
            keywords.set_item(intern!(py, "name"), format!("Task-{number}"))?;
        }
        Self::init_by_base(task.as_any(), &PyTuple::new(py, [coroutine])?, Some(&keywords))?;
        event_loop.get().tell(py, |narrator| narrator.tell_spawn(task.as_any()));
        Ok(())
    }

    /// Takes the first step at once, in the middle of what else runs.
    #[cfg(Py_3_12)]
    fn start_eagerly(task: &Bound<'_, Self>, event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
        let (py, fields) = (task.py(), Self::fields(task));
        let before = super::current::swap(event_loop, task.as_any())?;
        registry::register(task)?;
        let step = || Self::run_in_context(task, || Self::advance(task, event_loop, None));
        let outcome = match event_loop.get().narrator(py) {
            None => step(),
            Some(narrator) => narrator.tell_inner_step(task.as_any(), step),
        };
        super::current::swap(event_loop, &before)?;
        if fields.future.state.get() != PENDING {
            drop(fields.coroutine.take());
        }
        Ok(outcome?)
    }

    /// Calls a task something else.
    ///
    /// # Errors
    ///
    /// What making a string of the name raises.
    pub fn set_name<'py>(
        task: &Bound<'py, PyAny>,
        fields: &TaskObject,
        name: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let name = name_or_number(task.py(), Some(name))?;
        put(task.py(), &fields.name, Some(name.into_bound(task.py())));
        tell_name(task, fields);
        Ok(())
    }

    /// Asks a task to cancel itself, as `Task.cancel` does; says whether it was not done yet.
    ///
    /// # Errors
    ///
    /// What cancelling the future raises that it waits for.
    pub fn cancel<'py>(task: &Bound<'py, Self>, message: Bound<'py, PyAny>) -> PyResult<bool> {
        let (py, fields) = (task.py(), Self::fields(task));
        fields.future.set_logs_traceback(false);
        if fields.future.state.get() != PENDING {
            return Ok(false);
        }
        fields.cancel_requests.set(fields.cancel_requests.get() + 1);
        if let Some(waiter) = peek(py, &fields.waiter)
            && waiter.call_method1(intern!(py, "cancel"), (&message,))?.is_truthy()?
        {
            return Ok(true);
        }
        fields.set_must_cancel(true);
        put(py, &fields.future.cancel_message, Some(message));
        Ok(true)
    }

    /// Tells a recording that a task is asked to cancel itself, unless it is done.
    pub fn tell_cancel(task: &Bound<'_, Self>) {
        let event_loop = peek(task.py(), &Self::fields(task).future.event_loop);
        if Self::fields(task).future.state.get() == PENDING
            && let Some(Ok(event_loop)) = event_loop.as_ref().map(|it| it.cast::<EventLoop>())
        {
            event_loop.get().tell(task.py(), |narrator| narrator.tell_cancel(task.as_any()));
        }
    }

    /// A task's name, which is made of its number when it is asked for.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn name<'py>(py: Python<'py>, fields: &TaskObject) -> PyResult<Bound<'py, PyAny>> {
        let Some(name) = peek(py, &fields.name) else { return Ok(py.None().into_bound(py)) };
        if !name.is_exact_instance_of::<PyInt>() {
            return Ok(name);
        }
        let made = PyString::new(py, &format!("Task-{name}")).into_any();
        put(py, &fields.name, Some(made.clone()));
        Ok(made)
    }
}

/// Says what a task is called from now on, if its loop is recorded.
fn tell_name(task: &Bound<'_, PyAny>, fields: &TaskObject) {
    let event_loop = peek(task.py(), &fields.future.event_loop);
    if let Some(event_loop) = event_loop.as_ref().and_then(|it| it.cast::<EventLoop>().ok()) {
        event_loop.get().tell(task.py(), |narrator| narrator.tell_name(task));
    }
}

fn name_or_number(py: Python<'_>, name: Option<Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
    match name {
        Some(name) if name.is_exact_instance_of::<PyString>() => Ok(name.unbind()),
        Some(name) => Ok(name.str()?.into_any().unbind()),
        None => {
            let number = LAST_NUMBER.fetch_add(1, Ordering::Relaxed) + 1;
            Ok(number.into_pyobject(py)?.into_any().unbind())
        }
    }
}

fn is_coroutine(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(ffi::is_coroutine(object)
        || imports::iscoroutine(object.py())?.call1((object,))?.is_truthy()?)
}
