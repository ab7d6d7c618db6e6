//! Coroutines written in Rust for Python to await.
//!
//! The body is an `async` block; the crate's generator makes a coroutine of it, and this class is
//! the face it shows Python: `send`, `throw`, `close`, `__await__`. What the body waits for is a
//! Python awaitable, to which the coroutine delegates as `await` does.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use groundup::coroutine::{Coroutine, Step};
use groundup::generator::{Yielder, generator};
use pyo3::exceptions::{
    PyGeneratorExit, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::coroutine::{PyCoroutine, Resume, thrown};
use crate::gil::GilBound;
use crate::warnings::warn_never_awaited;

type Body = Pin<Box<dyn Coroutine<Resume, Yield = Py<PyAny>, Return = PyResult<Py<PyAny>>>>>;

/// What a native coroutine awaits now. The coroutine shares it with its body, of which the garbage
/// collector can be shown nothing else.
type Awaited = Rc<RefCell<Option<PyCoroutine>>>;

/// What the body of a native coroutine waits through.
pub struct Awaiter {
    yielder: Yielder<Py<PyAny>, Resume>,
    awaited: Awaited,
}

impl Awaiter {
    /// Waits for a Python awaitable, as `await` does.
    ///
    /// # Errors
    ///
    /// What it raises, and what is thrown into the coroutine meanwhile and not caught by it.
    pub async fn wait(&self, awaitable: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let awaited = Python::attach(|py| PyCoroutine::of_awaitable(awaitable.bind(py)))?;
        drop(awaitable);
        self.awaited.replace(Some(awaited));
        self.yielder.yield_from(Delegate(self.awaited.clone())).await
    }

    /// Lets everything else that is ready run first, as `asyncio.sleep(0)` does.
    ///
    /// # Errors
    ///
    /// What is thrown into the coroutine meanwhile.
    pub async fn give_way(&self) -> PyResult<()> {
        match self.yielder.yield_(Python::attach(|py| py.None())).await {
            Resume::Throw(error) => Err(error),
            Resume::Send(_) | Resume::Next => Ok(()),
        }
    }
}

/// Resumes what is awaited, until it returns or is given up.
struct Delegate(Awaited);

impl Coroutine<Resume> for Delegate {
    type Yield = Py<PyAny>;
    type Return = PyResult<Py<PyAny>>;

    fn resume(self: Pin<&mut Self>, input: Resume) -> Step<Self::Yield, Self::Return> {
        let mut awaited = self.0.borrow_mut();
        Pin::new(awaited.as_mut().expect("something is awaited")).resume(input)
    }
}

impl Drop for Delegate {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

/// A coroutine written in Rust; a `collections.abc.Coroutine`.
#[pyclass(frozen, weakref, name = "Coroutine", module = "groundup._groundup")]
pub struct NativeCoroutine {
    name: &'static str,
    state: GilBound<RefCell<State>>,
    awaited: GilBound<Awaited>,
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
    let awaited = Awaited::default();
    let body: Body =
        Box::pin(generator(|yielder| body(Awaiter { yielder, awaited: awaited.clone() })));
    let state = GilBound::new(RefCell::new(State::Unstarted(body)));
    Py::new(py, NativeCoroutine { name, state, awaited: GilBound::new(awaited) })
}

impl NativeCoroutine {
    fn resume(&self, py: Python<'_>, input: Resume) -> PyResult<Py<PyAny>> {
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
            body.as_mut().resume(input)
        };
        match step {
            Step::Yielded(value) => {
                state.replace(State::Suspended(body));
                Ok(value)
            }
            Step::Returned(Ok(result)) => Err(PyStopIteration::new_err((result,))),
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
        self.resume(py, Resume::Send(value))
    }

    /// Raise an exception where the coroutine waits.
    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.resume(typ.py(), Resume::Throw(thrown(typ, val, tb)?))
    }

    /// Raise GeneratorExit where the coroutine waits, so that it ends.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if matches!(&*self.state.get(py).borrow(), State::Finished) {
            return Ok(());
        }
        match self.resume(py, Resume::Throw(PyGeneratorExit::new_err(()))) {
            Ok(_) => Err(PyRuntimeError::new_err("coroutine ignored GeneratorExit")),
            Err(error)
                if error.is_instance_of::<PyGeneratorExit>(py)
                    || error.is_instance_of::<PyStopIteration>(py) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
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
        match self.awaited.visit().try_borrow().as_deref() {
            Ok(Some(awaited)) => visit.call(awaited.object()),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.state.visit().replace(State::Finished));
    }
}

impl Drop for NativeCoroutine {
    fn drop(&mut self) {
        Python::attach(|py| {
            if let State::Unstarted(_) = &*self.state.get(py).borrow() {
                warn_never_awaited(py, self.name);
            }
        });
    }
}
