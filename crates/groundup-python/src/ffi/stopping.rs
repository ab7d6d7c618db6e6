//! How an iterator says that it has ended, and with what.

#[cfg(Py_3_12)]
use std::cell::Cell;

use pyo3::ffi;
use pyo3::prelude::*;
#[cfg(Py_3_12)]
use pyo3::types::{PyBool, PyTuple};

#[cfg(Py_3_12)]
use crate::gil::GilBound;

/// Ends an iterator with a result: it is then to give nothing. `None` needs no exception at all.
pub fn return_from_iterator(result: &Bound<'_, PyAny>) {
    if result.is_none() {
        return;
    }
    #[cfg(Py_3_12)]
    if let Some(stop) = stop_iteration(result) {
        // SAFETY: the lock is held and no exception is pending; the call takes over the reference.
        unsafe { ffi::PyErr_SetRaisedException(stop.into_ptr()) };
        return;
    }
    // SAFETY: class and value are live, the lock is held, and no exception is pending; without memory
    // for the tuple, one is, which then ends the iterator. Tuples would be taken for the exception's
    // arguments, and exceptions for the exception itself.
    unsafe {
        let is_taken_apart = ffi::PyTuple_Check(result.as_ptr()) != 0
            || ffi::PyExceptionInstance_Check(result.as_ptr()) != 0;
        if !is_taken_apart {
            return ffi::PyErr_SetObject(ffi::PyExc_StopIteration, result.as_ptr());
        }
        let arguments = ffi::PyTuple_Pack(1, result.as_ptr());
        if !arguments.is_null() {
            ffi::PyErr_SetObject(ffi::PyExc_StopIteration, arguments);
            ffi::Py_DECREF(arguments);
        }
    }
}

/// `StopIteration(result)`, made without a call; none where it would have a `__context__`, or there is
/// no memory. Before Python 3.12 the interpreter makes none until somebody looks.
#[cfg(Py_3_12)]
fn stop_iteration<'py>(result: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = result.py();
    // SAFETY: the lock is held; the result is a new reference, or null.
    let handled = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyErr_GetHandledException()) };
    if handled.is_some() {
        return None;
    }
    if result.is(PyBool::new(py, true)) {
        kept_for_true(result)
    } else {
        new_stop_iteration(result)
    }
}

/// Locks, semaphores and events give True to who has waited: the `StopIteration` of that serves again,
/// once nobody has it and as long as it is like a new one.
#[cfg(Py_3_12)]
fn kept_for_true<'py>(result: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    static KEPT: GilBound<Cell<Option<Py<PyAny>>>> = GilBound::new(Cell::new(None));
    let kept = KEPT.get(result.py());
    let found = kept.take().map(|stop| stop.into_bound(result.py()));
    let stop = match found.filter(is_like_new) {
        Some(stop) => stop,
        None => new_stop_iteration(result)?,
    };
    kept.set(Some(stop.clone().unbind()));
    Some(stop)
}

/// Whether nobody else has an exception, and nobody who had it has left a trace on it.
#[cfg(Py_3_12)]
fn is_like_new(stop: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is a live `StopIteration`, and the lock is held; its arguments, a tuple, are
    // not deleted.
    unsafe {
        let fields = &*stop.as_ptr().cast::<ffi::PyStopIterationObject>();
        let traces = [fields.dict, fields.notes, fields.traceback, fields.context, fields.cause];
        super::reference_count(stop) == 1
            && traces.iter().all(|trace| trace.is_null())
            && fields.value == ffi::Py_True()
            && ffi::PyTuple_GET_SIZE(fields.args) == 1
            && ffi::PyTuple_GET_ITEM(fields.args, 0) == ffi::Py_True()
    }
}

#[cfg(Py_3_12)]
fn new_stop_iteration<'py>(result: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = result.py();
    let arguments = PyTuple::new(py, [result]).ok()?;
    // SAFETY: the class lives for ever and makes objects of its layout, whose fields are zero: no
    // references. The two that are written belong to the object, which nobody has seen yet.
    unsafe {
        let class = ffi::PyExc_StopIteration.cast::<ffi::PyTypeObject>();
        let stop = ffi::PyType_GenericAlloc(class, 0);
        let Some(stop) = Bound::from_owned_ptr_or_opt(py, stop) else {
            ffi::PyErr_Clear();
            return None;
        };
        let fields = stop.as_ptr().cast::<ffi::PyStopIterationObject>();
        (*fields).args = arguments.into_ptr();
        (*fields).value = result.clone().into_ptr();
        Some(stop)
    }
}
