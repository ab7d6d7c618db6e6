//! Who hears that a loop begins to run: whoever is to record it.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;

use crate::event_loop::EventLoop;

/// Whether anybody wants to hear.
static IS_WATCHED: AtomicBool = AtomicBool::new(false);
/// Who: one callable, or none.
static WATCHER: PyOnceLock<Py<PyList>> = PyOnceLock::new();

fn watcher(py: Python<'_>) -> &Bound<'_, PyList> {
    WATCHER.get_or_init(py, || PyList::empty(py).unbind()).bind(py)
}

/// Have a callable hear of each loop that begins to run, before it does; None: nobody.
///
/// Args:
///     watcher: A callable of a loop. What it raises is raised where the loop is run.
#[pyfunction]
#[pyo3(signature = (watcher, /))]
pub fn watch_runs(py: Python<'_>, watcher: Option<Py<PyAny>>) -> PyResult<()> {
    let list = self::watcher(py);
    list.call_method0("clear")?;
    IS_WATCHED.store(watcher.is_some(), Ordering::Relaxed);
    watcher.map_or(Ok(()), |watcher| list.append(watcher))
}

/// Says that a loop begins to run.
///
/// # Errors
///
/// What the watcher raises.
#[inline]
pub fn announce(event_loop: &Bound<'_, EventLoop>) -> PyResult<()> {
    if !IS_WATCHED.load(Ordering::Relaxed) {
        return Ok(());
    }
    match watcher(event_loop.py()).get_item(0) {
        Ok(watcher) => watcher.call1((event_loop,)).map(drop),
        Err(_) => Ok(()),
    }
}
