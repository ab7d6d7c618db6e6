//! Methods in C that a class inherits, as methods of its own.
//!
//! The interpreter calls a method quickly if the object is exactly of the class that has it. The loop's class is
//! made in Python, of the one in Rust, and futures and tasks have classes made of asyncio's: what these inherit
//! would never be called so.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

/// Give a class the methods of its base, but for those that it has by itself.
///
/// # Errors
///
/// `TypeError` unless it inherits from that; those of setting an attribute; `MemoryError`.
#[pyfunction]
#[pyo3(signature = (class, base, /))]
pub fn take_over_methods(class: &Bound<'_, PyType>, base: &Bound<'_, PyType>) -> PyResult<()> {
    if !class.is_subclass(base)? {
        let message = format!("{} does not inherit from {}", class.repr()?, base.repr()?);
        return Err(PyTypeError::new_err(message));
    }
    let own = class.getattr("__dict__")?;
    let inherited = base.getattr("__dict__")?.call_method0("copy")?.cast_into::<PyDict>()?;
    for (name, method) in inherited {
        if let Some(definition) = definition(&method)
            && !own.contains(&name)?
        {
            class.setattr(name.cast::<PyString>()?, descriptor(class, definition)?)?;
        }
    }
    Ok(())
}

/// Whether two objects are the same method in C, whichever class has it, or the same object.
pub fn are_same(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> bool {
    one.is(other) || definition(one).is_some_and(|it| definition(other) == Some(it))
}

/// What a method in C is made of, if it is one, and is not given the class that has it.
fn definition(method: &Bound<'_, PyAny>) -> Option<*mut ffi::PyMethodDef> {
    // SAFETY: what is read lies in a method descriptor, by the check of its type, whose definition lives as
    // long as it does.
    unsafe {
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return None;
        }
        let definition = (*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method;
        ((*definition).ml_flags & ffi::METH_METHOD == 0).then_some(definition)
    }
}

fn descriptor<'py>(
    class: &Bound<'py, PyType>,
    definition: *mut ffi::PyMethodDef,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the definition is a method's of a class that this one inherits from, and keeps alive.
    unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(class.py(), method)
    }
}
