//! A task as a recording sees it: this module's, or any other that behaves as asyncio's.

use groundup::recorder::TaskId;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::imports;
use crate::tasks::Task;
use crate::tasks::layout::{CANCELLED, FINISHED, PENDING, peek};

/// What a task is doing.
pub enum State<'py> {
    Pending,
    Returned,
    Cancelled,
    Raised(Bound<'py, PyAny>),
}

/// A task, and what it waits for.
pub struct TaskView<'py> {
    pub object: Bound<'py, PyAny>,
    pub coroutine: Option<Bound<'py, PyAny>>,
    /// The future that it waits for.
    pub waiter: Option<Bound<'py, PyAny>>,
    pub state: State<'py>,
}

/// What a task is called.
pub enum TaskName<'py> {
    Number(u64),
    Text(Bound<'py, PyAny>),
}

impl<'py> TaskView<'py> {
    /// Looks at a task.
    ///
    /// # Errors
    ///
    /// What the task's methods raise, if it is not one of this module's.
    pub fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        match Task::of(object) {
            Some(task) => Ok(Self::of_own(task)),
            None => Self::of_other(object),
        }
    }

    fn of_own(task: &Bound<'py, Task>) -> Self {
        let (py, fields) = (task.py(), Task::fields(task));
        let state = match fields.future.state.get() {
            PENDING => State::Pending,
            CANCELLED => State::Cancelled,
            FINISHED => peek(py, &fields.future.exception).map_or(State::Returned, State::Raised),
            _ => State::Returned,
        };
        Self {
            object: task.as_any().clone(),
            coroutine: peek(py, &fields.coroutine),
            waiter: peek(py, &fields.waiter),
            state,
        }
    }

    fn of_other(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let attribute = |name| -> PyResult<_> {
            Ok(object.getattr_opt(name)?.filter(|value: &Bound<'_, PyAny>| !value.is_none()))
        };
        let says = |method| -> PyResult<bool> { object.call_method0(method)?.is_truthy() };
        let state = if !says(intern!(py, "done"))? {
            State::Pending
        } else if says(intern!(py, "cancelled"))? {
            State::Cancelled
        } else {
            attribute(intern!(py, "_exception"))?.map_or(State::Returned, State::Raised)
        };
        Ok(Self {
            object: object.clone(),
            coroutine: Some(object.call_method0(intern!(py, "get_coro"))?),
            waiter: attribute(intern!(py, "_fut_waiter"))?,
            state,
        })
    }

    /// The number by which records refer to it.
    pub fn id(&self) -> TaskId {
        id_of(&self.object)
    }

    /// What it is called. A name that would be made of a number is not made.
    ///
    /// # Errors
    ///
    /// What asking for it raises.
    pub fn name(&self) -> PyResult<TaskName<'py>> {
        let py = self.object.py();
        if let Some(task) = Task::of(&self.object)
            && let Some(name) = peek(py, &Task::fields(task).name)
        {
            return Ok(match name.cast::<PyInt>() {
                Ok(number) => TaskName::Number(number.extract()?),
                Err(_) => TaskName::Text(name),
            });
        }
        Ok(TaskName::Text(self.object.call_method0(intern!(py, "get_name"))?))
    }
}

/// Whether an object is a task: of one of asyncio's classes, or one that inherits from these.
pub fn is_task(object: &Bound<'_, PyAny>) -> bool {
    let (py, class) = (object.py(), object.get_type());
    let is_of = |task: PyResult<&Bound<'_, PyAny>>| {
        task.and_then(|task| class.is_subclass(task)).unwrap_or(false)
    };
    is_of(imports::asyncio_task(py)) || is_of(imports::python_task(py))
}

/// The number by which records refer to a task.
pub fn id_of(task: &Bound<'_, PyAny>) -> TaskId {
    TaskId(task.as_ptr().addr() as u64)
}
