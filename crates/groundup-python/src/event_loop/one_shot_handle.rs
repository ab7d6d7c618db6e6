//! A handle for what is ready and no callback: an I/O event, or a step of a transport.

use std::cell::RefCell;

use groundup::event_loop::{Entry, Held};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::{EventLoop, Ready, host};
use crate::gil::GilBound;
use crate::imports;

/// Stands for an entry of the ready queue that was taken out by hand; it can be run once.
#[pyclass(frozen, weakref, module = "groundup._groundup")]
pub struct OneShotHandle {
    event_loop: Py<EventLoop>,
    entry: GilBound<RefCell<Option<Entry<Ready>>>>,
}

impl OneShotHandle {
    pub fn new(event_loop: Py<EventLoop>, entry: Entry<Ready>) -> Self {
        Self { event_loop, entry: GilBound::new(RefCell::new(Some(entry))) }
    }

    /// What it stands for, unless it was run or cancelled.
    pub fn entry(&self, py: Python<'_>) -> Option<Entry<Ready>> {
        self.entry.get(py).borrow().clone()
    }
}

#[pymethods]
impl OneShotHandle {
    /// Resume what it stands for.
    fn _run(&self, py: Python<'_>) -> PyResult<()> {
        let entry = self.entry.get(py).take();
        entry.map_or(Ok(()), |entry| EventLoop::resume_entry(self.event_loop.bind(py), entry))
    }

    /// Drop what it stands for.
    fn cancel(&self, py: Python<'_>) {
        drop(self.entry.get(py).take());
    }

    /// Return True if it was run or cancelled.
    fn cancelled(&self, py: Python<'_>) -> bool {
        self.entry.get(py).borrow().is_none()
    }

    #[getter]
    fn _cancelled(&self, py: Python<'_>) -> bool {
        self.cancelled(py)
    }

    #[getter]
    fn _loop(&self, py: Python<'_>) -> Py<EventLoop> {
        self.event_loop.clone_ref(py)
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_handle(py).map(|class| class.clone().unbind())
    }

    fn __repr__(&self, py: Python<'_>) -> &'static str {
        match &*self.entry.get(py).borrow() {
            Some(Entry::Event(_)) => "<Handle of an I/O event>",
            Some(Entry::Task(_)) => "<Handle of a transport>",
            None => "<Handle cancelled>",
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        match self.entry.visit().try_borrow().as_deref() {
            Ok(Some(Entry::Task(ready))) => host::traverse(Held::Task(ready), visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.entry.visit().take());
    }
}
