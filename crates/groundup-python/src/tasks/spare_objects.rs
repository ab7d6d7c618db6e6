//! Futures and tasks that nobody has any more: new ones are made in their memory.
//!
//! An object comes here at its end, when it holds nothing, and is all zeros as one that was just allocated. It
//! has no class to keep alive, and the garbage collector does not know it.

use std::cell::RefCell;
use std::ptr::{self, NonNull};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::gil::GilBound;

/// How many of each class are kept at most.
const MOST: usize = 512;

/// The memory of objects of one class.
pub struct SpareObjects(GilBound<RefCell<Vec<NonNull<ffi::PyObject>>>>);

pub static FUTURES: SpareObjects = SpareObjects::new();
pub static TASKS: SpareObjects = SpareObjects::new();
pub static FUTURE_ITERS: SpareObjects = SpareObjects::new();

impl SpareObjects {
    const fn new() -> Self {
        Self(GilBound::new(RefCell::new(Vec::new())))
    }

    /// A new object of the class, whose fields are zero, if there is memory for it.
    ///
    /// # Safety
    ///
    /// The class is the one that all of these are of.
    #[inline]
    pub unsafe fn take<'py>(
        &self,
        py: Python<'py>,
        class: *mut ffi::PyTypeObject,
    ) -> Option<Bound<'py, PyAny>> {
        let object = self.0.get(py).borrow_mut().pop()?.as_ptr();
        // SAFETY: `end` has left memory here that the class has allocated, with nothing in it; nobody
        // else has it any more. The collector may know it as soon as it has its count and class.
        unsafe {
            ffi::PyObject_Init(object, class);
            ffi::PyObject_GC_Track(object.cast());
            Some(Bound::from_owned_ptr(py, object))
        }
    }

    /// Ends an object, as the base's `tp_dealloc` does, and keeps its memory.
    ///
    /// # Safety
    ///
    /// The last reference to the object is gone, its finalizer has nothing to do, and it is exactly of
    /// the class that all of these are of, whose `tp_clear` lets go of all that it holds. The lock
    /// is held.
    pub unsafe fn end(&self, object: NonNull<ffi::PyObject>) {
        let object = object.as_ptr();
        // SAFETY: as the function's. What is let go of may run code, which cannot come by the object
        // any more: weak references to it are gone by then. Behind its head lie fields only, for
        // which zeros are what a new object has.
        unsafe {
            let class = ffi::Py_TYPE(object);
            ffi::PyObject_GC_UnTrack(object.cast());
            if (*class).tp_weaklistoffset != 0 {
                ffi::PyObject_ClearWeakRefs(object);
            }
            if let Some(clear) = (*class).tp_clear {
                clear(object);
            }
            let fields = (*class).tp_basicsize as usize - size_of::<ffi::PyObject>();
            ptr::write_bytes(object.add(1).cast::<u8>(), 0, fields);
            self.keep(object);
            ffi::Py_DECREF(class.cast());
        }
    }

    /// Keeps memory, or gives it back.
    ///
    /// # Safety
    ///
    /// It was an object of the class, which has ended.
    unsafe fn keep(&self, object: *mut ffi::PyObject) {
        let mut spares = self.0.visit().borrow_mut();
        // SAFETY: its head is still that of an object, and `tp_free` is what its class gives
        // memory back with. The collector's mark that it was finalized would stay.
        unsafe {
            if spares.len() < MOST && ffi::PyObject_GC_IsFinalized(object) == 0 {
                spares.extend(NonNull::new(object));
            } else if let Some(free) = (*ffi::Py_TYPE(object)).tp_free {
                free(object.cast());
            }
        }
    }
}
