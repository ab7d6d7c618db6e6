//! What objects keep under names: set and found past the methods that their classes may have for it.

use std::ptr;

use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// Sets an attribute, or deletes it, as `object.__setattr__` does (`PyObject_GenericSetAttr`).
///
/// # Errors
///
/// `AttributeError`; what a descriptor raises.
pub fn set_attribute<T>(
    object: &Bound<'_, T>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let value = value.map_or(ptr::null_mut(), |value| value.as_ptr());
    // SAFETY: object and name are live and the lock is held; the value is live, or null, by which
    // the attribute is deleted.
    if unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) } < 0 {
        return Err(PyErr::fetch(object.py()));
    }
    Ok(())
}

/// An attribute, if `object.__getattribute__` finds it (`PyObject_GenericGetAttr`).
pub fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: object and name are live and the lock is held; the result is a new reference, or null with
    // an exception, which is let go of.
    let found = unsafe {
        let found = ffi::PyObject_GenericGetAttr(object.as_ptr(), name.as_ptr());
        Bound::from_owned_ptr_or_err(object.py(), found)
    };
    found.ok()
}

/// What an object keeps in its `__dict__` under a name, whatever its class has under that.
pub fn kept<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let py = object.py();
    // SAFETY: object and name are live and the lock is held. The first call gives a new reference, or
    // raises; the second a borrowed one, or null, and may have raised.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(object.as_ptr(), ptr::null_mut());
        let found = Bound::from_owned_ptr_or_opt(py, dict).and_then(|dict| {
            let found = ffi::PyDict_GetItemWithError(dict.as_ptr(), name.as_ptr());
            Bound::from_borrowed_ptr_or_opt(py, found)
        });
        if found.is_none() {
            ffi::PyErr_Clear();
        }
        found
    }
}

/// Puts something into the `__dict__` of an object under a name, or takes it out, whatever the class
/// has under that.
///
/// # Errors
///
/// `AttributeError` when there is nothing to be taken out; `MemoryError`.
pub fn keep(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    // SAFETY: the object is live and the lock is held; the result is a new reference to a dict, or null
    // with an exception raised.
    let dict = unsafe {
        let dict = ffi::PyObject_GenericGetDict(object.as_ptr(), ptr::null_mut());
        Bound::from_owned_ptr_or_err(object.py(), dict)?.cast_into::<PyDict>()?
    };
    match value {
        Some(value) => dict.set_item(name, value),
        None if dict.contains(name)? => dict.del_item(name),
        None => Err(PyAttributeError::new_err(name.clone().unbind())),
    }
}

/// What lies at a place of an object that a class has made with `__slots__`.
pub fn slot<'py>(object: &Bound<'py, PyAny>, place: SlotPlace) -> Option<Bound<'py, PyAny>> {
    assert!(object.get_type_ptr() == place.class, "an object of the class");
    // SAFETY: objects of the class have a reference there, or null, and the lock is held.
    unsafe {
        let slot = object.as_ptr().byte_add(place.offset).cast::<*mut ffi::PyObject>();
        Bound::from_borrowed_ptr_or_opt(object.py(), *slot)
    }
}

/// Where objects of a class have their only slot.
#[derive(Clone, Copy)]
pub struct SlotPlace {
    /// The class is never freed.
    class: *mut ffi::PyTypeObject,
    offset: usize,
}

// SAFETY: the pointer is only compared.
unsafe impl Send for SlotPlace {}
// SAFETY: as above.
unsafe impl Sync for SlotPlace {}

impl SlotPlace {
    /// That of a class with one slot more than its base; none if it is not so.
    ///
    /// # Errors
    ///
    /// What reading attributes raises.
    pub fn of(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> PyResult<Option<Self>> {
        let size = |class: &Bound<'_, PyType>| class.getattr("__basicsize__")?.extract::<usize>();
        let (offset, size) = (size(base)?, size(class)?);
        if size != offset + size_of::<*mut ffi::PyObject>() {
            return Ok(None);
        }
        Ok(Some(Self { class: class.clone().into_ptr().cast(), offset }))
    }
}
