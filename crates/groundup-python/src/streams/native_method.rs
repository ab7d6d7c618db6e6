//! A method in Rust for a class that is made at run time, in place of a function in Python.
//!
//! It binds, is called, and is asked for its name, signature or kind as the function is that it stands
//! for; what its body does not take (odd arguments, another kind of object) the function gets. The
//! interpreter calls it without binding it first. It must not know what the methods do.

use std::ffi::{c_int, c_uint, c_void};
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

use crate::imports;

/// What a method answers; `None` leaves the call to the function in Python.
pub type Answer<'py> = PyResult<Option<Bound<'py, PyAny>>>;

/// What a method does, with its object.
type Body = for<'py> fn(&Bound<'py, PyAny>, &Arguments<'_, 'py>) -> Answer<'py>;

/// A method, to be given to a class.
pub struct NativeMethod {
    pub name: &'static str,
    /// The one argument that may be given by name.
    pub parameter: &'static str,
    pub body: Body,
}

/// What a method was called with, beside the object.
pub struct Arguments<'a, 'py> {
    py: Python<'py>,
    values: &'a [*mut ffi::PyObject],
}

impl<'a, 'py> Arguments<'a, 'py> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        // SAFETY: the caller of the method holds references to all arguments until it returns.
        self.values.get(index).map(|value| unsafe { Borrowed::from_ptr(self.py, *value) })
    }
}

/// The object of a method in memory.
#[repr(C)]
struct Layout {
    head: ffi::PyObject,
    vectorcall: Option<ffi::vectorcallfunc>,
    method: &'static NativeMethod,
    /// A reference to the function.
    function: *mut ffi::PyObject,
}

impl NativeMethod {
    /// The object for a class's dictionary; it stands for `function`.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn object<'py>(&'static self, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = function.py();
        let class = CLASS.get_or_try_init(py, || new_class(py))?;
        // SAFETY: the class is `Layout`'s, so that a new object of it has room for that; each field is
        // written before anybody else gets to see it, with a reference that belongs to the object.
        unsafe {
            let object = ffi::PyType_GenericAlloc(class.as_ptr().cast(), 0);
            let object = Bound::from_owned_ptr_or_err(py, object)?;
            let layout = object.as_ptr().cast::<Layout>();
            ptr::addr_of_mut!((*layout).vectorcall).write(Some(call));
            ptr::addr_of_mut!((*layout).method).write(self);
            ptr::addr_of_mut!((*layout).function).write(function.into_ptr());
            Ok(object)
        }
    }
}

fn new_class(py: Python<'_>) -> PyResult<Py<PyType>> {
    let mut members = [
        ffi::PyMemberDef {
            name: c"__vectorcalloffset__".as_ptr(),
            type_code: ffi::Py_T_PYSSIZET,
            offset: offset_of!(Layout, vectorcall) as ffi::Py_ssize_t,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        },
        ffi::PyMemberDef::default(),
    ];
    let slot = |slot, pfunc| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_descr_get, bind as *mut c_void),
        slot(ffi::Py_tp_getattro, get_attribute as *mut c_void),
        slot(ffi::Py_tp_dealloc, free as *mut c_void),
        slot(0, ptr::null_mut()),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_VECTORCALL
        | ffi::Py_TPFLAGS_METHOD_DESCRIPTOR
        | ffi::Py_TPFLAGS_IMMUTABLETYPE
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
    let mut spec = ffi::PyType_Spec {
        name: c"groundup._groundup.NativeMethod".as_ptr(),
        basicsize: size_of::<Layout>() as c_int,
        itemsize: 0,
        flags: flags as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the specification lives during the call, which copies what it needs; the functions are
    // of the types that their slots ask for, and the lock is held.
    unsafe {
        let class = ffi::PyType_FromSpec(&mut spec);
        Ok(Bound::from_owned_ptr_or_err(py, class)?.cast_into_unchecked().unbind())
    }
}

/// The call of a method: the first argument is the object.
unsafe extern "C" fn call(
    callable: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    count_and_flag: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this with an object of the class, as many live arguments as it
    // says followed by one for each name, and the lock held.
    let (layout, count, named) = unsafe {
        let count = ffi::PyVectorcall_NARGS(count_and_flag) as usize;
        let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) as usize };
        (&*callable.cast::<Layout>(), count, named)
    };
    let outcome = guarded(|py| {
        if count == 0 || named > 0 && (count > 1 || !is_name_of(py, layout.method, names)) {
            return Ok(None);
        }
        // SAFETY: as above.
        let values = unsafe { std::slice::from_raw_parts(values, count + named) };
        // SAFETY: a reference to a live object, as above; it is not kept.
        let object = unsafe { Borrowed::from_ptr(py, values[0]) };
        (layout.method.body)(&object, &Arguments { py, values: &values[1..] })
    });
    match outcome {
        Some(result) => result,
        // SAFETY: the arguments are handed on as they came.
        None => unsafe { ffi::PyObject_Vectorcall(layout.function, values, count_and_flag, names) },
    }
}

/// Whether there is one name, that of the method's parameter.
fn is_name_of(py: Python<'_>, method: &NativeMethod, names: *mut ffi::PyObject) -> bool {
    // SAFETY: the names of a call are a live tuple.
    let names = unsafe { Borrowed::from_ptr(py, names) };
    names.cast::<PyTuple>().is_ok_and(|names| {
        names.len() == 1
            && names.get_item(0).is_ok_and(|name| name.eq(method.parameter).unwrap_or(false))
    })
}

/// Runs a body for the interpreter; none means that it leaves the call to the function.
fn guarded(
    body: impl for<'py> FnOnce(Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>>,
) -> Option<*mut ffi::PyObject> {
    Python::attach(|py| {
        let outcome = catch_unwind(AssertUnwindSafe(|| body(py)));
        match outcome {
            Ok(Ok(result)) => result.map(Bound::into_ptr),
            Ok(Err(error)) => {
                error.restore(py);
                Some(ptr::null_mut())
            }
            Err(_) => {
                PySystemError::new_err("a method of groundup has panicked").restore(py);
                Some(ptr::null_mut())
            }
        }
    })
}

unsafe extern "C" fn bind(
    method: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let bound = guarded(|py| {
        // SAFETY: the interpreter gives live objects, or null in place of one.
        let method = unsafe { Borrowed::from_ptr(py, method) };
        // SAFETY: as above.
        match unsafe { Borrowed::from_ptr_or_opt(py, object) } {
            Some(object) => imports::method_type(py)?.call1((method, object)).map(Some),
            None => Ok(Some(method.to_owned())),
        }
    });
    bound.unwrap_or(ptr::null_mut())
}

unsafe extern "C" fn get_attribute(
    method: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this with an object of the class, whose function lives as long.
    unsafe { ffi::PyObject_GetAttr((*method.cast::<Layout>()).function, name) }
}

unsafe extern "C" fn free(method: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls this once, for an object of the class that nobody refers to; the
    // object has a reference to its function and, being of a heap type, one to its class.
    unsafe {
        let class = ffi::Py_TYPE(method);
        ffi::Py_DECREF((*method.cast::<Layout>()).function);
        ffi::PyObject_Free(method.cast());
        ffi::Py_DECREF(class.cast());
    }
}
