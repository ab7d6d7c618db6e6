//! The end of futures and tasks: what the interpreter calls when nobody refers to one any more.

use std::ptr::NonNull;

use pyo3::ffi;

use super::classes::{Future, Task};
use super::layout::{FutureObject, OwnTaskObject};
use super::registry;
use super::spare_objects::{FUTURES, TASKS};

/// Ends a future that nobody refers to any more.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for `tp_dealloc` of the class.
pub unsafe extern "C" fn deallocate_future(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter passes a future of this class, or of one that inherits from it, whose last
    // reference is gone, and holds the lock.
    unsafe {
        let fields = &*object.cast::<FutureObject>();
        let class = Future::class();
        if ffi::Py_TYPE(object) == class && !fields.logs_traceback() && !has_own_finalizer(class) {
            return FUTURES.end(NonNull::new_unchecked(object));
        }
        end_by_base(object, (*class).tp_base, || {});
    }
}

/// Ends a task that nobody refers to any more.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for `tp_dealloc` of the class.
pub unsafe extern "C" fn deallocate_task(object: *mut ffi::PyObject) {
    // SAFETY: as in `deallocate_future`, for tasks.
    unsafe {
        let task = &*object.cast::<OwnTaskObject>();
        let class = Task::class();
        if ffi::Py_TYPE(object) == class && task.task.ends_quietly() && !has_own_finalizer(class) {
            registry::forget(&task.number);
            return TASKS.end(NonNull::new_unchecked(object));
        }
        end_by_base(object, (*class).tp_base, || registry::forget(&task.number));
    }
}

/// Whether a class of this module has another finalizer than its base: a program has given it one.
unsafe fn has_own_finalizer(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller passes a class of this module, which has a base.
    unsafe {
        let (own, base) = ((*class).tp_finalize, (*(*class).tp_base).tp_finalize);
        own.map(|finalize| finalize as usize) != base.map(|finalize| finalize as usize)
    }
}

/// Ends an object of a class that is made of a base, by the base's function for it.
unsafe fn end_by_base(
    object: *mut ffi::PyObject,
    base: *mut ffi::PyTypeObject,
    forget: impl FnOnce(),
) {
    // SAFETY: the last reference to the object is gone. The finalizer may make new ones; then it lives
    // on. What the base does with the object ends with the reference to a class that was made at
    // run time, except where the base itself was not: before Python 3.12.
    unsafe {
        if ffi::PyObject_CallFinalizerFromDealloc(object) < 0 {
            return;
        }
        forget();
        let class = ffi::Py_TYPE(object);
        let deallocate = (*base).tp_dealloc.expect("objects can be deallocated");
        deallocate(object);
        if cfg!(not(Py_3_12)) {
            ffi::Py_DECREF(class.cast());
        }
    }
}
