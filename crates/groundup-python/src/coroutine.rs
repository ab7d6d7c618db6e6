//! A Python generator, coroutine or iterator as a [`Coroutine`]: `PyIter_Send` is `resume`.

use std::ffi::CStr;
use std::pin::Pin;

use groundup::coroutine::{Coroutine, Step};
use pyo3::exceptions::{PyBaseException, PyDeprecationWarning, PyStopIteration, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyType};

use crate::errors;
use crate::ffi::{self, Sent};

/// What the interpreter's own generators say.
const THROW_IS_DEPRECATED: &CStr = c"the (type, exc, tb) signature of throw() is deprecated, \
    use the single-arg signature instead.";

/// What a Python coroutine is resumed with.
#[derive(Debug, Default)]
pub enum Resume {
    /// A value, the result of the expression it stopped at.
    Send(Py<PyAny>),
    /// An exception, raised where it stopped.
    Throw(PyErr),
    /// Nothing: it has not started, or does not care.
    #[default]
    Next,
}

/// Something of Python's that can be resumed: a coroutine, a generator, or any iterator.
#[derive(Debug)]
pub struct PyCoroutine(Py<PyAny>);

impl PyCoroutine {
    /// What `await` would resume: the coroutine itself, or what `__await__` answers.
    ///
    /// # Errors
    ///
    /// `TypeError` when `object` cannot be awaited.
    pub fn of_awaitable(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if ffi::is_coroutine(object) || ffi::is_iterable_coroutine(object) {
            return Ok(Self(object.clone().unbind()));
        }
        let py = object.py();
        let Ok(method) = object.get_type().getattr(intern!(py, "__await__")) else {
            let name = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!("{name} object can't be awaited")));
        };
        let iterator = method.call1((object,))?;
        if ffi::is_coroutine(&iterator) {
            return Err(PyTypeError::new_err("__await__() returned a coroutine"));
        }
        if !iterator.is_instance_of::<PyIterator>() {
            let name = iterator.get_type().name()?;
            let message = format!("__await__() returned non-iterator of type '{name}'");
            return Err(PyTypeError::new_err(message));
        }
        Ok(Self(iterator.unbind()))
    }

    /// What `for`, or failing that `await`, would resume.
    ///
    /// # Errors
    ///
    /// `TypeError` when `object` can be neither iterated nor awaited.
    pub fn of_any(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if is_awaitable(object) {
            return Self::of_awaitable(object);
        }
        let py = object.py();
        object.try_iter().map(|iterator| Self(iterator.into_any().unbind())).or_else(|error| {
            if !error.is_instance_of::<PyTypeError>(py) {
                return Err(error);
            }
            let expected = PyTypeError::new_err(format!(
                "a coroutine, a generator or an iterable was expected, got {}",
                object.repr()?
            ));
            expected.set_cause(py, Some(error));
            Err(expected)
        })
    }

    /// The same coroutine once more: it has one state, however many refer to it.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }

    /// The object that is resumed.
    pub fn object(&self) -> &Py<PyAny> {
        &self.0
    }

    /// Ends it where it stopped, as `close()` of generators and coroutines does.
    ///
    /// # Errors
    ///
    /// What it raises instead of ending.
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.0.bind(py).getattr_opt(intern!(py, "close"))? {
            Some(close) => close.call0().map(drop),
            None => Ok(()),
        }
    }

    fn send(&self, py: Python<'_>, value: Py<PyAny>) -> Step<Py<PyAny>, PyResult<Py<PyAny>>> {
        match ffi::send(self.0.bind(py), value.bind(py)) {
            Ok(Sent::Yielded(value)) => Step::Yielded(value.unbind()),
            Ok(Sent::Returned(value)) => Step::Returned(Ok(value.unbind())),
            Err(error) => Step::Returned(Err(error)),
        }
    }

    fn throw(&self, py: Python<'_>, error: PyErr) -> Step<Py<PyAny>, PyResult<Py<PyAny>>> {
        let object = self.0.bind(py);
        let thrown = match object.getattr_opt(intern!(py, "throw")) {
            // An iterator without `throw` is left as it is, as `yield from` leaves it.
            Ok(None) => Err(error),
            Ok(Some(throw)) => throw.call1((errors::exception(py, &error),)),
            Err(error) => Err(error),
        };
        match thrown {
            Ok(value) => Step::Yielded(value.unbind()),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                Step::Returned(error.value(py).getattr(intern!(py, "value")).map(Bound::unbind))
            }
            Err(error) => Step::Returned(Err(error)),
        }
    }
}

impl Coroutine<Resume> for PyCoroutine {
    type Yield = Py<PyAny>;
    type Return = PyResult<Py<PyAny>>;

    fn resume(self: Pin<&mut Self>, input: Resume) -> Step<Self::Yield, Self::Return> {
        Python::attach(|py| match input {
            Resume::Next => self.send(py, py.None()),
            Resume::Send(value) => self.send(py, value),
            Resume::Throw(error) => self.throw(py, error),
        })
    }
}

/// Whether `await` takes `object`.
pub fn is_awaitable(object: &Bound<'_, PyAny>) -> bool {
    ffi::is_coroutine(object)
        || ffi::is_iterable_coroutine(object)
        || object.get_type().hasattr(intern!(object.py(), "__await__")).unwrap_or(false)
}

/// The exception that `throw(type_or_value, value, traceback)` means. More than the first argument is deprecated
/// since Python 3.12.
///
/// # Errors
///
/// `TypeError` when the first argument is no exception, and what making the exception raises, or the warning.
pub fn thrown<'py>(
    kind: &Bound<'py, PyAny>,
    value: Option<&Bound<'py, PyAny>>,
    traceback: Option<&Bound<'py, PyAny>>,
) -> PyResult<PyErr> {
    if cfg!(Py_3_12) && value.is_some() {
        let category = kind.py().get_type::<PyDeprecationWarning>();
        PyErr::warn(kind.py(), &category, THROW_IS_DEPRECATED, 1)?;
    }
    let value = value.filter(|value| !value.is_none());
    let exception = match (kind.is_instance_of::<PyBaseException>(), value) {
        (true, None) => kind.clone(),
        (true, Some(_)) => {
            let message = "instance exception may not have a separate value";
            return Err(PyTypeError::new_err(message));
        }
        (false, _) if !is_exception_class(kind) => return Err(not_an_exception(kind)?),
        (false, Some(value)) if value.is_instance_of::<PyBaseException>() => value.clone(),
        (false, Some(value)) => kind.call1((value,))?,
        (false, None) => kind.call0()?,
    };
    if !exception.is_instance_of::<PyBaseException>() {
        return Err(not_an_exception(&exception)?);
    }
    if let Some(traceback) = traceback.filter(|traceback| !traceback.is_none()) {
        exception.call_method1(intern!(kind.py(), "with_traceback"), (traceback,))?;
    }
    Ok(PyErr::from_value(exception))
}

fn is_exception_class(kind: &Bound<'_, PyAny>) -> bool {
    kind.cast::<PyType>()
        .is_ok_and(|kind| kind.is_subclass_of::<PyBaseException>().unwrap_or(false))
}

fn not_an_exception(thrown: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    let name = thrown.get_type().name()?;
    Ok(PyTypeError::new_err(format!(
        "exceptions must be classes or instances deriving from BaseException, not {name}"
    )))
}
