//! Contexts for callbacks: copies of the current one, made when they are needed.
//!
//! The variables of a context are in a map that never changes: who sets one gives the context another
//! map. So one copy can stand for all that would be made while the current context has the same map.
//! Such a snapshot is neither entered nor shown while others have it: who needs a context then
//! makes a copy of it. Values live as long as they do with a copy for each.
//!
//! Where the interpreter keeps the map and the current context is not published. It is looked for when
//! the module is imported; should it not be found, each snapshot is a copy of its own.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;

use pyo3::ffi as cpython;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
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

/// The snapshot that was taken last and how many there are of it; it lives while there is one.
static LAST: GilBound<Cell<(Word, usize)>> = GilBound::new(Cell::new(NONE));

const NONE: (Word, usize) = (ptr::null_mut(), 0);

/// What the interpreter's structures are made of here: pointers to objects.
type Word = *mut cpython::PyObject;

/// The context of a call that is to be made: a `contextvars.Context`, or what can run a function as one
/// does.
pub struct CallContext {
    context: ManuallyDrop<Py<PyAny>>,
    /// Whether it is a copy that stands for others too, which are to be made.
    is_snapshot: bool,
}

impl CallContext {
    /// The one that is given.
    pub fn given(context: Py<PyAny>) -> Self {
        Self { context: ManuallyDrop::new(context), is_snapshot: false }
    }

    /// A copy of the current one, sooner or later.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline(always)]
    pub fn current(py: Python<'_>) -> PyResult<Self> {
        let (last, count) = LAST.get(py).get();
        let context = if count > 0 && is_current(py, last) {
            LAST.get(py).set((last, count + 1));
            // SAFETY: who is counted holds a reference to it.
            unsafe { Bound::from_borrowed_ptr(py, last) }
        } else {
            let copy = ffi::copy_current_context(py)?;
            LAST.get(py).set((copy.as_ptr(), 1));
            copy.into_any()
        };
        Ok(Self { context: ManuallyDrop::new(context.unbind()), is_snapshot: true })
    }

    /// The context, which from now on is this call's own: a copy, if it stands for others too.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline]
    pub fn own<'a, 'py>(&'a mut self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyAny>> {
        if self.is_snapshot {
            let context = self.context.bind(py);
            if ffi::reference_count(context) > 1 {
                // SAFETY: what is a snapshot was made as a context.
                let copy = ffi::copy_context(unsafe { context.cast_unchecked() })?;
                *self = Self::given(copy.into_any().unbind());
            } else {
                self.leave(py);
                self.is_snapshot = false;
            }
        }
        Ok(self.context.bind(py))
    }

    /// The same once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let (last, count) = LAST.get(py).get();
        if self.is_snapshot && ptr::eq(last, self.context.as_ptr()) {
            LAST.get(py).set((last, count + 1));
        }
        let context = ManuallyDrop::new(self.context.clone_ref(py));
        Self { context, is_snapshot: self.is_snapshot }
    }

    /// Shows the garbage collector what it holds.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&*self.context)
    }

    /// Counts it no longer, if it is of the last that was taken.
    #[inline]
    fn leave(&self, py: Python<'_>) {
        let (last, count) = LAST.get(py).get();
        if ptr::eq(last, self.context.as_ptr()) {
            LAST.get(py).set(if count > 1 { (last, count - 1) } else { NONE });
        }
    }
}

impl Drop for CallContext {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: what has one is in a `GilBound`, so the lock is held.
        let py = unsafe { Python::assume_attached() };
        if self.is_snapshot {
            self.leave(py);
        }
        // SAFETY: the reference is not used after this.
        unsafe { ManuallyDrop::take(&mut self.context) }.drop_ref(py);
    }
}

/// Whether the current context has the same variables as another, with the same values.
#[inline]
fn is_current(py: Python<'_>, context: Word) -> bool {
    let Some(place) = CURRENT.get(py).get() else { return false };
    // SAFETY: it is a context, and the current one is one or null; `prepare` has found where in the
    // state of a thread it is.
    unsafe {
        let current = state_word(place);
        !current.is_null() && ptr::eq(map(current), map(context))
    }
}

/// The map of a context's variables.
///
/// # Safety
///
/// It is a context, and contexts have the size that is thought.
unsafe fn map(context: Word) -> Word {
    // SAFETY: as the function's; contexts are that long.
    unsafe { *context.cast::<Word>().add(MAP) }
}

/// A word of the state of this thread, of the first [`STATE`].
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
    let same = |other: &Bound<'_, PyContext>| unsafe { map(one.as_ptr()) == map(other.as_ptr()) };
    let were_same = same(&other);
    ffi::run_in_context(&one, || variable.call_method1("set", (1,)).map(drop))?;
    let copy = ffi::copy_context(&one)?;
    let find = |context: &Bound<'_, PyContext>| {
        ffi::run_in_context(context, || {
            Ok((0..STATE).find(|place| ptr::eq(state_word(*place), context.as_ptr())))
        })
    };
    if were_same && !same(&other) && same(&copy) && find(&one)? == find(&other)? {
        CURRENT.get(py).set(find(&one)?);
    }
    Ok(())
}
