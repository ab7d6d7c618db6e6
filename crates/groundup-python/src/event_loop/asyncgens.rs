//! Asynchronous generators that were started on the loop, to be closed with it.

use std::cell::Cell;

use pyo3::exceptions::{PyException, PyResourceWarning};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, NativeCoroutine};

/// The generators that are being iterated.
pub struct AsyncGenerators {
    /// A `weakref.WeakSet`.
    live: Py<PyAny>,
    is_shut_down: Cell<bool>,
}

impl AsyncGenerators {
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let live = imports::weak_set(py)?.call0()?.unbind();
        Ok(Self { live, is_shut_down: Cell::new(false) })
    }

    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.live)
    }

    /// Takes all generators out.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let live = self.live.bind(py);
        let generators = live.try_iter()?.collect::<PyResult<_>>()?;
        live.call_method0("clear")?;
        Ok(generators)
    }
}

#[pymethods]
impl EventLoop {
    fn _asyncgen_firstiter_hook(slf: &Bound<'_, Self>, agen: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let asyncgens = &slf.get().parts(py).asyncgens;
        if asyncgens.is_shut_down.get() {
            let repr = agen.repr()?;
            let message = format!(
                "asynchronous generator {repr} was scheduled after loop.shutdown_asyncgens() call"
            );
            let keywords = PyDict::new(py);
            keywords.set_item("source", slf)?;
            let category = py.get_type::<PyResourceWarning>();
            imports::warn(py)?.call((message, category), Some(&keywords))?;
        }
        asyncgens.live.call_method1(py, intern!(py, "add"), (agen,)).map(drop)
    }

    fn _asyncgen_finalizer_hook(slf: &Bound<'_, Self>, agen: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let parts = slf.get().parts(py);
        parts.asyncgens.live.call_method1(py, intern!(py, "discard"), (agen,))?;
        if parts.running.is_closed() {
            return Ok(());
        }
        let create_task = slf.getattr(intern!(py, "create_task"))?;
        let closing = agen.call_method0(intern!(py, "aclose"))?;
        let name = intern!(py, "call_soon_threadsafe");
        slf.call_method1(name, (create_task, closing)).map(drop)
    }

    #[getter]
    fn _asyncgens(&self, py: Python<'_>) -> Py<PyAny> {
        self.parts(py).asyncgens.live.clone_ref(py)
    }

    #[getter]
    fn _asyncgens_shutdown_called(&self, py: Python<'_>) -> bool {
        self.parts(py).asyncgens.is_shut_down.get()
    }

    /// Close all asynchronous generators that are being iterated, and wait until they are closed.
    fn shutdown_asyncgens(slf: &Bound<'_, Self>) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.shutdown_asyncgens", async move |awaiter| {
            let (generators, closed) = Python::attach(|py| -> PyResult<_> {
                let asyncgens = &event_loop.get().parts(py).asyncgens;
                asyncgens.is_shut_down.set(true);
                let generators = asyncgens.take(py)?;
                let closed = close_all(py, &generators)?;
                Ok((PyTuple::new(py, generators)?.unbind(), closed))
            })?;
            let Some(closed) = closed else { return Ok(Python::attach(|py| py.None())) };
            let results = awaiter.wait(closed).await?;
            Python::attach(|py| {
                report_failures(event_loop.bind(py), generators.bind(py), results.bind(py))?;
                Ok(py.None())
            })
        })
    }
}

/// A future for the ends of all generators, if there are any.
fn close_all(py: Python<'_>, generators: &[Bound<'_, PyAny>]) -> PyResult<Option<Py<PyAny>>> {
    if generators.is_empty() {
        return Ok(None);
    }
    let closing: Vec<_> =
        generators.iter().map(|agen| agen.call_method0("aclose")).collect::<PyResult<_>>()?;
    let keywords = PyDict::new(py);
    keywords.set_item("return_exceptions", true)?;
    let closed = imports::gather(py)?.call(PyTuple::new(py, closing)?, Some(&keywords))?;
    Ok(Some(closed.unbind()))
}

fn report_failures(
    event_loop: &Bound<'_, EventLoop>,
    generators: &Bound<'_, PyTuple>,
    results: &Bound<'_, PyAny>,
) -> PyResult<()> {
    for (agen, result) in generators.iter().zip(results.try_iter()?) {
        let result = result?;
        if result.is_instance_of::<PyException>() {
            let context = PyDict::new(event_loop.py());
            let repr = agen.repr()?;
            let message =
                format!("an error occurred during closing of asynchronous generator {repr}");
            context.set_item("message", message)?;
            context.set_item("exception", result)?;
            context.set_item("asyncgen", agen)?;
            EventLoop::report(event_loop, &context)?;
        }
    }
    Ok(())
}
