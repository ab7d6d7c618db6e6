//! What stands around each function of a class that the interpreter calls: neither an error nor a panic
//! passes, but as an exception.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::quick_method::raise;

/// Runs what the interpreter has called; an error, or a panic, is raised, and `failed` returned.
///
/// The interpreter holds the lock, also at its end, when nobody can be attached any more.
pub fn guard<T>(failed: T, body: impl Fn(Python<'_>) -> PyResult<T>) -> T {
    let guarded = |py: Python<'_>| catch_unwind(AssertUnwindSafe(|| body(py)));
    let outcome = match Python::try_attach(guarded) {
        Some(outcome) => outcome,
        // SAFETY: the interpreter is what calls, with the lock held.
        None => guarded(unsafe { Python::assume_attached() }),
    };
    let error = match outcome {
        Ok(Ok(value)) => return value,
        Ok(Err(error)) => error,
        Err(_) => has_panicked(),
    };
    // SAFETY: as above.
    error.restore(unsafe { Python::assume_attached() });
    failed
}

/// The same, for what lets go of objects by the token that it has, and in no other way: then `PyO3` need not
/// be told that this thread holds the lock.
#[inline(always)]
pub fn guard_quickly(
    body: impl Fn(Python<'_>) -> PyResult<*mut ffi::PyObject>,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter is what calls, with the lock held.
    let quickly = || body(unsafe { Python::assume_attached() });
    match catch_unwind(AssertUnwindSafe(quickly)) {
        Ok(Ok(object)) => object,
        Ok(Err(error)) => raise(error),
        Err(_) => raise(has_panicked()),
    }
}

fn has_panicked() -> PyErr {
    PySystemError::new_err("groundup: a method of a future or task has panicked")
}
