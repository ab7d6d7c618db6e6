//! A call that is to be made: what is called, and with what.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// A callback and its arguments.
pub struct Call {
    callback: Py<PyAny>,
    args: Arguments,
}

/// Positional arguments; few of them are kept without a tuple.
enum Arguments {
    None,
    One(Py<PyAny>),
    Two(Py<PyAny>, Py<PyAny>),
    More(Py<PyTuple>),
}

impl Call {
    /// What `callback(*args)` calls.
    pub fn new(callback: Bound<'_, PyAny>, args: Bound<'_, PyTuple>) -> Self {
        let args = match args.as_slice() {
            [] => Arguments::None,
            [one] => Arguments::One(one.clone().unbind()),
            [one, two] => Arguments::Two(one.clone().unbind(), two.clone().unbind()),
            _ => Arguments::More(args.unbind()),
        };
        Self { callback: callback.unbind(), args }
    }

    /// The same of arguments that a caller holds.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn of_slice(py: Python<'_>, callback: &Py<PyAny>, args: &[Py<PyAny>]) -> PyResult<Self> {
        let args = match args {
            [] => Arguments::None,
            [one] => Arguments::One(one.clone_ref(py)),
            [one, two] => Arguments::Two(one.clone_ref(py), two.clone_ref(py)),
            _ => Arguments::More(PyTuple::new(py, args)?.unbind()),
        };
        Ok(Self { callback: callback.clone_ref(py), args })
    }

    /// Makes the call.
    ///
    /// # Errors
    ///
    /// What it raises.
    #[inline]
    pub fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let callback = self.callback.bind(py);
        match &self.args {
            Arguments::None => callback.call0(),
            Arguments::One(one) => callback.call1((one.bind(py),)),
            Arguments::Two(one, two) => callback.call1((one.bind(py), two.bind(py))),
            Arguments::More(args) => callback.call1(args.bind(py)),
        }
    }

    /// What is called.
    pub fn callback(&self) -> &Py<PyAny> {
        &self.callback
    }

    /// The argument, if there is exactly one.
    #[inline]
    pub fn only_argument(&self) -> Option<&Py<PyAny>> {
        match &self.args {
            Arguments::One(one) => Some(one),
            _ => None,
        }
    }

    /// The first argument, if there are few.
    #[inline]
    pub fn first_argument(&self) -> Option<&Py<PyAny>> {
        match &self.args {
            Arguments::One(first) | Arguments::Two(first, _) => Some(first),
            _ => None,
        }
    }

    /// The arguments, if there are exactly two.
    #[inline]
    pub fn two_arguments(&self) -> Option<(&Py<PyAny>, &Py<PyAny>)> {
        match &self.args {
            Arguments::Two(one, two) => Some((one, two)),
            _ => None,
        }
    }

    /// The arguments.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        match &self.args {
            Arguments::None => Ok(PyTuple::empty(py)),
            Arguments::One(one) => PyTuple::new(py, [one.bind(py)]),
            Arguments::Two(one, two) => PyTuple::new(py, [one.bind(py), two.bind(py)]),
            Arguments::More(args) => Ok(args.bind(py).clone()),
        }
    }

    /// The same call once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let args = match &self.args {
            Arguments::None => Arguments::None,
            Arguments::One(one) => Arguments::One(one.clone_ref(py)),
            Arguments::Two(one, two) => Arguments::Two(one.clone_ref(py), two.clone_ref(py)),
            Arguments::More(args) => Arguments::More(args.clone_ref(py)),
        };
        Self { callback: self.callback.clone_ref(py), args }
    }

    /// Lets go of everything, without asking whether this thread holds the interpreter lock.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        self.callback.drop_ref(py);
        match self.args {
            Arguments::None => {}
            Arguments::One(one) => one.drop_ref(py),
            Arguments::Two(one, two) => {
                one.drop_ref(py);
                two.drop_ref(py);
            }
            Arguments::More(args) => args.drop_ref(py),
        }
    }

    /// Shows the garbage collector what it holds.
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.callback)?;
        match &self.args {
            Arguments::None => Ok(()),
            Arguments::One(one) => visit.call(one),
            Arguments::Two(one, two) => {
                visit.call(one)?;
                visit.call(two)
            }
            Arguments::More(args) => visit.call(args),
        }
    }
}
