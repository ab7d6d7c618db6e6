//! Coroutines written in Rust for Python to await.
//!
//! The body is an `async` block, of which the crate's generator makes a coroutine, or an
//! [`Operation`] that steps by itself; this class is the face it shows Python: `send`, `throw`,
//! `close`, `__await__`. What a block waits for is a Python awaitable, to which the coroutine
//! delegates as `await` does.

mod body;
mod goal;

use std::cell::RefCell;
use std::future::Future;

use groundup::coroutine::Step;
use pyo3::exceptions::{
    PyGeneratorExit, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

pub use self::body::{Awaiter, Body, NativeStep, Operation};
pub use self::goal::Goal;

use crate::coroutine::{Resume, thrown};
use crate::ffi;
use crate::gil::GilBound;
use crate::warnings::warn_never_awaited;

/// A coroutine written in Rust; a `collections.abc.Coroutine`.
#[pyclass(frozen, weakref, name = "Coroutine", module = "groundup._groundup")]
pub struct NativeCoroutine {
    name: &'static str,
    state: GilBound<RefCell<State>>,
}

enum State {
    Unstarted(Body),
    Suspended(Body),
    Running,
    Finished,
}

/// Makes a coroutine of an asynchronous closure; it runs when it is first resumed.
pub fn new<F>(
    py: Python<'_>,
    name: &'static str,
    body: impl FnOnce(Awaiter) -> F,
) -> PyResult<Py<NativeCoroutine>>
where
    F: Future<Output = PyResult<Py<PyAny>>> + 'static,
{
    of_body(py, name, Body::of_block(body))
}

/// Makes a coroutine of an operation, which begins when it is first resumed.
pub fn of_operation(
    py: Python<'_>,
    name: &'static str,
    operation: impl Operation + 'static,
) -> PyResult<Py<NativeCoroutine>> {
    of_body(py, name, Body::Operation(Box::new(operation)))
}

fn of_body(py: Python<'_>, name: &'static str, body: Body) -> PyResult<Py<NativeCoroutine>> {
    let state = GilBound::new(RefCell::new(State::Unstarted(body)));
    Py::new(py, NativeCoroutine { name, state })
}

impl NativeCoroutine {
    /// What it awaits while it is suspended, if that is known.
    pub fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &*self.state.get(py).try_borrow().ok()? {
            State::Suspended(body) => body.awaited(py),
            _ => None,
        }
    }

    /// What it waits for while it is suspended, if that is known.
    pub fn goal(&self, py: Python<'_>) -> Option<Goal> {
        match &*self.state.get(py).try_borrow().ok()? {
            State::Suspended(body) => body.goal(),
            _ => None,
        }
    }

    fn resume(&self, py: Python<'_>, input: Resume) -> PyResult<Resumed> {
        let state = self.state.get(py);
        let mut body = match (state.replace(State::Running), &input) {
            (State::Running, _) => {
                return Err(PyValueError::new_err("coroutine already executing"));
            }
            (State::Finished, _) => {
                state.replace(State::Finished);
                let message = "cannot reuse already awaited coroutine";
                return Err(PyRuntimeError::new_err(message));
            }
            (State::Unstarted(body), Resume::Send(value)) if !value.is_none(py) => {
                state.replace(State::Unstarted(body));
                let message = "can't send non-None value to a just-started coroutine";
                return Err(PyTypeError::new_err(message));
            }
            (State::Unstarted(_), Resume::Throw(error)) => {
                state.replace(State::Finished);
                return Err(error.clone_ref(py));
            }
            (State::Unstarted(body) | State::Suspended(body), _) => body,
        };
        let step = {
            // Should the body panic, the coroutine must not stay "running".
            let _finish = FinishOnDrop(state);
            body.resume(py, input)
        };
        match step {
            Step::Yielded(value) => {
                state.replace(State::Suspended(body));
                Ok(Resumed::Yielded(value))
            }
            Step::Returned(Ok(result)) => Ok(Resumed::Returned(result)),
            // To the caller it would look like a result (PEP 479).
            Step::Returned(Err(error)) if error.is_instance_of::<PyStopIteration>(py) => {
                let surprise = PyRuntimeError::new_err("coroutine raised StopIteration");
                surprise.set_cause(py, Some(error));
                Err(surprise)
            }
            Step::Returned(Err(error)) => Err(error),
        }
    }
}

/// What a coroutine came to that did not raise.
enum Resumed {
    Yielded(Py<PyAny>),
    Returned(Py<PyAny>),
}

impl Resumed {
    /// What was yielded; as an exception, as Python has it, what was returned.
    fn or_stop(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Yielded(value) => Ok(value),
            Self::Returned(result) => {
                let stop = py.get_type::<PyStopIteration>().call1((result,))?;
                Err(PyErr::from_value(stop))
            }
        }
    }
}

struct FinishOnDrop<'a>(&'a RefCell<State>);

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.replace(State::Finished));
    }
}

#[pymethods]
impl NativeCoroutine {
    /// Resume with a value; raise StopIteration with the result when it returns.
    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.resume(py, Resume::Send(value))?.or_stop(py)
    }

    /// Raise an exception where the coroutine waits.
    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let thrown = Resume::Throw(thrown(typ, val, tb)?);
        self.resume(typ.py(), thrown)?.or_stop(typ.py())
    }

    /// Raise GeneratorExit where the coroutine waits, so that it ends.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if matches!(&*self.state.get(py).borrow(), State::Finished) {
            return Ok(());
        }
        match self.resume(py, Resume::Throw(PyGeneratorExit::new_err(()))) {
            Ok(Resumed::Yielded(_)) => {
                Err(PyRuntimeError::new_err("coroutine ignored GeneratorExit"))
            }
            Ok(Resumed::Returned(_)) => Ok(()),
            Err(error) if error.is_instance_of::<PyGeneratorExit>(py) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// What is yielded; none stops the iteration with the result that is said meanwhile.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.resume(py, Resume::Next)? {
            Resumed::Yielded(value) => Ok(Some(value)),
            Resumed::Returned(result) => {
                ffi::return_from_iterator(result.bind(py));
                Ok(None)
            }
        }
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.name
    }

    #[getter]
    fn cr_running(&self, py: Python<'_>) -> bool {
        matches!(&*self.state.get(py).borrow(), State::Running)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<coroutine object {} at {:?}>", slf.get().name, slf.as_ptr())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.state.visit().try_borrow().as_deref() {
            Ok(State::Unstarted(body) | State::Suspended(body)) => body.traverse(visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.state.visit().replace(State::Finished));
    }
}

impl Drop for NativeCoroutine {
    fn drop(&mut self) {
        if matches!(*self.state.visit().borrow(), State::Unstarted(_)) {
            Python::attach(|py| warn_never_awaited(py, self.name));
        }
    }
}
