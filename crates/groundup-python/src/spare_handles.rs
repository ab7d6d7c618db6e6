//! Handles that nobody has any more: they are used again as they are.
//!
//! When the last reference to an object goes, the interpreter has its class end it (`tp_dealloc`). What
//! is here stands before that for the classes of handles: an object that can serve again lets go of what
//! it holds and is kept, and all others end as the class ends them. So to make a handle is mostly to
//! give a call to one that is there.

use std::cell::RefCell;
use std::ptr;
use std::sync::OnceLock;

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::ffi::{is_weakly_known, untrack};
use crate::gil::GilBound;
use crate::handle::Handle;
use crate::timer_handle::TimerHandle;

/// How many of a class are kept at most.
const MOST: usize = 8 * 1024;

/// A class of handles that are used again.
pub trait SpareHandle: PyClass {
    /// Where they are kept.
    fn spares() -> &'static Spares<Self>;

    /// A new one that holds nothing.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    fn blank(py: Python<'_>) -> PyResult<Bound<'_, Self>>;

    /// What all handles are.
    fn base<'a>(handle: &'a Bound<'_, Self>) -> &'a Handle;

    /// Makes the rest of one that held something as in a new one.
    fn clear(handle: &Bound<'_, Self>);
}

/// The handles of a class that are kept. They hold nothing, have no weak references, and the garbage
/// collector does not know them.
pub struct Spares<T> {
    handles: GilBound<RefCell<Vec<Py<T>>>>,
    /// How the class ends what is not kept.
    end: OnceLock<ffi::destructor>,
}

impl<T> Spares<T> {
    /// None yet.
    pub const fn new() -> Self {
        Self { handles: GilBound::new(RefCell::new(Vec::new())), end: OnceLock::new() }
    }
}

/// A handle that holds nothing, and that the garbage collector does not know.
///
/// # Errors
///
/// `MemoryError`.
#[inline]
pub fn make<T: SpareHandle>(py: Python<'_>) -> PyResult<Bound<'_, T>> {
    let spare = T::spares().handles.get(py).borrow_mut().pop();
    if let Some(handle) = spare {
        return Ok(handle.into_bound(py));
    }
    let handle = T::blank(py)?;
    untrack(&handle);
    Ok(handle)
}

/// Lets go of a handle that nobody else has, not even the garbage collector, and that was not made in
/// debug mode. It spares the interpreter's way to [`end`].
#[inline]
pub fn put(handle: Bound<'_, Handle>) {
    if handle.is_exact_instance_of::<Handle>() {
        put_exact(handle);
    } else if let Ok(timer) = handle.into_any().cast_into_exact::<TimerHandle>() {
        put_exact(timer);
    }
}

#[inline]
fn put_exact<T: SpareHandle>(handle: Bound<'_, T>) {
    let py = handle.py();
    let spares = T::spares().handles.get(py);
    if spares.borrow().len() < MOST && T::base(&handle).clear(py) {
        T::clear(&handle);
        spares.borrow_mut().push(handle.unbind());
    }
}

unsafe extern "C" {
    fn _Py_NewReference(object: *mut ffi::PyObject);
}

/// Has the handles of a class kept from now on.
pub fn keep<T: SpareHandle>(py: Python<'_>) {
    let class = T::type_object_raw(py);
    // SAFETY: the class is live and the lock, under which its fields change, is held. PyO3 gives each of
    // its classes a function of its own for the end of its objects; `end` does what that one does.
    unsafe {
        let before = (*class).tp_dealloc.replace(end::<T>).expect("objects of a class end");
        T::spares().end.set(before).expect("a class is asked once");
    }
}

/// What the interpreter calls.
unsafe extern "C" fn end<T: SpareHandle>(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter passes an object of the class, or of one that inherits from it, whose last
    // reference is gone, and holds the lock.
    unsafe {
        let py = Python::assume_attached();
        if !take_back::<T>(py, object) {
            T::spares().end.get().expect("it is noted")(object);
        }
    }
}

/// Keeps an object, unless there are enough or it is not as any other; says whether it did.
///
/// # Safety
///
/// The object is of the class, or of one that inherits from it, and there is no reference to it.
unsafe fn take_back<T: SpareHandle>(py: Python<'_>, object: *mut ffi::PyObject) -> bool {
    let spares = T::spares().handles.get(py);
    // SAFETY: as the function's. The borrowed `Bound` is not cloned. What the object lets go of may run
    // Python code, which has no way to it; after that a first reference is made to it, as to a new one.
    unsafe {
        let is_plain = ptr::eq(ffi::Py_TYPE(object), T::type_object_raw(py))
            && !is_weakly_known(object)
            && spares.borrow().len() < MOST;
        if !is_plain {
            return false;
        }
        let handle = Bound::ref_from_ptr(py, &object).cast_unchecked::<T>();
        untrack(handle);
        if !T::base(handle).clear(py) {
            return false;
        }
        T::clear(handle);
        _Py_NewReference(object);
        let handle = Bound::from_owned_ptr(py, object).cast_into_unchecked();
        spares.borrow_mut().push(handle.unbind());
        true
    }
}
