//! What `await` gets of a future: an iterator that gives the future to the task once, and then ends
//! with the future's result.
//!
//! It is what `_asyncio.FutureIter` is, but that a result of `None`, as most are, needs no `StopIteration`.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{c_int, c_uint, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;

use super::classes::Future;
use super::future_methods::receiver;
use super::guard::{guard, guard_quickly};
use super::spare_objects::FUTURE_ITERS;
use super::tables::{leak, method, slot};
use crate::coroutine::thrown;
use crate::ffi::return_from_iterator;
use crate::quick_method::lent;

/// The fields of an iterator.
#[repr(C)]
struct FutureIter {
    head: UnsafeCell<ffi::PyObject>,
    /// None when the iterator has ended.
    future: Cell<Option<Py<Future>>>,
}

/// What an iterator gives next.
enum Next<'py> {
    Future(Bound<'py, Future>),
    Result(Bound<'py, PyAny>),
}

static CLASS: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// Makes the class, once.
///
/// # Errors
///
/// What making a class raises.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    let methods = vec![
        method(c"send", send, ffi::METH_O, c"Resume with a value, which is ignored."),
        ffi::PyMethodDef {
            ml_name: c"throw".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFast: throw },
            ml_flags: ffi::METH_FASTCALL,
            ml_doc: c"End, and raise an exception.".as_ptr(),
        },
        method(c"close", close, ffi::METH_NOARGS, c"End without a result."),
        ffi::PyMethodDef::zeroed(),
    ];
    let mut slots = [
        slot(ffi::Py_tp_dealloc, deallocate as ffi::destructor as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as ffi::traverseproc as *mut c_void),
        slot(ffi::Py_tp_clear, clear as ffi::inquiry as *mut c_void),
        slot(ffi::Py_tp_iter, ffi::PyObject_SelfIter as ffi::getiterfunc as *mut c_void),
        slot(ffi::Py_tp_iternext, next as ffi::iternextfunc as *mut c_void),
        slot(ffi::Py_tp_methods, leak(methods)),
        slot(0, ptr::null_mut()),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION
        | ffi::Py_TPFLAGS_IMMUTABLETYPE;
    let mut spec = ffi::PyType_Spec {
        name: c"groundup._groundup.FutureIter".as_ptr(),
        basicsize: size_of::<FutureIter>() as c_int,
        itemsize: 0,
        flags: flags as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the slots end with an empty one, what they refer to is static, and the size is the struct's.
    let class = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&mut spec))? };
    CLASS.store(class.into_ptr().cast(), Ordering::Relaxed);
    Ok(())
}

impl FutureIter {
    #[inline]
    fn over<'py>(future: Bound<'py, Future>) -> PyResult<Bound<'py, PyAny>> {
        let (py, class) = (future.py(), CLASS.load(Ordering::Relaxed));
        // SAFETY: the class lives for ever, and the spare objects are its own; its objects have the fields
        // of the struct, which are zero: no reference.
        unsafe {
            let iterator = match FUTURE_ITERS.take(py, class) {
                Some(iterator) => iterator,
                None => Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(class, 0))?,
            };
            Self::of(&iterator.as_ptr()).future.set(Some(future.unbind()));
            Ok(iterator)
        }
    }

    /// The fields of an object.
    ///
    /// # Safety
    ///
    /// It is a live iterator of this class, and the lock is held.
    #[inline]
    unsafe fn of(object: &*mut ffi::PyObject) -> &Self {
        // SAFETY: as the function's; all fields are cells.
        unsafe { &*object.cast::<Self>() }
    }

    #[inline]
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Some(future) = self.take(py) else {
            return Ok(Next::Result(py.None().into_bound(py)));
        };
        if !Future::is_pending(&future) {
            return Future::result(&future).map(Next::Result);
        }
        self.future.set(Some(future.clone().unbind()));
        let fields = Future::fields(&future);
        if fields.is_blocking() {
            return Err(PyRuntimeError::new_err("await wasn't used with future"));
        }
        fields.set_blocking(true);
        Ok(Next::Future(future))
    }

    /// Ends, and gives the future up.
    #[inline]
    fn take<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Future>> {
        self.future.take().map(|future| future.into_bound(py))
    }
}

/// `Future.__await__` and `Future.__iter__`.
///
/// # Safety
///
/// Nobody but the interpreter calls it, for slots of this module's classes.
pub unsafe extern "C" fn iterate(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes a future of this module's classes.
        let future = unsafe { receiver(py, object) };
        Future::event_loop(&future)?;
        FutureIter::over(future).map(Bound::into_ptr)
    })
}

unsafe extern "C" fn next(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guard_quickly(|py| {
        // SAFETY: the interpreter passes an iterator of this class.
        match unsafe { FutureIter::of(&object) }.next(py)? {
            Next::Future(future) => Ok(future.into_ptr()),
            Next::Result(result) => {
                return_from_iterator(&result);
                Ok(ptr::null_mut())
            }
        }
    })
}

unsafe extern "C" fn send(
    object: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `next`.
        match unsafe { FutureIter::of(&object) }.next(py)? {
            Next::Future(future) => Ok(future.into_ptr()),
            Next::Result(result) => Err(PyStopIteration::new_err((result.unbind(),))),
        }
    })
}

unsafe extern "C" fn throw(
    object: *mut ffi::PyObject,
    args: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `next`; the interpreter passes so many live arguments.
        let (this, args) = unsafe { (FutureIter::of(&object), lent(args, count as usize)) };
        let (kind, value, traceback) = match args {
            [kind] => (kind, None, None),
            [kind, value] => (kind, Some(value.bind(py)), None),
            [kind, value, traceback] => (kind, Some(value.bind(py)), Some(traceback.bind(py))),
            _ => {
                let message = format!("throw() takes from 1 to 3 arguments ({count} given)");
                return Err(PyTypeError::new_err(message));
            }
        };
        let error = thrown(kind.bind(py), value, traceback)?;
        drop(this.take(py));
        Err(error)
    })
}

unsafe extern "C" fn close(
    object: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guard(ptr::null_mut(), |py| {
        // SAFETY: as in `next`.
        drop(unsafe { FutureIter::of(&object) }.take(py));
        Ok(py.None().into_ptr())
    })
}

unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: the collector passes a live iterator, a function for what it holds, and what that needs;
    // the future stays where it is.
    unsafe {
        let class = visit(ffi::Py_TYPE(object).cast(), arg);
        match &*FutureIter::of(&object).future.as_ptr() {
            Some(future) if class == 0 => visit(future.as_ptr(), arg),
            _ => class,
        }
    }
}

unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the interpreter passes a live iterator, with the lock held.
    unsafe {
        drop(FutureIter::of(&object).take(Python::assume_attached()));
    }
    0
}

unsafe extern "C" fn deallocate(object: *mut ffi::PyObject) {
    // SAFETY: the last reference to an iterator is gone, no class inherits from its class, which has
    // no finalizer, and the lock is held.
    unsafe { FUTURE_ITERS.end(NonNull::new_unchecked(object)) };
}
