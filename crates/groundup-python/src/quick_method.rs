//! Methods that are called for each piece of data, without what makes a call general.
//!
//! PyO3's own method stays behind each: calls with keywords, or with too few or too many arguments, are
//! handed on to it, so that it alone says what is wrong with them. A quick method has its name, its
//! signature and its docstring. It must not know what the methods do.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PySystemError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A method of a class with one argument, whose result is None.
pub trait QuickMethod: 'static {
    /// The class.
    type Class: PyTypeInfo;

    /// The name of PyO3's method.
    const NAME: &'static CStr;

    /// Where PyO3's method is kept, one place for each method.
    fn general() -> &'static PyOnceLock<General>;

    /// What the method does.
    ///
    /// # Errors
    ///
    /// What the method raises.
    fn call<'py>(object: &Bound<'py, Self::Class>, argument: &Bound<'py, PyAny>) -> PyResult<()>;
}

/// The function of PyO3's method.
pub struct General(ffi::PyCFunctionFastWithKeywords);

/// Puts a quick method before PyO3's.
///
/// # Errors
///
/// `TypeError` when the class has no such method; what changing a class raises.
pub fn quicken<M: QuickMethod>(py: Python<'_>) -> PyResult<()> {
    let class = M::Class::type_object(py);
    let (mut definition, general) = definition_of(&class.getattr(M::NAME.to_string_lossy())?)?;
    M::general().get_or_init(py, || General(general));
    definition.ml_meth = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: call::<M> };
    // The descriptor refers to it for as long as there is the class.
    let definition = Box::leak(Box::new(definition));
    // SAFETY: the class is live, the definition lives for ever, and the lock is held.
    let descriptor = unsafe {
        let descriptor = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, descriptor)?
    };
    class.setattr(M::NAME.to_string_lossy(), descriptor)
}

/// How a method of PyO3's is defined, and its function.
fn definition_of(
    method: &Bound<'_, PyAny>,
) -> PyResult<(ffi::PyMethodDef, ffi::PyCFunctionFastWithKeywords)> {
    let refuse = || PyTypeError::new_err("no method with positional arguments and keywords");
    // SAFETY: the lock is held, and only a live object that is of the type for it is taken for a
    // descriptor, whose definition lives as long; the flags tell which function the union has.
    unsafe {
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return Err(refuse());
        }
        let definition = *(*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method;
        if definition.ml_flags != ffi::METH_FASTCALL | ffi::METH_KEYWORDS {
            return Err(refuse());
        }
        Ok((definition, definition.ml_meth.PyCFunctionFastWithKeywords))
    }
}

unsafe extern "C" fn call<M: QuickMethod>(
    object: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if count != 1 || !names.is_null() {
        // SAFETY: the arguments are handed on as they came.
        return unsafe { call_general::<M>(object, arguments, count, names) };
    }
    // SAFETY: the interpreter calls this with the lock held, after its start and before its end.
    let outcome = unsafe {
        Python::attach_unchecked(|py| {
            // The descriptor has made sure that the object is of the class; there is one argument, and
            // the caller refers to both until this returns.
            let object = Bound::ref_from_ptr(py, &object).cast_unchecked::<M::Class>();
            let argument = Bound::ref_from_ptr(py, &*arguments);
            let outcome = catch_unwind(AssertUnwindSafe(|| M::call(object, argument)));
            raise(py, outcome.unwrap_or_else(|_| Err(PySystemError::new_err("it panicked"))))
        })
    };
    // SAFETY: the lock is held.
    if outcome { unsafe { ffi::Py_NewRef(ffi::Py_None()) } } else { ptr::null_mut() }
}

/// Raises what came of a call, if it was an error; else it is true.
fn raise(py: Python<'_>, outcome: PyResult<()>) -> bool {
    outcome.map_err(|error| error.restore(py)).is_ok()
}

#[cold]
unsafe fn call_general<M: QuickMethod>(
    object: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls methods with the lock held; what PyO3's function gets is what the
    // interpreter would have given it.
    unsafe {
        let general = M::general().get(Python::assume_attached());
        general.expect("the method was quickened").0(object, arguments, count, names)
    }
}
