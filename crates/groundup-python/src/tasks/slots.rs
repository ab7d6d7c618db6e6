//! What the classes have instead of their bases' methods: the tables that tell the interpreter so.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::ending::{deallocate_future, deallocate_task};
use super::future_iter::iterate;
use super::layout::{FutureObject, OwnTaskObject};
use super::tables::{leak, method, slot};
use super::{future_methods, task_methods};
use crate::own_methods::take_over_methods;

/// Makes a class of its bases, with what it has instead of theirs.
fn derive<'py>(
    bases: &Bound<'py, PyTuple>,
    name: &'static CStr,
    size: usize,
    slots: &mut [ffi::PyType_Slot],
) -> PyResult<Bound<'py, PyType>> {
    let py = bases.py();
    let flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE;
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: size as c_int,
        itemsize: 0,
        flags: flags as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the slots end with an empty one, what they refer to is static, and the size is that of the
    // bases or more.
    unsafe {
        let class = ffi::PyType_FromSpecWithBases(&mut spec, bases.as_ptr());
        let class = Bound::from_owned_ptr_or_err(py, class)?.cast_into_unchecked();
        take_over_methods(&class, bases.get_item(0)?.cast()?)?;
        Ok(class)
    }
}

/// The class `Future`, of the one in `_asyncio`.
///
/// # Errors
///
/// What making a class raises.
pub fn derive_future<'py>(base: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyType>> {
    let mut methods = vec![
        method(
            c"set_result",
            future_methods::set_result,
            ffi::METH_O,
            c"Mark the future done and set its result.",
        ),
        method(
            c"set_exception",
            future_methods::set_exception,
            ffi::METH_O,
            c"Mark the future done and set an exception.",
        ),
        ffi::PyMethodDef {
            ml_name: c"cancel".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunctionFastWithKeywords: future_methods::cancel,
            },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: c"cancel($self, /, msg=None)\n--\n\nCancel the future and schedule callbacks."
                .as_ptr(),
        },
    ];
    methods.extend(common_methods());
    methods.push(ffi::PyMethodDef::zeroed());
    let mut slots = [
        slot(ffi::Py_tp_dealloc, deallocate_future as ffi::destructor as *mut c_void),
        slot(ffi::Py_tp_iter, iterate as ffi::getiterfunc as *mut c_void),
        slot(ffi::Py_am_await, iterate as ffi::unaryfunc as *mut c_void),
        slot(ffi::Py_tp_methods, leak(methods)),
        slot(ffi::Py_tp_getset, leak(callbacks_attribute())),
        slot(0, ptr::null_mut()),
    ];
    let bases = PyTuple::new(base.py(), [base])?;
    derive(&bases, c"groundup._groundup.Future", size_of::<FutureObject>(), &mut slots)
}

/// The class `Task`, of the one in `_asyncio` and the class `Future` of this module.
///
/// # Errors
///
/// What making a class raises.
pub fn derive_task<'py>(
    base: &Bound<'py, PyType>,
    future: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyType>> {
    let mut methods = vec![
        method(
            c"get_name",
            task_methods::get_name,
            ffi::METH_NOARGS,
            c"Return the name of the task.",
        ),
        method(c"set_name", task_methods::set_name, ffi::METH_O, c"Set the name of the task."),
        ffi::PyMethodDef {
            ml_name: c"cancel".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: task_methods::cancel },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: c"cancel($self, /, msg=None)\n--\n\nRequest that this task cancel itself."
                .as_ptr(),
        },
    ];
    if cfg!(Py_3_12) {
        let get = c"Return the context of the task.";
        methods.push(method(c"get_context", task_methods::get_context, ffi::METH_NOARGS, get));
    }
    methods.extend(common_methods());
    methods.push(ffi::PyMethodDef::zeroed());
    let mut slots = [
        slot(ffi::Py_tp_init, task_methods::init as ffi::initproc as *mut c_void),
        slot(ffi::Py_tp_dealloc, deallocate_task as ffi::destructor as *mut c_void),
        slot(ffi::Py_tp_iter, iterate as ffi::getiterfunc as *mut c_void),
        slot(ffi::Py_am_await, iterate as ffi::unaryfunc as *mut c_void),
        slot(ffi::Py_tp_methods, leak(methods)),
        slot(ffi::Py_tp_getset, leak(callbacks_attribute())),
        slot(0, ptr::null_mut()),
    ];
    // As asyncio's, tasks are futures.
    let bases = PyTuple::new(base.py(), [base, future])?;
    derive(&bases, c"groundup._groundup.Task", size_of::<OwnTaskObject>(), &mut slots)
}

/// Methods that futures and tasks have alike.
fn common_methods() -> [ffi::PyMethodDef; 3] {
    let add = c"add_done_callback($self, fn, /, *, context=<unrepresentable>)\n--\n\n\
        Add a callback to be run when the future becomes done.";
    let exception = c"exception($self, /)\n--\n\nReturn the exception that was set on this future.";
    let get_loop = c"get_loop($self, /)\n--\n\nReturn the event loop the Future is bound to.";
    [
        method(c"exception", future_methods::exception, ffi::METH_NOARGS, exception),
        method(c"get_loop", future_methods::get_loop, ffi::METH_NOARGS, get_loop),
        ffi::PyMethodDef {
            ml_name: c"add_done_callback".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunctionFastWithKeywords: future_methods::add_done_callback,
            },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: add.as_ptr(),
        },
    ]
}

fn callbacks_attribute() -> Vec<ffi::PyGetSetDef> {
    let attribute = ffi::PyGetSetDef {
        name: c"_callbacks".as_ptr(),
        get: Some(future_methods::callbacks),
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    let end = ffi::PyGetSetDef {
        name: ptr::null(),
        get: None,
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    vec![attribute, end]
}
