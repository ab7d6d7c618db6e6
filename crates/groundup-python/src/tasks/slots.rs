//! What the classes have instead of their bases' methods: what the interpreter calls, and the tables
//! that tell it so.
//!
//! Each function here only makes the interpreter's pointers into what `future.rs` and `task.rs` take.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::ptr;
use std::slice;

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::classes::{Future, Task, bases};
use super::ending::{deallocate_future, deallocate_task};
use super::future_iter::iterate;
use super::guard::{guard, guard_quickly};
use super::layout::{FutureObject, OwnTaskObject};
use super::tables::{leak, method, slot};
use crate::own_methods::take_over_methods;
use crate::quick_method::lent;

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
        method(c"set_result", set_result, ffi::METH_O, c"Mark the future done and set its result."),
        method(
            c"set_exception",
            set_exception,
            ffi::METH_O,
            c"Mark the future done and set an exception.",
        ),
        ffi::PyMethodDef {
            ml_name: c"cancel".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: cancel },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: c"cancel($self, /, msg=None)\n--\n\nCancel the future and schedule callbacks."
                .as_ptr(),
        },
    ];
    methods.extend(queries());
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
        method(c"get_name", get_name, ffi::METH_NOARGS, c"Return the name of the task."),
        method(c"set_name", set_name, ffi::METH_O, c"Set the name of the task."),
        ffi::PyMethodDef {
            ml_name: c"cancel".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: cancel_task },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: c"cancel($self, /, msg=None)\n--\n\nRequest that this task cancel itself."
                .as_ptr(),
        },
    ];
    if cfg!(Py_3_12) {
        let get = c"Return the context of the task.";
        methods.push(method(c"get_context", get_context, ffi::METH_NOARGS, get));
    }
    methods.extend(queries());
    methods.push(ffi::PyMethodDef::zeroed());
    let mut slots = [
        slot(ffi::Py_tp_init, init_task as ffi::initproc as *mut c_void),
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

/// What futures and tasks are often asked for.
fn queries() -> [ffi::PyMethodDef; 3] {
    let add = c"add_done_callback($self, fn, /, *, context=<unrepresentable>)\n--\n\n\
        Add a callback to be run when the future becomes done.";
    let exception = c"exception($self, /)\n--\n\nReturn the exception that was set on this future.";
    let get_loop = c"get_loop($self, /)\n--\n\nReturn the event loop the Future is bound to.";
    [
        method(c"exception", self::exception, ffi::METH_NOARGS, exception),
        method(c"get_loop", self::get_loop, ffi::METH_NOARGS, get_loop),
        ffi::PyMethodDef {
            ml_name: c"add_done_callback".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: add_done_callback },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: add.as_ptr(),
        },
    ]
}

fn callbacks_attribute() -> Vec<ffi::PyGetSetDef> {
    let attribute = ffi::PyGetSetDef {
        name: c"_callbacks".as_ptr(),
        get: Some(callbacks),
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

/// The future that the interpreter calls a method of.
pub unsafe fn receiver<'py>(py: Python<'py>, object: *mut ffi::PyObject) -> Bound<'py, Future> {
    // SAFETY: the caller passes on what the interpreter has called a method of this module's classes
    // with, whose class it has checked.
    unsafe { Bound::from_borrowed_ptr(py, object).cast_into_unchecked() }
}

unsafe extern "C" fn set_result(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this class and a live object.
        let (future, value) =
            unsafe { (receiver(py, object), Bound::from_borrowed_ptr(py, value)) };
        Future::set_result(&future, value)?;
        Ok(py.None().into_ptr())
    })
}

/// The future whose `set_result` an object is, if it is that method.
#[inline]
pub fn future_set_by<'py>(method: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let object = method.as_ptr();
    // SAFETY: the object is live, and a method of C's, by its type; who it is bound to, which may be
    // null for a function, lives as long as it does.
    unsafe {
        if ffi::PyCFunction_CheckExact(object) == 0 {
            return None;
        }
        let is_set_result = ffi::PyCFunction_GetFunction(object)
            .is_some_and(|function| ptr::fn_addr_eq(function, set_result as ffi::PyCFunction));
        let bound_to = is_set_result.then(|| ffi::PyCFunction_GetSelf(object))?;
        Bound::from_borrowed_ptr_or_opt(method.py(), bound_to)
    }
}

unsafe extern "C" fn set_exception(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let (future, value) =
            unsafe { (receiver(py, object), Bound::from_borrowed_ptr(py, value)) };
        Future::set_exception(&future, value)?;
        Ok(py.None().into_ptr())
    })
}

unsafe extern "C" fn exception(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let future = unsafe { receiver(py, object) };
        Future::exception(&future).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn get_loop(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `set_result`.
        let future = unsafe { receiver(py, object) };
        Future::event_loop(&future).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn cancel(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this class, and arguments as `message` says.
        unsafe {
            let Some(message) = message(py, args, count, names) else {
                return pass_on(py, &bases(py).cancel, object, args, count, names);
            };
            let cancelled = Future::cancel(&receiver(py, object), Some(message))?;
            Ok(cancelled.into_pyobject(py)?.to_owned().into_ptr())
        }
    })
}

/// What `cancel` is given for a message, which is None if it is given nothing; `None` when it is given anything
/// else.
///
/// # Safety
///
/// There are so many live arguments, as many more as there are names, and a tuple of these or null.
unsafe fn message<'py>(
    py: Python<'py>,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: as the function's.
    let (given, named) = unsafe {
        let named = (!names.is_null()).then(|| tuple(py, names));
        let all = count as usize + named.as_ref().map_or(0, |named| named.len());
        (lent(args, all), named)
    };
    match (given, named.as_ref().map(|named| named.as_slice())) {
        ([], None | Some([])) => Some(py.None().into_bound(py)),
        ([message], None | Some([])) => Some(message.bind(py).clone()),
        ([message], Some([name])) if name.is(intern!(py, "msg")) => Some(message.bind(py).clone()),
        _ => None,
    }
}

unsafe extern "C" fn callbacks(
    object: *mut ffi::PyObject,
    _closure: *mut c_void,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a future of this class.
        let future = unsafe { receiver(py, object) };
        Future::callbacks(&future).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn add_done_callback(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this class, so many live arguments, as many more as there
        // are names, and a tuple of these or null.
        let (future, names_given, all) = unsafe {
            let named = (!names.is_null()).then(|| tuple(py, names));
            let all = count as usize + named.as_ref().map_or(0, |named| named.len());
            (receiver(py, object), named, lent(args, all))
        };
        let (callback, context) = match (all, names_given.as_ref().map(|it| it.as_slice())) {
            ([callback], None) => (callback, None),
            ([callback, context], Some([name])) if name.is(intern!(py, "context")) => {
                (callback, Some(context.bind(py).clone()))
            }
            // SAFETY: as above.
            _ => unsafe {
                let method = &bases(py).add_done_callback;
                return pass_on(py, method, object, args, count, names);
            },
        };
        Future::add_done_callback(&future, callback.bind(py).clone(), context)?;
        Ok(py.None().into_ptr())
    })
}

unsafe extern "C" fn cancel_task(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, and arguments as
        // `message` says.
        unsafe {
            let task = Bound::from_borrowed_ptr(py, object).cast_into_unchecked();
            Task::tell_cancel(&task);
            match (Task::of(task.as_any()), message(py, args, count, names)) {
                (Some(task), Some(message)) => {
                    let cancelled = Task::cancel(task, message)?;
                    Ok(cancelled.into_pyobject(py)?.to_owned().into_ptr())
                }
                _ => pass_on(py, &bases(py).cancel_task, object, args, count, names),
            }
        }
    })
}

/// Calls a method of the base with what the interpreter has called one of this module with.
///
/// # Safety
///
/// There are so many live arguments, as many more as there are names, and a tuple of these or null.
unsafe fn pass_on(
    py: Python<'_>,
    method: &Py<PyAny>,
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> PyResult<*mut ffi::PyObject> {
    // SAFETY: as the function's.
    unsafe {
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
        let mut all = vec![object];
        if count + named > 0 {
            all.extend_from_slice(slice::from_raw_parts(args, (count + named) as usize));
        }
        let outcome =
            ffi::PyObject_Vectorcall(method.as_ptr(), all.as_ptr(), 1 + count as usize, names);
        Bound::from_owned_ptr_or_err(py, outcome).map(Bound::into_ptr)
    }
}

unsafe extern "C" fn get_name(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it.
        let task = unsafe { &*object.cast::<OwnTaskObject>() };
        Task::name(py, &task.task).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn get_context(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `get_name`.
        let task = unsafe { &*object.cast::<OwnTaskObject>() };
        Task::context(py, &task.task).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn set_name(
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, and a live
        // object.
        let (task, name, fields) = unsafe {
            let task = Bound::from_borrowed_ptr(py, object);
            (task, Bound::from_borrowed_ptr(py, name), &*object.cast::<OwnTaskObject>())
        };
        Task::set_name(&task, &fields.task, name)?;
        Ok(py.None().into_ptr())
    })
}

unsafe extern "C" fn init_task(
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> c_int {
    guard(-1, |py| {
        // SAFETY: the interpreter passes a task of this class, or of one that inherits from it, a
        // tuple, and a dict or null.
        let (task, args, keywords) =
            unsafe { (Bound::from_borrowed_ptr(py, object), tuple(py, args), dict(py, keywords)) };
        Task::init(&task, &args, keywords.as_ref()).map(|()| 0)
    })
}

unsafe fn tuple(py: Python<'_>, args: *mut ffi::PyObject) -> Bound<'_, PyTuple> {
    // SAFETY: the caller passes on what the interpreter has given for positional arguments.
    unsafe { Bound::from_borrowed_ptr(py, args).cast_into_unchecked() }
}

unsafe fn dict(py: Python<'_>, keywords: *mut ffi::PyObject) -> Option<Bound<'_, PyDict>> {
    // SAFETY: the caller passes on what the interpreter has given for keywords.
    unsafe {
        Bound::from_borrowed_ptr_or_opt(py, keywords).map(|keywords| keywords.cast_into_unchecked())
    }
}
