//! The context of a task.
//!
//! Until somebody asks for it, a task has only its variables, as calls do (`contexts.rs`), and takes its
//! steps in a context that is lent to it.

use pyo3::prelude::*;
use pyo3::types::PyContext;

use super::classes::Task;
use super::layout::{Reference, TaskObject, peek, put, refers_to};
use crate::contexts::{self, CallContext, Holder};
use crate::ffi;

impl Holder for Reference {
    #[inline(always)]
    fn hold(&self, py: Python<'_>, context: CallContext) {
        put(py, self, Some(context.into_object(py)));
    }

    #[inline(always)]
    fn holds(&self, context: &Bound<'_, PyContext>) -> bool {
        refers_to(self, context)
    }
}

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
        match CallContext::of(held) {
            CallContext::Made(context) => {
                let context = context.bind(py).cast::<PyContext>().map_err(PyErr::from)?;
                ffi::run_in_context(context, function)
            }
            CallContext::Variables(variables) => {
                let run = |context: &Bound<'_, _>| ffi::run_in_context(context, function);
                contexts::run_lent(field, variables.into_bound(py), run)
            }
        }
    }

    /// A task's context, which is the same from now on; None, if the task was not initialised.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn context<'py>(py: Python<'py>, fields: &TaskObject) -> PyResult<Bound<'py, PyAny>> {
        let Some(held) = peek(py, &fields.context) else { return Ok(py.None().into_bound(py)) };
        let context = CallContext::of(held).own(py)?.clone();
        put(py, &fields.context, Some(context.clone()));
        Ok(context)
    }
}
