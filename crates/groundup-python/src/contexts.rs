//! Contexts for callbacks: copies of the current one, made when they are needed.
//!
//! The variables of a context are in a map that never changes: who sets one gives the context another
//! map. So a call that waits holds the map alone; its context is made when somebody asks for it,
//! and a call that nobody can ask is made in a spare context, which serves one call after the other.
//! Values live as long as they do with a copy for each.
//!
//! Where the interpreter keeps the map and the current context is not published. It is looked for when
//! the module is imported; should it not be found, each call gets its copy at once.

use std::cell::Cell;
use std::ptr;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi as cpython;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyContext;

use crate::ffi;
use crate::gil::GilBound;

/// The size of a context, in bytes, and the place of its map, in words.
const SIZE: usize = 48;
const MAP: usize = 3;
/// How many words the state of a thread has at least.
const STATE: usize = 36;

/// Where in the state of a thread the current context is, in words; `None` when it was not found.
static CURRENT: GilBound<Cell<Option<usize>>> = GilBound::new(Cell::new(None));

/// A context without variables, which nobody else has.
static SPARE: GilBound<Cell<Option<Py<PyContext>>>> = GilBound::new(Cell::new(None));

/// The map that has no variables; none where contexts are not as they are thought.
static NO_VARIABLES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// What the interpreter's structures are made of here: pointers to objects.
type Word = *mut cpython::PyObject;

/// The context of a call that is to be made.
#[derive(Clone)]
pub enum CallContext {
    /// A `contextvars.Context`, or what can run a function as one does.
    Made(Py<PyAny>),
    /// The variables of one.
    Variables(Py<PyAny>),
}

impl CallContext {
    /// What is given for a context.
    ///
    /// # Errors
    ///
    /// `TypeError` when it is none, and cannot run a function as one does.
    #[inline]
    pub fn given(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let context = Self::of(object.clone());
        if let Some(runner) = context.foreign(object.py())
            && !runner.hasattr(intern!(object.py(), "run"))?
        {
            let kind = object.get_type().name()?;
            let message = format!("context must be a contextvars.Context, not {kind}");
            return Err(PyTypeError::new_err(message));
        }
        Ok(context)
    }

    /// The same of the object that stands for it.
    #[inline]
    pub fn of(object: Bound<'_, PyAny>) -> Self {
        let map = NO_VARIABLES.get(object.py());
        let class = map.map(|map| map.bind(object.py()).get_type_ptr());
        if class == Some(object.get_type_ptr()) {
            Self::Variables(object.unbind())
        } else {
            Self::Made(object.unbind())
        }
    }

    /// The object that stands for it.
    #[inline]
    pub fn into_object(self, py: Python<'_>) -> Bound<'_, PyAny> {
        let (Self::Made(object) | Self::Variables(object)) = self;
        object.into_bound(py)
    }

    /// The same, lent.
    #[inline]
    pub fn object<'a, 'py>(&'a self, py: Python<'py>) -> &'a Bound<'py, PyAny> {
        let (Self::Made(object) | Self::Variables(object)) = self;
        object.bind(py)
    }

    /// A copy of the current one, sooner or later.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline(always)]
    pub fn current(py: Python<'_>) -> PyResult<Self> {
        match current_variables(py) {
            Some(variables) => Ok(Self::Variables(variables.unbind())),
            None => Ok(Self::Made(ffi::copy_current_context(py)?.into_any().unbind())),
        }
    }

    /// The context, which is the same from now on.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn own<'a, 'py>(&'a mut self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyAny>> {
        if let Self::Variables(variables) = self {
            let context = lend(variables.bind(py).clone())?;
            *self = Self::Made(context.into_any().unbind());
        }
        Ok(self.object(py))
    }

    /// What was given for a context, and is none, but can run a function as one does.
    #[inline]
    pub fn foreign<'a, 'py>(&'a self, py: Python<'py>) -> Option<&'a Bound<'py, PyAny>> {
        match self {
            Self::Made(context) => {
                Some(context.bind(py)).filter(|context| !context.is_instance_of::<PyContext>())
            }
            Self::Variables(_) => None,
        }
    }

    /// Runs a function in the context, which nobody can ask for meanwhile. Should it fail, they can from
    /// then on.
    ///
    /// # Errors
    ///
    /// What the function raises; `MemoryError`; `RuntimeError` when the context is entered already;
    /// `TypeError` when it is none.
    #[inline]
    pub fn run_unseen<T>(
        &mut self,
        py: Python<'_>,
        function: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<T> {
        let context = match self {
            Self::Made(context) => {
                return ffi::run_in_context(context.bind(py).cast()?, function);
            }
            Self::Variables(variables) => lend(variables.bind(py).clone())?,
        };
        let outcome = ffi::run_in_context(&context, function);
        if outcome.is_err() {
            *self = Self::Made(context.into_any().unbind());
        } else if ffi::has_no_more_references(&context, 1) {
            take_back(context);
        }
        outcome
    }

    /// Lets go of it, without asking whether this thread holds the interpreter lock.
    #[inline]
    pub fn let_go(self, py: Python<'_>) {
        drop(self.into_object(py));
    }

    /// Shows the garbage collector what it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let (Self::Made(object) | Self::Variables(object)) = self;
        visit.call(object)
    }
}

/// Who has a context of its own, or the variables of one.
pub trait Holder {
    /// Has another one from now on.
    fn hold(&self, py: Python<'_>, context: CallContext);

    /// Whether this is the one that it has.
    fn holds(&self, context: &Bound<'_, PyContext>) -> bool;
}

/// Runs a function in a context that is lent for it, with the variables of a holder, who has that context meanwhile:
/// whoever asks for it is given the one that is entered. If somebody has kept it, or variables were set, it
/// stays the holder's.
///
/// # Errors
///
/// What the function raises; `MemoryError`.
#[inline(always)]
pub fn run_lent<'py, T, E: From<PyErr>>(
    holder: &impl Holder,
    variables: Bound<'py, PyAny>,
    function: impl FnOnce(&Bound<'py, PyContext>) -> Result<T, E>,
) -> Result<T, E> {
    let py = variables.py();
    let before = variables.as_ptr();
    let context = lend(variables)?;
    holder.hold(py, CallContext::Made(context.clone().into_any().unbind()));
    let outcome = function(&context);
    // Here, and with the holder.
    let after = variables_of(&context);
    if after.as_ptr() == before
        && ffi::has_no_more_references(&context, 2)
        && holder.holds(&context)
    {
        holder.hold(py, CallContext::Variables(after.unbind()));
        take_back(context);
    }
    outcome
}

/// A context with these variables, which nobody else has.
///
/// # Errors
///
/// `MemoryError`.
#[inline]
fn lend(variables: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyContext>> {
    let py = variables.py();
    let context = match SPARE.get(py).take() {
        Some(context) => context.into_bound(py),
        None => ffi::new_context(py)?,
    };
    drop(exchange_variables(&context, variables));
    Ok(context)
}

/// Has a context that nobody else has any more lent again.
#[inline]
fn take_back(context: Bound<'_, PyContext>) {
    let py = context.py();
    let none = NO_VARIABLES.get(py).expect("contexts are lent where it is known");
    drop(exchange_variables(&context, none.bind(py).clone()));
    let spare = SPARE.get(py).replace(Some(context.unbind()));
    drop(spare.map(|spare| spare.into_bound(py)));
}

/// The variables of the current context, unless it is not known, or there is none yet.
#[inline]
fn current_variables(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let current = state_word(CURRENT.get(py).get()?);
    // SAFETY: the current context is one or null; `prepare` has found where in the state of a thread it is, and
    // that contexts have a map where it is thought.
    unsafe {
        let context = Bound::from_borrowed_ptr_or_opt(py, current)?;
        Some(Bound::from_borrowed_ptr(py, *map(&context.cast_into_unchecked())))
    }
}

/// The variables of a context that was lent.
#[inline]
fn variables_of<'py>(context: &Bound<'py, PyContext>) -> Bound<'py, PyAny> {
    // SAFETY: contexts are lent only when `prepare` has found that they have a map where it is thought.
    unsafe { Bound::from_borrowed_ptr(context.py(), *map(context)) }
}

/// Gives a context other variables, and returns those that it had.
#[inline]
fn exchange_variables<'py>(
    context: &Bound<'py, PyContext>,
    variables: Bound<'py, PyAny>,
) -> Bound<'py, PyAny> {
    // SAFETY: only when `prepare` has found maps where they are thought are there variables to give,
    // and they come out of a context. Each of both references takes the other's place.
    unsafe {
        let before = ptr::replace(map(context), variables.into_ptr());
        Bound::from_owned_ptr(context.py(), before)
    }
}

/// Where a context has the map of its variables.
///
/// # Safety
///
/// Contexts have the size that is thought.
unsafe fn map(context: &Bound<'_, PyContext>) -> *mut Word {
    // SAFETY: as the function's; contexts are that long.
    unsafe { context.as_ptr().cast::<Word>().add(MAP) }
}

/// A word of the state of this thread, of the first [`STATE`].
#[inline]
fn state_word(place: usize) -> Word {
    assert!(place < STATE, "within the state");
    // SAFETY: a thread that holds the lock has a state, which is that long.
    unsafe { *cpython::PyThreadState_Get().cast::<Word>().add(place) }
}

/// Looks for the current context, and for the maps of contexts.
///
/// # Errors
///
/// `MemoryError`; what making a context variable raises.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    let (one, other) = (ffi::copy_current_context(py)?, ffi::copy_current_context(py)?);
    if one.get_type().getattr("__basicsize__")?.extract::<usize>()? != SIZE {
        return Ok(());
    }
    let variable = py.import("contextvars")?.getattr("ContextVar")?.call1(("variable",))?;
    // SAFETY: they are contexts of the size that is thought.
    let same = |other: &Bound<'_, PyContext>| unsafe { *map(&one) == *map(other) };
    let were_same = same(&other);
    ffi::run_in_context(&one, || variable.call_method1("set", (1,)).map(drop))?;
    let copy = ffi::copy_context(&one)?;
    let find = |context: &Bound<'_, PyContext>| {
        ffi::run_in_context(context, || {
            PyResult::Ok((0..STATE).find(|place| ptr::eq(state_word(*place), context.as_ptr())))
        })
    };
    if were_same && !same(&other) && same(&copy) && find(&one)? == find(&other)? {
        CURRENT.get(py).set(find(&one)?);
        let empty = ffi::new_context(py)?;
        // SAFETY: contexts have a map where it is thought, as the copies have shown.
        let none = unsafe { Bound::from_borrowed_ptr(py, *map(&empty)) };
        NO_VARIABLES.set(py, none.unbind()).ok();
    }
    Ok(())
}
