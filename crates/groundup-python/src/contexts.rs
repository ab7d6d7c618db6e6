//! Contexts for callbacks: copies of the current one, made when they are needed.
//!
//! The variables of a context are in a map that never changes: who sets one gives the context another
//! map. So one copy can stand for all that would be made while the current context has the same map.
//! Such a [`Snapshot`] is neither entered nor shown while others have it: who needs a context then
//! makes a copy of it. Values live as long as they do with a copy for each.
//!
//! Where the interpreter keeps the map and the current context is not published. It is looked for when
//! the module is imported; should it not be found, each snapshot is a copy of its own.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr;

use pyo3::ffi as cpython;
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

/// A context that stands for what was current when it was taken; a reference to it.
pub struct Snapshot(ManuallyDrop<Py<PyContext>>);

impl Snapshot {
    /// What is current now.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline]
    pub fn take(py: Python<'_>) -> PyResult<Self> {
        let (last, count) = LAST.get(py).get();
        if count > 0 && is_current(py, last) {
            LAST.get(py).set((last, count + 1));
            // SAFETY: it is a context, and who is counted holds a reference to it.
            let context = unsafe { Bound::from_borrowed_ptr(py, last).cast_into_unchecked() };
            return Ok(Self(ManuallyDrop::new(context.unbind())));
        }
        let context = ffi::copy_current_context(py)?;
        LAST.get(py).set((context.as_ptr(), 1));
        Ok(Self(ManuallyDrop::new(context.unbind())))
    }

    /// The context, for who neither enters nor shows it.
    pub fn context(&self) -> &Py<PyContext> {
        &self.0
    }

    /// A context for oneself: the snapshot, if nobody else has it, or else a copy.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline]
    pub fn own<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyContext>> {
        let context = self.0.bind(py);
        if ffi::reference_count(context) > 1 {
            return ffi::copy_context(context);
        }
        self.leave(py);
        Ok(context.clone())
    }

    /// The same once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let (last, count) = LAST.get(py).get();
        if ptr::eq(last, self.0.as_ptr()) {
            LAST.get(py).set((last, count + 1));
        }
        Self(ManuallyDrop::new(self.0.clone_ref(py)))
    }

    /// Counts it no longer, if it is of the last that was taken.
    #[inline]
    fn leave(&self, py: Python<'_>) {
        let (last, count) = LAST.get(py).get();
        if ptr::eq(last, self.0.as_ptr()) {
            LAST.get(py).set(if count > 1 { (last, count - 1) } else { NONE });
        }
    }
}

impl Drop for Snapshot {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: what has one is in a `GilBound`, so the lock is held.
        let py = unsafe { Python::assume_attached() };
        self.leave(py);
        // SAFETY: the reference is not used after this.
        unsafe { ManuallyDrop::take(&mut self.0) }.drop_ref(py);
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
