//! What stands for the selector of asyncio's loops, to those who look for one.

use std::time::Duration;

use groundup::poller::Readiness;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::descriptors::descriptor_of;
use super::{EventLoop, Source};
use crate::{ffi, imports};

/// A loop's way of polling, in the form of a `selectors.BaseSelector`.
///
/// `select` polls. What is found goes on the loop's ready queue by itself, so that nothing is left to
/// be returned. What is registered can be looked at; it is changed by the methods of the loop.
#[pyclass(frozen, dict, weakref, module = "groundup._groundup")]
pub struct Selector {
    event_loop: Py<EventLoop>,
}

impl Selector {
    pub fn new(event_loop: &Bound<'_, EventLoop>) -> PyResult<Py<Self>> {
        ffi::create(event_loop.py(), Self { event_loop: event_loop.clone().unbind() })
            .map(Bound::unbind)
    }
}

#[pymethods]
impl Selector {
    /// Poll for at most timeout seconds, without end for None; return an empty list.
    #[pyo3(signature = (timeout=None))]
    fn select<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyList>> {
        let limit = timeout
            .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX));
        let event_loop = self.event_loop.bind(py);
        let polled = event_loop.get().core(py).poll_within(event_loop, limit);
        polled?;
        Ok(PyList::empty(py))
    }

    /// Return what is watched: a selectors.SelectorKey for each descriptor, as it is now.
    fn get_map<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let map = PyDict::new(py);
        for (descriptor, interest, source) in self.event_loop.get().core(py).watches() {
            let interest = match &source {
                Source::Watchers(watchers) => watchers.get().directions(py),
                _ => interest,
            };
            if !interest.is_none() {
                map.set_item(descriptor, key(py, descriptor, interest, &source)?)?;
            }
        }
        Ok(map)
    }

    /// Return the selectors.SelectorKey of a descriptor; KeyError if it is not watched.
    fn get_key<'py>(&self, fileobj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.get_map(fileobj.py())?.get_item(descriptor_of(fileobj)?)?;
        match found {
            Some(key) => Ok(key),
            None => {
                let repr = fileobj.repr()?;
                Err(PyKeyError::new_err(format!("{repr} is not registered")))
            }
        }
    }

    /// Close nothing: the loop closes its poller itself.
    fn close(&self) {}

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        ffi::set_attribute(slf, name, Some(value))?;
        EventLoop::note_replaced(slf.get().event_loop.bind(slf.py()))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        ffi::set_attribute(slf, name, None)?;
        EventLoop::note_replaced(slf.get().event_loop.bind(slf.py()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)
    }
}

fn key<'py>(
    py: Python<'py>,
    descriptor: i32,
    interest: Readiness,
    source: &Source,
) -> PyResult<Bound<'py, PyAny>> {
    let data = match source {
        Source::Watchers(watchers) => watchers.get().handles(py),
        _ => (None, None),
    };
    let events = i32::from(interest.readable()) | i32::from(interest.writable()) << 1;
    imports::selector_key(py)?.call1((descriptor, descriptor, events, data))
}

impl EventLoop {
    /// Whether somebody else polls, or polls otherwise, than the loop does.
    pub fn selects_otherwise(&self, py: Python<'_>) -> PyResult<bool> {
        let parts = self.parts(py);
        if parts.other_selector.borrow().is_some() {
            return Ok(true);
        }
        match parts.selector.get(py) {
            Some(selector) => selector.getattr(py, "__dict__")?.bind(py).contains("select"),
            None => Ok(false),
        }
    }
}

#[pymethods]
impl EventLoop {
    #[getter]
    fn _selector(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (py, parts) = (slf.py(), slf.get().parts(slf.py()));
        if let Some(other) = &*parts.other_selector.borrow() {
            return Ok(other.clone_ref(py));
        }
        let own = parts.selector.get_or_try_init(py, || Selector::new(slf))?;
        Ok(own.clone_ref(py).into_any())
    }

    /// Has somebody else poll; the loop's own again, if it is given back.
    #[setter(_selector)]
    fn change_selector(slf: &Bound<'_, Self>, selector: &Bound<'_, PyAny>) -> PyResult<()> {
        if !selector.hasattr("select")? {
            return Err(PyTypeError::new_err(format!("not a selector: {}", selector.repr()?)));
        }
        let other =
            (!selector.is_exact_instance_of::<Selector>()).then(|| selector.clone().unbind());
        drop(slf.get().parts(slf.py()).other_selector.replace(other));
        Ok(())
    }
}
