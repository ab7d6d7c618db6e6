//! The life of a generator-based coroutine: called, resumed as often as it yields, finished.
//!
//! Promises what Python's own coroutines promise: one runs once, not while it is running, and a
//! StopIteration inside does not end it quietly. This file must not know the object that Python sees.

use std::cell::{Cell, RefCell};
use std::pin::Pin;

use groundup::coroutine::{Coroutine, Step};
use pyo3::PyTraverseError;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::coroutine::{PyCoroutine, Resume, is_awaitable};
use crate::ffi;

/// Where a coroutine is in its life.
#[derive(Debug)]
pub struct Life {
    stage: RefCell<Stage>,
    /// Whether it was resumed or closed.
    started: Cell<bool>,
    running: Cell<bool>,
}

/// How far a coroutine has come.
#[derive(Debug)]
pub enum Stage {
    /// The function is still to be called.
    Call {
        /// The function.
        function: Py<PyAny>,
        /// Its arguments.
        args: Py<PyTuple>,
        /// Its named arguments.
        kwargs: Option<Py<PyDict>>,
    },
    /// This is to be resumed: a generator, or what the function returned.
    Resumable(PyCoroutine),
    /// It returned, raised, or was closed.
    Finished,
}

/// What a resume led to.
type Stepped = PyResult<Step<Py<PyAny>, Py<PyAny>>>;

impl Life {
    /// A life that begins at `stage`.
    pub fn new(stage: Stage) -> Self {
        Self { stage: RefCell::new(stage), started: Cell::new(false), running: Cell::new(false) }
    }

    /// Resumes the coroutine.
    ///
    /// # Errors
    ///
    /// What it raises; `ValueError` while it is running, `RuntimeError` when it has finished,
    /// `TypeError` when it is started with a value.
    pub fn resume(&self, py: Python<'_>, input: Resume) -> Stepped {
        let _running = self.enter()?;
        self.check_resume(py, &input)?;
        self.started.set(true);
        let stepped = self.step(py, input);
        if !matches!(stepped, Ok(Step::Yielded(_))) {
            self.finish();
        }
        stepped.map_err(|error| not_stop_iteration(py, error))
    }

    /// Ends the coroutine where it stopped.
    ///
    /// # Errors
    ///
    /// What it raises instead of ending; `ValueError` while it is running.
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        let _running = self.enter()?;
        self.started.set(true);
        let closed = self.resumable(py).map_or(Ok(()), |coroutine| coroutine.close(py));
        self.finish();
        closed
    }

    /// Whether it was resumed or closed.
    pub fn has_started(&self) -> bool {
        self.started.get()
    }

    /// Whether it is running.
    pub fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Its state, by the name that `inspect` gives it.
    pub fn state(&self) -> &'static str {
        match (self.is_running(), self.is_finished(), self.has_started()) {
            (true, ..) => "RUNNING",
            (_, true, _) => "CLOSED",
            (.., true) => "SUSPENDED",
            _ => "CREATED",
        }
    }

    /// Visits what it refers to, for the garbage collector.
    ///
    /// # Errors
    ///
    /// What the visit answers.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &*self.stage.borrow() {
            Stage::Call { function, args, kwargs } => {
                visit.call(function)?;
                visit.call(args)?;
                visit.call(kwargs)
            }
            Stage::Resumable(coroutine) => visit.call(coroutine.object()),
            Stage::Finished => Ok(()),
        }
    }

    /// Says that it is running, for as long as the result lives.
    fn enter(&self) -> PyResult<Running<'_>> {
        if self.running.replace(true) {
            return Err(PyValueError::new_err("coroutine already executing"));
        }
        Ok(Running(&self.running))
    }

    fn check_resume(&self, py: Python<'_>, input: &Resume) -> PyResult<()> {
        if self.is_finished() {
            return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
        }
        match input {
            Resume::Send(value) if !self.started.get() && !value.is_none(py) => {
                let message = "can't send non-None value to a just-started coroutine";
                Err(PyTypeError::new_err(message))
            }
            _ => Ok(()),
        }
    }

    fn step(&self, py: Python<'_>, input: Resume) -> Stepped {
        match (self.resumable(py), input) {
            (Some(coroutine), input) => step(coroutine, input),
            (None, Resume::Throw(error)) => Err(error),
            (None, _) => self.call(py),
        }
    }

    /// Calls the function, and steps into what it returned if that can be resumed.
    fn call(&self, py: Python<'_>) -> Stepped {
        let Stage::Call { function, args, kwargs } = self.stage.replace(Stage::Finished) else {
            unreachable!("only a function that is to be called has nothing to resume");
        };
        let kwargs = kwargs.as_ref().map(|kwargs| kwargs.bind(py));
        let result = function.bind(py).call(args.bind(py), kwargs)?;
        if !is_awaitable(&result) && !ffi::is_generator(&result) {
            return Ok(Step::Returned(result.unbind()));
        }
        let coroutine = PyCoroutine::of_any(&result)?;
        self.stage.replace(Stage::Resumable(coroutine.clone_ref(py)));
        step(coroutine, Resume::Next)
    }

    /// Lets go of what it was, which may run code that comes back to this coroutine.
    pub fn finish(&self) {
        drop(self.stage.replace(Stage::Finished));
    }

    /// Whether it returned, raised, or was closed.
    pub fn is_finished(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Finished)
    }

    fn resumable(&self, py: Python<'_>) -> Option<PyCoroutine> {
        match &*self.stage.borrow() {
            Stage::Resumable(coroutine) => Some(coroutine.clone_ref(py)),
            _ => None,
        }
    }

    /// The first attribute of these names that what is resumed has; none while there is nothing.
    ///
    /// # Errors
    ///
    /// What looking it up raises.
    pub fn attribute<'py>(
        &self,
        py: Python<'py>,
        names: [&str; 2],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(coroutine) = self.resumable(py) else { return Ok(None) };
        for name in names {
            if let Some(value) = coroutine.object().bind(py).getattr_opt(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

fn step(mut coroutine: PyCoroutine, input: Resume) -> Stepped {
    match Pin::new(&mut coroutine).resume(input) {
        Step::Yielded(value) => Ok(Step::Yielded(value)),
        Step::Returned(result) => result.map(Step::Returned),
    }
}

struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// An exception to let out: a StopIteration would be taken for a return (PEP 479).
fn not_stop_iteration(py: Python<'_>, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py) {
        return error;
    }
    let raised = PyRuntimeError::new_err("coroutine raised StopIteration");
    raised.set_cause(py, Some(error));
    raised
}
