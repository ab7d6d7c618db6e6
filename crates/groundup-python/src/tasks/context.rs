//! The context of a task.
//!
//! Until somebody asks for it, a task has only its variables, as calls do (`contexts.rs`), and takes its
//! steps in a context that is lent to it. Whoever comes by that context in a step keeps it from being taken
//! back: it is the task's from then on.

use pyo3::prelude::*;
use pyo3::types::PyContext;

use super::classes::Task;
use super::layout::{TaskObject, peek, refers_to};
use super::step::uninitialised;
use crate::contexts::{self, CallContext};
use crate::ffi;

impl Task {
    /// Runs a function in a task's context; one that was not initialised has none, and runs nothing.
    ///
    /// # Errors
    ///
    /// What the function raises; `MemoryError`; `RuntimeError` when the context is entered already.
    #[inline(always)]
    pub fn run_in_context<E: From<PyErr>>(
        task: &Bound<'_, Self>,
        function: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let (py, field) = (task.py(), &Self::fields(task).context);
        let Some(held) = peek(py, field) else { return Ok(()) };
        let variables = match CallContext::of(held) {
            CallContext::Made(context) => {
                let context = context.bind(py).cast::<PyContext>().map_err(PyErr::from)?;
                return ffi::run_in_context(context, function);
            }
            CallContext::Variables(variables) => variables.into_bound(py),
        };
        let context = contexts::lend(variables)?;
        drop(field.replace(Some(context.clone().into_any().unbind())));
        let outcome = ffi::run_in_context(&context, function);
        if refers_to(field, &context) && ffi::has_no_more_references(&context, 2) {
            drop(field.take());
            field.set(Some(contexts::take_back(context).unbind()));
        }
        outcome
    }

    /// A task's context, which is the same from now on.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the task was not initialised; `MemoryError`.
    pub fn context<'py>(py: Python<'py>, fields: &TaskObject) -> PyResult<Bound<'py, PyAny>> {
        let held = peek(py, &fields.context).ok_or_else(uninitialised)?;
        let context = CallContext::of(held).own(py)?.clone();
        drop(fields.context.replace(Some(context.clone().unbind())));
        Ok(context)
    }
}
