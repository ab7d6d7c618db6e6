//! Methods that are called so often that taking their arguments counts.
//!
//! Each is a method of its class as any other, and what is here stands before it: a call with
//! positional arguments and at most a context may go the quick way, and all others go to the method.
//! Names, signatures, documentation and errors are the method's own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::slice;
use std::sync::OnceLock;

use pyo3::PyTypeInfo;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::panic::PanicException;
use pyo3::prelude::*;

/// A method that a quick way stands before.
pub trait QuickMethod {
    /// Its class.
    type Class: PyTypeInfo;

    /// Its name.
    const NAME: &str;

    /// Whether the quick way, unless it fails, lets go of objects by the token that it has, and in no other
    /// way: then PyO3 need not be told that this thread holds the lock.
    const NEEDS_NO_ATTACHING: bool = false;

    /// Where the method itself is noted.
    fn method() -> &'static OnceLock<Function>;

    /// The quick way, if there is one for such arguments.
    fn call<'py>(
        object: &Bound<'py, Self::Class>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> Option<PyResult<Bound<'py, PyAny>>>;
}

/// How the interpreter calls a method: object, arguments, how many are positional, names of others.
pub type Function = ffi::PyCFunctionFastWithKeywords;

/// Puts the quick way before a method of its class, once.
///
/// # Errors
///
/// `SystemError` when the method is of another kind; those of setting an attribute.
pub fn quicken<M: QuickMethod>(py: Python<'_>) -> PyResult<()> {
    let class = M::Class::type_object(py);
    let method = class.getattr(M::NAME)?;
    // SAFETY: what is read lies in a method descriptor, by the check of its type, and its function
    // is of the type that the flags name. The definition that is made of it lives for ever, as a
    // descriptor asks for, and the class is the one that the method is of.
    unsafe {
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return Err(PySystemError::new_err("a quick way stands before methods only"));
        }
        let mut definition = *(*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method;
        if definition.ml_flags != ffi::METH_FASTCALL | ffi::METH_KEYWORDS {
            return Err(PySystemError::new_err("a quick way stands before vector calls only"));
        }
        let _ = M::method().set(definition.ml_meth.PyCFunctionFastWithKeywords);
        definition.ml_meth = ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: called::<M> };
        let definition = Box::leak(Box::new(definition));
        let quick = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        class.setattr(M::NAME, Bound::from_owned_ptr_or_err(py, quick)?)
    }
}

/// What the interpreter calls.
unsafe extern "C" fn called<M: QuickMethod>(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the arguments are those of this function.
    let quickly = |py: Python<'_>| unsafe { call_quickly::<M>(py, object, args, count, names) };
    let guarded = |py: Python<'_>| catch_unwind(AssertUnwindSafe(|| quickly(py)));
    let outcome = if M::NEEDS_NO_ATTACHING {
        // SAFETY: the interpreter is what calls, with the lock held.
        Some(guarded(unsafe { Python::assume_attached() }))
    } else {
        // At the interpreter's end nobody can be attached any more; the method itself need not be.
        Python::try_attach(guarded)
    };
    match outcome {
        Some(Ok(Some(Ok(result)))) => result,
        Some(Ok(Some(Err(error)))) => raise(error),
        Some(Err(_)) => raise(PanicException::new_err("a quick method panicked")),
        Some(Ok(None)) | None => {
            let method = M::method().get().expect("the method is noted");
            // SAFETY: the arguments are passed on as they came.
            unsafe { method(object, args, count, names) }
        }
    }
}

/// Goes the quick way, if that is for such arguments.
///
/// # Safety
///
/// The interpreter calls a method with these arguments.
#[inline(always)]
unsafe fn call_quickly<M: QuickMethod>(
    py: Python<'_>,
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> Option<PyResult<*mut ffi::PyObject>> {
    // SAFETY: the descriptor has checked that the object is of the class; `args` has `count` live objects,
    // which stay alive during the call, and behind them one for each of `names`, which is a tuple or
    // null. `Py` has the layout of a pointer that is not null, and these are only lent.
    unsafe {
        let context = context(py, args.add(count as usize), names)?;
        let context = context.as_ref().filter(|context| !context.is_none());
        let object = Bound::ref_from_ptr(py, &object).cast_unchecked::<M::Class>();
        let positional = slice::from_raw_parts(args.cast::<Py<PyAny>>(), count as usize);
        M::call(object, positional, context).map(|outcome| outcome.map(Bound::into_ptr))
    }
}

/// The context among the arguments; not even none when there are other keywords.
///
/// # Safety
///
/// `names` is null or a tuple of strings, and `values` has an object for each of them.
#[inline(always)]
unsafe fn context<'py>(
    py: Python<'py>,
    values: *const *mut ffi::PyObject,
    names: *mut ffi::PyObject,
) -> Option<Option<Bound<'py, PyAny>>> {
    if names.is_null() {
        return Some(None);
    }
    // SAFETY: as the function's. Names of keywords are mostly interned, and others may go the other
    // way.
    unsafe {
        let is_context = ffi::PyTuple_GET_SIZE(names) == 1
            && ptr::eq(ffi::PyTuple_GET_ITEM(names, 0), intern!(py, "context").as_ptr());
        is_context.then(|| Some(Bound::from_borrowed_ptr(py, *values)))
    }
}

#[cold]
fn raise(error: PyErr) -> *mut ffi::PyObject {
    // On the way here objects may have been let go of without a token: whoever attaches ends them.
    let _ = Python::try_attach(|_| ());
    // SAFETY: the interpreter has called a method, so the lock is held.
    error.restore(unsafe { Python::assume_attached() });
    ptr::null_mut()
}
