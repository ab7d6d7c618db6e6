//! What the garbage collector knows of an object.

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;

/// Shows an object to the garbage collector, if it is not shown already: one whose memory comes from
/// a class's free list is not.
pub fn track<T: PyClass>(object: &Bound<'_, T>) {
    // SAFETY: the object is live and initialised, its class, like all of PyO3's, can be traversed,
    // and the lock is held.
    unsafe {
        if ffi::PyObject_GC_IsTracked(object.as_ptr()) == 0 {
            ffi::PyObject_GC_Track(object.as_ptr().cast());
        }
    }
}

/// Hides an object from the garbage collector, if it is not hidden already.
pub fn untrack<T: PyClass>(object: &Bound<'_, T>) {
    // SAFETY: the object is live and of a class that can be traversed, and the lock is held.
    // Whether one is tracked is for who makes it to decide; what it must see to is that no cycle
    // goes through it that the collector alone could find.
    unsafe {
        if ffi::PyObject_GC_IsTracked(object.as_ptr()) != 0 {
            ffi::PyObject_GC_UnTrack(object.as_ptr().cast());
        }
    }
}

/// Whether nobody can come by an object but by this reference: there is no other one, not even a weak
/// one, and the garbage collector does not know it. Its class must have room for weak references.
#[inline]
pub fn is_unseen<T: PyClass>(object: &Bound<'_, T>) -> bool {
    let object = object.as_ptr();
    // SAFETY: the object is live and the lock is held; where its class has room for a list of weak
    // references, the pointer to it is at that offset.
    unsafe {
        ffi::Py_REFCNT(object) == 1
            && !is_weakly_known(object)
            && ffi::PyObject_GC_IsTracked(object) == 0
    }
}

/// Whether there are weak references to an object.
///
/// # Safety
///
/// The object's memory is as its class says, and the lock is held.
#[inline]
pub unsafe fn is_weakly_known(object: *mut ffi::PyObject) -> bool {
    // SAFETY: as the function's; where a class has room for a list of weak references, the pointer to it
    // is at that offset.
    unsafe {
        let offset = (*ffi::Py_TYPE(object)).tp_weaklistoffset;
        assert!(offset > 0, "the class has room for weak references");
        !(*object.byte_offset(offset).cast::<*mut ffi::PyObject>()).is_null()
    }
}

/// A new object of a class with a `__dict__`.
///
/// Before Python 3.12 the interpreter makes the dict when the collector knows the object already, and
/// its value is not written yet: a collection that begins there would look into zeros. None does.
///
/// # Errors
///
/// Those of [`Bound::new`].
pub fn create<T: PyClass<BaseType = PyAny>>(py: Python<'_>, value: T) -> PyResult<Bound<'_, T>> {
    without_collections(py, || Bound::new(py, value))
}

/// Acts while no collection of garbage begins by itself, and so no finalizer of the program's runs.
pub fn without_collections<T>(_py: Python<'_>, act: impl FnOnce() -> T) -> T {
    // SAFETY: with the lock held, it only sets whether collections begin by themselves.
    let was_enabled = unsafe { ffi::PyGC_Disable() } != 0;
    let outcome = act();
    if was_enabled {
        // SAFETY: as above.
        unsafe { ffi::PyGC_Enable() };
    }
    outcome
}
