//! What the interpreter passes to a method, and passing it on.

use std::slice;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::quick_method::lent;

/// What `cancel` is given for a message, which is None if it is given nothing; `None` when it is given anything
/// else.
///
/// # Safety
///
/// There are so many live arguments, as many more as there are names, and a tuple of these or null.
pub unsafe fn message<'py>(
    py: Python<'py>,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: as the function's.
    let (given, named) = unsafe {
        let named = (!names.is_null()).then(|| tuple(py, names));
        let all = count as usize + named.as_ref().map_or(0, |named| named.len());
        (lent(args, all), named)
    };
    match (given, named.as_ref().map(|named| named.as_slice())) {
        ([], None | Some([])) => Some(py.None().into_bound(py)),
        ([message], None | Some([])) => Some(message.bind(py).clone()),
        ([message], Some([name])) if name.is(intern!(py, "msg")) => Some(message.bind(py).clone()),
        _ => None,
    }
}

/// Calls a method of the base with what the interpreter has called one of this module with.
///
/// # Safety
///
/// There are so many live arguments, as many more as there are names, and a tuple of these or null.
pub unsafe fn pass_on(
    py: Python<'_>,
    method: &Py<PyAny>,
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> PyResult<*mut ffi::PyObject> {
    // SAFETY: as the function's.
    unsafe {
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
        let mut all = vec![object];
        if count + named > 0 {
            all.extend_from_slice(slice::from_raw_parts(args, (count + named) as usize));
        }
        let outcome =
            ffi::PyObject_Vectorcall(method.as_ptr(), all.as_ptr(), 1 + count as usize, names);
        Bound::from_owned_ptr_or_err(py, outcome).map(Bound::into_ptr)
    }
}

/// The positional arguments.
///
/// # Safety
///
/// The interpreter has passed them.
pub unsafe fn tuple(py: Python<'_>, args: *mut ffi::PyObject) -> Bound<'_, PyTuple> {
    // SAFETY: the caller passes on what the interpreter has given for positional arguments.
    unsafe { Bound::from_borrowed_ptr(py, args).cast_into_unchecked() }
}

/// The keywords.
///
/// # Safety
///
/// As for [`tuple`].
pub unsafe fn dict(py: Python<'_>, keywords: *mut ffi::PyObject) -> Option<Bound<'_, PyDict>> {
    // SAFETY: the caller passes on what the interpreter has given for keywords.
    unsafe {
        Bound::from_borrowed_ptr_or_opt(py, keywords).map(|keywords| keywords.cast_into_unchecked())
    }
}
