//! Handles that have been called and that nobody has: they are used again as they are.

use std::cell::RefCell;

use pyo3::prelude::*;

use crate::gil::GilBound;
use crate::handle::Handle;

/// How many are kept at most: a busy turn's worth.
const MOST: usize = 1024;

/// They hold nothing, have no weak references, and the garbage collector does not know them.
static SPARE: GilBound<RefCell<Vec<Py<Handle>>>> = GilBound::new(RefCell::new(Vec::new()));

/// Takes a handle out; whoever does gives it a place and a call.
#[inline]
pub fn take(py: Python<'_>) -> Option<Bound<'_, Handle>> {
    let handle = SPARE.get(py).borrow_mut().pop();
    handle.map(|handle| handle.into_bound(py))
}

/// Keeps a handle that holds nothing and that nobody has, unless it is of a subclass, or there are
/// enough.
#[inline]
pub fn put(handle: Bound<'_, Handle>) {
    let spare = SPARE.get(handle.py());
    if spare.borrow().len() < MOST && handle.is_exact_instance_of::<Handle>() {
        spare.borrow_mut().push(handle.unbind());
    }
}
