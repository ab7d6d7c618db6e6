//! What stands for a step or a wake-up of a task where a callable is asked for: on a loop whose
//! `call_soon` was replaced, among the callbacks of a future, and in a handle that somebody looks at.

use std::cell::RefCell;

use pyo3::exceptions::PyBaseException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::classes::{Future, Task};
use super::layout::peek;
use super::step::Awakening;
use crate::call::Call;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::handle::Handle;

/// Takes a task's next step when it is called.
#[pyclass(frozen, name = "TaskStepMethWrapper", module = "groundup._groundup")]
pub struct Step {
    task: Py<PyAny>,
    /// What is raised in the coroutine.
    exception: GilBound<RefCell<Option<Py<PyBaseException>>>>,
}

/// Wakes a task when it is called with the future that it waits for.
#[pyclass(frozen, name = "task_wakeup", module = "groundup._groundup")]
pub struct Wakeup {
    task: Py<PyAny>,
}

impl Step {
    fn of<'py>(
        task: &Bound<'py, Task>,
        exception: Option<Bound<'py, PyBaseException>>,
    ) -> PyResult<Bound<'py, Self>> {
        let exception = GilBound::new(RefCell::new(exception.map(Bound::unbind)));
        Bound::new(task.py(), Self { task: task.as_any().clone().unbind(), exception })
    }
}

impl Wakeup {
    /// What wakes a task.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn of<'py>(task: &Bound<'py, Task>) -> PyResult<Bound<'py, Self>> {
        Bound::new(task.py(), Self { task: task.as_any().clone().unbind() })
    }
}

/// The callable that does what an entry of the ready queue does, with its arguments.
fn call_of<'py>(task: &Bound<'py, Task>, awakening: Awakening<'py>) -> PyResult<Call> {
    let py = task.py();
    Ok(match awakening {
        Awakening::Step => Call::new(Step::of(task, None)?.into_any(), PyTuple::empty(py)),
        Awakening::Throw(exception) => {
            Call::new(Step::of(task, Some(exception))?.into_any(), PyTuple::empty(py))
        }
        Awakening::Waited => {
            let future = peek(py, &Task::fields(task).waiter);
            Call::new(Wakeup::of(task)?.into_any(), PyTuple::new(py, future)?)
        }
    })
}

/// The wake-up of a task, and the context for it, when the base's code has a future's callbacks called and the task
/// stands in the place of one.
///
/// # Errors
///
/// `MemoryError`.
#[inline]
pub fn wakeup_of<'py>(py: Python<'py>, call: &Call) -> PyResult<Option<(Call, Bound<'py, PyAny>)>> {
    match (Task::of(call.callback().bind(py)), call.only_argument()) {
        (Some(task), Some(future)) if Future::of(future.bind(py)).is_some() => {
            let wakeup = Call::new(Wakeup::of(task)?.into_any(), call.args(py)?);
            Ok(Some((wakeup, Task::context(py, Task::fields(task))?)))
        }
        _ => Ok(None),
    }
}

/// A handle that does what an entry of the ready queue does.
///
/// # Errors
///
/// What making it raises.
pub fn handle_of<'py>(
    event_loop: &Bound<'py, EventLoop>,
    task: &Bound<'py, Task>,
    awakening: Awakening<'py>,
) -> PyResult<Bound<'py, Handle>> {
    let context = Task::context(task.py(), Task::fields(task))?;
    Handle::new(event_loop, call_of(task, awakening)?, Some(&context))
}

/// Has a task go on in the loop's next turn, through the loop's `call_soon`.
///
/// # Errors
///
/// What that raises.
pub fn call_soon<'py>(
    event_loop: &Bound<'py, EventLoop>,
    task: &Bound<'py, Task>,
    awakening: Awakening<'py>,
) -> PyResult<()> {
    let py = task.py();
    let call = call_of(task, awakening)?;
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "context"), Task::context(py, Task::fields(task))?)?;
    let mut arguments = vec![call.callback().bind(py).clone()];
    arguments.extend(call.args(py)?.iter());
    let arguments = PyTuple::new(py, arguments)?;
    event_loop.call_method(intern!(py, "call_soon"), arguments, Some(&keywords)).map(drop)
}

#[pymethods]
impl Step {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let exception = self.exception.get(py).take().map(|it| it.into_bound(py));
        match Task::of(self.task.bind(py)) {
            Some(task) => {
                let event_loop = Task::event_loop(task)?;
                let outcome = Task::step(task, &event_loop, exception);
                EventLoop::leave_task(&event_loop);
                Ok(outcome?)
            }
            None => Ok(()),
        }
    }

    #[getter]
    fn __self__(&self, py: Python<'_>) -> Py<PyAny> {
        self.task.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)?;
        self.exception.visit().try_borrow().map_or(Ok(()), |exception| visit.call(&*exception))
    }
}

#[pymethods]
impl Wakeup {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        match Task::of(self.task.bind(future.py())) {
            Some(task) => {
                let event_loop = Task::event_loop(task)?;
                let outcome = Task::wake(task, &event_loop, future);
                EventLoop::leave_task(&event_loop);
                Ok(outcome?)
            }
            None => Ok(()),
        }
    }

    #[getter]
    fn __self__(&self, py: Python<'_>) -> Py<PyAny> {
        self.task.clone_ref(py)
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        "task_wakeup"
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        "task_wakeup"
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)
    }
}
