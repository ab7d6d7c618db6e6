//! The coroutine objects that functions decorated with `groundup.coroutine` make.
//!
//! One can be awaited, delegated to by `yield from`, and driven by `send`, `throw` and `close`. It
//! shows what `inspect`, asyncio and debuggers look for, and says so when it was never awaited. It
//! must not know how it is driven, which is [`Life`], nor what it is scheduled on.

use groundup::coroutine::Step;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyStopIteration;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::coroutine::{Resume, thrown};
use crate::coroutine_function::CoroutineFunction;
use crate::coroutine_life::{Life, Stage};
use crate::gil::GilBound;
use crate::warnings::warn_never_awaited;

/// A coroutine that a function decorated with `coroutine()` made.
#[pyclass(frozen, weakref, generic, module = "groundup._groundup")]
#[derive(Debug)]
pub struct GeneratorCoroutine {
    function: Py<CoroutineFunction>,
    life: GilBound<Life>,
}

impl GeneratorCoroutine {
    /// A coroutine of `function` that starts at `stage`.
    pub fn new(function: Py<CoroutineFunction>, stage: Stage) -> Self {
        Self { function, life: GilBound::new(Life::new(stage)) }
    }

    fn resume(&self, py: Python<'_>, input: Resume) -> PyResult<Py<PyAny>> {
        match self.life.get(py).resume(py, input)? {
            Step::Yielded(value) => Ok(value),
            Step::Returned(result) => Err(PyStopIteration::new_err((result,))),
        }
    }
}

impl Drop for GeneratorCoroutine {
    fn drop(&mut self) {
        if !self.life.visit().has_started() {
            Python::attach(|py| {
                let name = self.function.get().qualname().bind(py).to_string_lossy();
                warn_never_awaited(py, &name);
            });
        }
    }
}

#[pymethods]
impl GeneratorCoroutine {
    /// Resumes it with a value, the result of the `yield` it stopped at, and returns what it yields
    /// next. Raises StopIteration with what it returns, when it does.
    #[pyo3(signature = (value, /))]
    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.resume(py, Resume::Send(value))
    }

    /// Raises an exception where it stopped, and returns what it yields next.
    #[pyo3(signature = (typ, val=None, tb=None, /))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.resume(typ.py(), Resume::Throw(thrown(typ, val, tb)?))
    }

    /// Ends it where it stopped, by raising GeneratorExit there.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.life.get(py).close(py)
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.resume(py, Resume::Next)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<coroutine object {} at {:p}>", slf.get().function.get().qualname(), slf.as_ptr())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        self.life.visit().traverse(visit)
    }

    fn __clear__(&self) {
        self.life.visit().finish();
    }
}

/// What `inspect`, asyncio and debuggers look at, by the names it has in coroutines (`cr_`) and in
/// generators (`gi_`).
#[pymethods]
impl GeneratorCoroutine {
    #[getter]
    fn __name__(&self, py: Python<'_>) -> Py<PyString> {
        self.function.get().name().clone_ref(py)
    }

    #[getter]
    fn __qualname__(&self, py: Python<'_>) -> Py<PyString> {
        self.function.get().qualname().clone_ref(py)
    }

    /// The frame it stopped in; None when it has none.
    #[getter]
    fn cr_frame<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.life.get(py).attribute(py, ["gi_frame", "cr_frame"])
    }

    /// The code it runs; None when that is not known yet, or not Python code.
    #[getter]
    fn cr_code<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let life = self.life.get(py);
        if life.is_finished() {
            return self.function.get().code(py);
        }
        life.attribute(py, ["gi_code", "cr_code"])
    }

    /// What it awaits or delegates to; None when it does not.
    #[getter]
    fn cr_await<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.life.get(py).attribute(py, ["gi_yieldfrom", "cr_await"])
    }

    /// Whether it is running.
    #[getter]
    fn cr_running(&self, py: Python<'_>) -> bool {
        self.life.get(py).is_running()
    }

    /// Whether it has started, is not running, and has not finished.
    #[getter]
    fn cr_suspended(&self, py: Python<'_>) -> bool {
        self.life.get(py).state() == "SUSPENDED"
    }

    /// Its state, as `inspect.getcoroutinestate()` names it.
    #[getter]
    fn cr_state(&self, py: Python<'_>) -> String {
        format!("CORO_{}", self.life.get(py).state())
    }

    /// As `cr_frame`.
    #[getter]
    fn gi_frame<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.cr_frame(py)
    }

    /// As `cr_code`.
    #[getter]
    fn gi_code<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.cr_code(py)
    }

    /// As `cr_await`.
    #[getter]
    fn gi_yieldfrom<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.cr_await(py)
    }

    /// As `cr_running`.
    #[getter]
    fn gi_running(&self, py: Python<'_>) -> bool {
        self.cr_running(py)
    }

    /// As `cr_suspended`.
    #[getter]
    fn gi_suspended(&self, py: Python<'_>) -> bool {
        self.cr_suspended(py)
    }

    /// Its state, as `inspect.getgeneratorstate()` names it.
    #[getter]
    fn gi_state(&self, py: Python<'_>) -> String {
        format!("GEN_{}", self.life.get(py).state())
    }
}
