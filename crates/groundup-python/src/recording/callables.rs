//! Callables: which function is behind one, and what it is called.
//!
//! Nothing of the program's is called to find out.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyTuple};

use super::task_view::is_task;
use crate::{ffi, imports};

/// How often a callable is looked into for the one that it calls, at most.
const DEEPEST: usize = 8;

/// What a function is called.
///
/// # Errors
///
/// What the interpreter raises.
pub fn name_of_callable(callable: &Bound<'_, PyAny>) -> PyResult<String> {
    qualified_name(&innermost(callable))
}

/// The function behind methods and `functools.partial`s.
pub fn innermost<'py>(callable: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
    let mut innermost = callable.clone();
    for _ in 0..DEEPEST {
        match called_by(&innermost) {
            Some(next) => innermost = next,
            None => break,
        }
    }
    innermost
}

/// What a callable does nothing but call.
fn called_by<'py>(callable: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = callable.py();
    if !callable.get_type().is(imports::partial(py).ok()?) {
        return ffi::attribute(callable, intern!(py, "__func__"));
    }
    let function = ffi::attribute(callable, intern!(py, "func"))?;
    let runs_in_context = ffi::attribute(&function, intern!(py, "__self__"))
        .is_some_and(|it| it.is_exact_instance_of::<PyContext>());
    if runs_in_context {
        // As `asyncio.to_thread` has it.
        let arguments = ffi::attribute(callable, intern!(py, "args"))?;
        return arguments.cast_exact::<PyTuple>().ok()?.get_item(0).ok();
    }
    Some(function)
}

/// The qualified name of a function, or that of the class of what is none.
///
/// # Errors
///
/// What the interpreter raises.
pub fn qualified_name(object: &Bound<'_, PyAny>) -> PyResult<String> {
    match ffi::attribute(object, intern!(object.py(), "__qualname__")) {
        Some(name) => Ok(name.str()?.to_string_lossy().into_owned()),
        None => Ok(object.get_type().qualname()?.to_string_lossy().into_owned()),
    }
}

/// The task that a callback of asyncio's own code resumes.
pub fn resumed_by<'py>(callback: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = callback.py();
    let task = ffi::attribute(callback, intern!(py, "__self__"))?;
    // Of methods, the function has the name.
    let function = ffi::attribute(callback, intern!(py, "__func__"));
    let named = function.as_ref().unwrap_or(callback);
    let is_step = match ffi::attribute(named, intern!(py, "__name__")) {
        Some(name) => ["task_wakeup", "__step", "__wakeup", "_Task__step", "_Task__wakeup"]
            .iter()
            .any(|it| name.eq(it).unwrap_or(false)),
        None => callback.get_type().name().is_ok_and(|it| it == "TaskStepMethWrapper"),
    };
    (is_step && is_task(&task)).then_some(task)
}
