//! Bytes objects that nobody refers to any more, kept to be filled again.
//!
//! What is read and handed to a protocol is most often dropped soon, and so is what was written: the next
//! piece of about that size takes its place, without malloc. That matters most for large pieces, whose
//! memory malloc tends to give back to the system, to take it anew for the next. An object that
//! anybody else refers to is never touched.

use std::cell::{Cell, RefCell};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Smaller ones are not worth keeping, in bytes: Python's own allocator is quick.
const LEAST: usize = 512;
/// Larger ones are not kept, in bytes.
const MOST: usize = 512 * 1024;
/// How much is kept together, in bytes.
const TOGETHER: usize = 1024 * 1024;
/// Sizes of one class have the same number of binary digits.
const CLASSES: usize = MOST.ilog2() as usize + 1;

/// Bytes objects to be filled again, by size; only this refers to them.
#[derive(Default)]
pub struct SpareBytes {
    classes: RefCell<[Vec<Py<PyBytes>>; CLASSES]>,
    held: Cell<usize>,
}

impl SpareBytes {
    /// Bytes with a content.
    pub fn copy<'py>(&self, py: Python<'py>, content: &[u8]) -> Bound<'py, PyBytes> {
        match self.take(py, content.len()) {
            Some(spare) => fill(spare, content),
            None => PyBytes::new(py, content),
        }
    }

    /// Lets go of bytes that have served, and keeps them if nobody else refers to them.
    pub fn keep(&self, bytes: Bound<'_, PyBytes>) {
        let size = bytes.as_bytes().len();
        if !(LEAST..=MOST).contains(&size) || !is_unshared(&bytes) {
            return;
        }
        // Only bytes objects are dropped here, which runs no Python code.
        let mut classes = self.classes.borrow_mut();
        if self.held.get() + size > TOGETHER {
            *classes = Default::default();
            self.held.set(0);
        }
        self.held.set(self.held.get() + size);
        classes[size.ilog2() as usize].push(bytes.unbind());
    }

    /// An object with room for a size, of which that leaves less than half.
    fn take<'py>(&self, py: Python<'py>, size: usize) -> Option<Bound<'py, PyBytes>> {
        if !(LEAST..=MOST).contains(&size) {
            return None;
        }
        let class = &mut self.classes.borrow_mut()[size.ilog2() as usize];
        let spare = class.pop_if(|spare| spare.as_bytes(py).len() >= size)?;
        self.held.set(self.held.get() - spare.as_bytes(py).len());
        Some(spare.into_bound(py))
    }
}

/// Gives an object that nobody else refers to another content, for which it has room.
#[allow(deprecated)] // the hash has to be reset for as long as there is the field for it
fn fill<'py>(bytes: Bound<'py, PyBytes>, content: &[u8]) -> Bound<'py, PyBytes> {
    assert!(content.len() <= bytes.as_bytes().len() && is_unshared(&bytes));
    // SAFETY: nobody else refers to the object, so that nobody sees it change or has a slice of it; it
    // is exactly a bytes object, whose memory has room for the content and the NUL behind it; its hash
    // is to be computed anew.
    unsafe {
        let object = bytes.as_ptr().cast::<ffi::PyBytesObject>();
        (*object).ob_base.ob_size = content.len() as ffi::Py_ssize_t;
        (*object).ob_shash = -1;
        let start = (&raw mut (*object).ob_sval).cast::<u8>();
        ptr::copy_nonoverlapping(content.as_ptr(), start, content.len());
        start.add(content.len()).write(0);
    }
    bytes
}

/// Whether this is the only reference to an object of exactly the class `bytes`.
fn is_unshared(bytes: &Bound<'_, PyBytes>) -> bool {
    // SAFETY: the object is live and the lock is held.
    unsafe { ffi::Py_REFCNT(bytes.as_ptr()) == 1 && ffi::PyBytes_CheckExact(bytes.as_ptr()) == 1 }
}
