//! Methods of futures, as the interpreter calls them: each makes its pointers into what `future.rs` and
//! `callbacks.rs` take.

use std::ffi::c_void;
use std::ptr;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use super::classes::{Future, bases};
use super::guard::{guard, guard_quickly};
use super::passed::{message, pass_on, tuple};
use crate::quick_method::lent;

/// The future that the interpreter calls a method of.
pub unsafe fn receiver<'py>(py: Python<'py>, object: *mut ffi::PyObject) -> Bound<'py, Future> {
    // SAFETY: the caller passes on what the interpreter has called a method of this module's classes
    // with, whose class it has checked.
    unsafe { Bound::from_borrowed_ptr(py, object).cast_into_unchecked() }
}

/// `Future.set_result`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn set_result(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this class and a live object.
        let (future, value) =
            unsafe { (receiver(py, object), Bound::from_borrowed_ptr(py, value)) };
        Future::set_result(&future, value)?;
        Ok(py.None().into_ptr())
    })
}

/// The future whose `set_result` an object is, if it is that method.
#[inline]
pub fn future_set_by<'py>(method: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let object = method.as_ptr();
    // SAFETY: the object is live, and a method of C's, by its type; who it is bound to, which may be
    // null for a function, lives as long as it does.
    unsafe {
        if ffi::PyCFunction_CheckExact(object) == 0 {
            return None;
        }
        let is_set_result = ffi::PyCFunction_GetFunction(object)
            .is_some_and(|function| ptr::fn_addr_eq(function, set_result as ffi::PyCFunction));
        let bound_to = is_set_result.then(|| ffi::PyCFunction_GetSelf(object))?;
        Bound::from_borrowed_ptr_or_opt(method.py(), bound_to)
    }
}

/// `Future.set_exception`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn set_exception(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let (future, value) =
            unsafe { (receiver(py, object), Bound::from_borrowed_ptr(py, value)) };
        Future::set_exception(&future, value)?;
        Ok(py.None().into_ptr())
    })
}

/// `Future.exception`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn exception(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let future = unsafe { receiver(py, object) };
        Future::exception(&future).map(Bound::into_ptr)
    })
}

/// `Future.get_loop`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn get_loop(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let future = unsafe { receiver(py, object) };
        Future::event_loop(&future).map(Bound::into_ptr)
    })
}

/// `Future.cancel`.
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
        // SAFETY: the interpreter passes a future of this class, and arguments as `message` says.
        unsafe {
            let Some(message) = message(py, args, count, names) else {
                return pass_on(py, &bases(py).cancel, object, args, count, names);
            };
            let cancelled = Future::cancel(&receiver(py, object), Some(message))?;
            Ok(cancelled.into_pyobject(py)?.to_owned().into_ptr())
        }
    })
}

/// `Future._callbacks`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn callbacks(
    object: *mut ffi::PyObject,
    _closure: *mut c_void,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a future of this class.
        let future = unsafe { receiver(py, object) };
        Future::callbacks(&future).map(Bound::into_ptr)
    })
}

/// `Future.add_done_callback`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for this method of the class.
pub unsafe extern "C" fn add_done_callback(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this class, so many live arguments, as many more as there
        // are names, and a tuple of these or null.
        let (future, names_given, all) = unsafe {
            let named = (!names.is_null()).then(|| tuple(py, names));
            let all = count as usize + named.as_ref().map_or(0, |named| named.len());
            (receiver(py, object), named, lent(args, all))
        };
        let (callback, context) = match (all, names_given.as_ref().map(|it| it.as_slice())) {
            ([callback], None) => (callback, None),
            ([callback, context], Some([name])) if name.is(intern!(py, "context")) => {
                (callback, Some(context.bind(py).clone()))
            }
            // SAFETY: as above.
            _ => unsafe {
                let method = &bases(py).add_done_callback;
                return pass_on(py, method, object, args, count, names);
            },
        };
        Future::add_done_callback(&future, callback.bind(py).clone(), context)?;
        Ok(py.None().into_ptr())
    })
}
