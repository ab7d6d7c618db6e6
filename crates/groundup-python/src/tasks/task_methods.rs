//! Methods of tasks, as the interpreter calls them: each makes its pointers into what `task.rs` and `context.rs`
//! take.

use std::ffi::c_int;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::classes::{Task, bases};
use super::guard::{guard, guard_quickly};
use super::layout::OwnTaskObject;
use super::passed::{dict, message, pass_on, tuple};

/// `Task.cancel`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn cancel(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, and arguments as
        // `message` says.
        unsafe {
            let task = Bound::from_borrowed_ptr(py, object).cast_into_unchecked();
            Task::tell_cancel(&task);
            match (Task::of(task.as_any()), message(py, args, count, names)) {
                (Some(task), Some(message)) => {
                    let cancelled = Task::cancel(task, message)?;
                    Ok(cancelled.into_pyobject(py)?.to_owned().into_ptr())
                }
                _ => pass_on(py, &bases(py).cancel_task, object, args, count, names),
            }
        }
    })
}

/// `Task.get_name`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn get_name(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it.
        let task = unsafe { &*object.cast::<OwnTaskObject>() };
        Task::name(py, &task.task).map(Bound::into_ptr)
    })
}

/// `Task.get_context`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn get_context(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `get_name`.
        let task = unsafe { &*object.cast::<OwnTaskObject>() };
        Task::context(py, &task.task).map(Bound::into_ptr)
    })
}

/// `Task.set_name`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn set_name(
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, and a live
        // object.
        let (task, name, fields) = unsafe {
            let task = Bound::from_borrowed_ptr(py, object);
            (task, Bound::from_borrowed_ptr(py, name), &*object.cast::<OwnTaskObject>())
        };
        Task::set_name(&task, &fields.task, name)?;
        Ok(py.None().into_ptr())
    })
}

/// `Task.__init__`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn init(
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> c_int {
    guard(-1, |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, a
        // tuple, and a dict or null.
        let (task, args, keywords) =
            unsafe { (Bound::from_borrowed_ptr(py, object), tuple(py, args), dict(py, keywords)) };
        Task::init(&task, &args, keywords.as_ref()).map(|()| 0)
    })
}
