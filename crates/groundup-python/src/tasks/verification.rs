//! Whether the objects of `_asyncio` are laid out as `layout.rs` says: tried on a few of them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::classes;
use super::layout::{CANCELLED, FINISHED, FutureObject, PENDING, TaskObject, peek, refers_to};
use crate::{ffi, native_coroutine};

/// Whether the fields of `Future` and `Task` are where they are thought to be.
///
/// # Errors
///
/// What the classes raise.
pub fn holds(future: &Bound<'_, PyType>, task: &Bound<'_, PyType>) -> PyResult<bool> {
    let basic_size = |class: &Bound<'_, PyType>| class.getattr("__basicsize__")?.extract::<usize>();
    Ok(basic_size(future)? == size_of::<FutureObject>()
        && basic_size(task)? == size_of::<TaskObject>()
        && holds_for_callbacks(future)?
        && holds_for_outcomes(future)?
        && holds_for_tasks(task)?)
}

/// What is enough of a loop for a future that has no callbacks, and for a task that takes no step.
fn stand_in<'py>(py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let members = PyDict::new(py);
    members.set_item("get_debug", py.get_type::<pyo3::types::PyBool>())?;
    members.set_item("call_soon", py.import("functools")?.getattr("partial")?)?;
    let namespace = py.import("types")?.getattr("SimpleNamespace")?;
    let keywords = PyDict::new(py);
    keywords.set_item("loop", namespace.call((), Some(&members))?)?;
    Ok(keywords)
}

fn holds_for_callbacks(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let keywords = stand_in(py)?;
    let event_loop = keywords.get_item("loop")?.expect("it was set");
    let future = class.call((), Some(&keywords))?;
    let fields = classes::future_fields(&future);
    if !refers_to(&fields.event_loop, &event_loop) || fields.state.get() != PENDING {
        return Ok(false);
    }
    let context = ffi::copy_current_context(py)?.into_any();
    let in_context = PyDict::new(py);
    in_context.set_item("context", &context)?;
    future.call_method("add_done_callback", (&class,), Some(&in_context))?;
    let has_first = refers_to(&fields.callback, class) && refers_to(&fields.context, &context);
    let has_others = peek(py, &fields.callbacks).is_some();
    future.call_method1("add_done_callback", (&class,))?;
    let others = peek(py, &fields.callbacks).map_or(Ok(0), |others| others.len())?;
    future.setattr("_asyncio_future_blocking", true)?;
    Ok(has_first && !has_others && others == 1 && fields.is_blocking() && !fields.logs_traceback())
}

fn holds_for_outcomes(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let keywords = stand_in(py)?;
    let value = PyValueError::new_err(()).into_value(py).into_bound(py).into_any();
    let [result, failed, cancelled] =
        ["set_result", "set_exception", "cancel"].map(|method| -> PyResult<_> {
            let future = class.call((), Some(&keywords))?;
            future.call_method1(method, (&value,))?;
            Ok(future)
        });
    let (result, failed, cancelled) = (result?, failed?, cancelled?);
    let logs = classes::future_fields(&failed).logs_traceback();
    failed.call_method0("exception")?;
    let fields = [&result, &failed, &cancelled].map(|future| classes::future_fields(future));
    Ok(refers_to(&fields[0].result, &value)
        && refers_to(&fields[1].exception, &value)
        && refers_to(&fields[2].cancel_message, &value)
        && fields.map(|fields| fields.state.get()) == [FINISHED, FINISHED, CANCELLED]
        && logs
        && !fields[1].logs_traceback())
}

fn holds_for_tasks(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let keywords = stand_in(py)?;
    let name = "verified".into_pyobject(py)?.into_any();
    keywords.set_item("name", &name)?;
    let body = async |_| Ok(Python::attach(|py| py.None()));
    let coroutine = native_coroutine::new(py, "verified", body)?.into_bound(py).into_any();
    let task = class.call((&coroutine,), Some(&keywords))?;
    let fields = classes::task_fields(&task);
    let is_new = fields.logs_destroy_pending() && !fields.must_cancel();
    let has_context = peek(py, &fields.context)
        .is_some_and(|context| context.is_instance_of::<pyo3::types::PyContext>());
    task.call_method0("cancel")?;
    let is_cancelled = fields.must_cancel() && fields.cancel_requests.get() == 1;
    task.setattr("_log_destroy_pending", false)?;
    let is_quiet = !fields.logs_destroy_pending();
    coroutine.call_method0("close")?;
    #[cfg(Py_3_14)]
    let is_new = is_new && fields.future.is_task.get() && is_awaited_by(&task)?;
    Ok(is_new
        && has_context
        && is_cancelled
        && is_quiet
        && refers_to(&fields.coroutine, &coroutine)
        && refers_to(&fields.name, &name))
}

/// Whether it is found who awaits a task: here, the task itself.
#[cfg(Py_3_14)]
fn is_awaited_by(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    let fields = classes::future_fields(task);
    let module = task.py().import("_asyncio")?;
    module.call_method1("future_add_to_awaited_by", (task, task))?;
    let found = refers_to(&fields.awaited_by, task) && !fields.awaited_by_set.get();
    module.call_method1("future_discard_from_awaited_by", (task, task))?;
    Ok(found && peek(task.py(), &fields.awaited_by).is_none())
}
