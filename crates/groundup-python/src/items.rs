//! What is given to `interweave` and `run_all`: an iterable of things that can be resumed.
//!
//! Promises that a bad item is refused by name before anything runs, and that no coroutine beside it
//! is then reported as never awaited. This file must not know how turns are taken.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::coroutine::{PyCoroutine, is_awaitable};

/// The coroutines that `items` stands for.
///
/// # Errors
///
/// `TypeError` when it cannot be iterated, or one of the items neither that nor awaited; what the
/// iteration raises.
pub fn coroutines_of(items: &Bound<'_, PyAny>) -> PyResult<Vec<PyCoroutine>> {
    let mut objects = Vec::new();
    let all = objects_of(items, &mut objects);
    let coroutines: Vec<_> = objects.iter().map(PyCoroutine::of_any).collect();
    if all.is_err() || coroutines.iter().any(Result::is_err) {
        for (object, coroutine) in objects.iter().zip(&coroutines) {
            close_awaitable(object, coroutine);
        }
    }
    all.and_then(|()| coroutines.into_iter().collect())
}

fn objects_of<'py>(
    items: &Bound<'py, PyAny>,
    objects: &mut Vec<Bound<'py, PyAny>>,
) -> PyResult<()> {
    // A coroutine by itself is a list forgotten, even where it can be iterated.
    if is_awaitable(items) {
        close_awaitable(items, &PyCoroutine::of_any(items));
        return Err(not_iterable(items)?);
    }
    let iterator = items.try_iter().or_else(|error| {
        let iterable = !error.is_instance_of::<PyTypeError>(items.py());
        Err(if iterable { error } else { not_iterable(items)? })
    })?;
    for item in iterator {
        objects.push(item?);
    }
    Ok(())
}

fn not_iterable(items: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    Ok(PyTypeError::new_err(format!(
        "an iterable of coroutines, generators or iterables was expected, got {}",
        items.repr()?
    )))
}

/// Ends a coroutine that will not get a turn, lest it be reported as never awaited. Generators are
/// left as they are: whoever gave them may go on with them.
fn close_awaitable(object: &Bound<'_, PyAny>, coroutine: &PyResult<PyCoroutine>) {
    if !is_awaitable(object) {
        return;
    }
    if let Ok(Err(error)) = coroutine.as_ref().map(|coroutine| coroutine.close(object.py())) {
        error.write_unraisable(object.py(), Some(object));
    }
}
