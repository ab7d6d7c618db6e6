//! Methods that are called so often that taking their arguments counts.
//!
//! Each is a method of its class as any other, and what is here stands before it: a call may go the
//! quick way, which takes its arguments as they come, and otherwise goes to the method.
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
use pyo3::types::PyTuple;

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
    fn method() -> &'static OnceLock<Py<PyAny>>;

    /// The quick way, if there is one for such arguments.
    fn call<'py>(
        object: &Bound<'py, Self::Class>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>>;
}

/// The keywords of a call.
#[derive(Clone, Copy)]
pub struct Keywords<'a, 'py> {
    names: Option<&'a Bound<'py, PyTuple>>,
    /// One for each name.
    values: &'a [Py<PyAny>],
}

impl<'a, 'py> Keywords<'a, 'py> {
    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.names.is_none()
    }

    /// The context; not even none when there are other keywords.
    #[inline]
    pub fn context(self, py: Python<'py>) -> Option<Option<&'a Bound<'py, PyAny>>> {
        let Some(names) = self.names else { return Some(None) };
        // Names of keywords are mostly interned; others go the other way.
        match (names.as_slice(), self.values) {
            ([name], [value]) if name.is(intern!(py, "context")) => {
                Some(Some(value.bind(py)).filter(|context| !context.is_none()))
            }
            _ => None,
        }
    }

    /// Names and values.
    #[inline]
    pub fn iter(
        self,
        py: Python<'py>,
    ) -> impl Iterator<Item = (&'a Bound<'py, PyAny>, &'a Bound<'py, PyAny>)> {
        let names = self.names.map_or(&[][..], |names| names.as_slice());
        names.iter().zip(self.values).map(move |(name, value)| (name, value.bind(py)))
    }
}

/// Puts the quick way before a method of its class, once.
///
/// # Errors
///
/// `SystemError` when that is no method; those of setting an attribute.
pub fn quicken<M: QuickMethod>(py: Python<'_>) -> PyResult<()> {
    let class = M::Class::type_object(py);
    let method = class.getattr(M::NAME)?;
    // SAFETY: what is read lies in a method descriptor, by the check of its type. The definition that
    // is made of it lives for ever, as a descriptor asks for, says how the function in it is
    // called, and the class is the one that the method is of.
    unsafe {
        if ffi::Py_TYPE(method.as_ptr()) != &raw mut ffi::PyMethodDescr_Type {
            return Err(PySystemError::new_err("a quick way stands before methods only"));
        }
        let mut definition = *(*method.as_ptr().cast::<ffi::PyMethodDescrObject>()).d_method;
        let _ = M::method().set(method.unbind());
        definition.ml_flags = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
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
        // SAFETY: the arguments are passed on as they came.
        Some(Ok(None)) | None => unsafe { call_method::<M>(object, args, count, names) },
    }
}

/// Calls the method itself.
///
/// # Safety
///
/// The interpreter calls a method with these arguments.
#[cold]
unsafe fn call_method<M: QuickMethod>(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let method = M::method().get().expect("the method is noted");
    let mut arguments = vec![object];
    // SAFETY: `args` has `count` live objects, and one for each of `names`, which is a tuple or null;
    // the array has all of them, behind the object that the method is called on.
    unsafe {
        let of_names = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) };
        let given = (count + of_names) as usize;
        arguments.extend((0..given).map(|place| *args.add(place)));
        let positional = count as usize + 1;
        ffi::PyObject_Vectorcall(method.as_ptr(), arguments.as_ptr(), positional, names)
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
        let names =
            (!names.is_null()).then(|| Bound::ref_from_ptr(py, &names).cast_unchecked::<PyTuple>());
        let (positional, values) = (count as usize, names.map_or(0, |names| names.len()));
        let keywords = Keywords { names, values: lent(args.add(positional), values) };
        let object = Bound::ref_from_ptr(py, &object).cast_unchecked::<M::Class>();
        let outcome = M::call(object, lent(args, positional), keywords);
        outcome.map(|outcome| outcome.map(Bound::into_ptr))
    }
}

/// Arguments that a caller lends.
///
/// # Safety
///
/// There are so many live objects, for as long as the slice lives.
#[inline(always)]
pub unsafe fn lent<'a>(objects: *const *mut ffi::PyObject, count: usize) -> &'a [Py<PyAny>] {
    // SAFETY: as the function's; `Py` has the layout of a pointer that is not null. Where there are
    // none, the pointer may be null.
    if count == 0 { &[] } else { unsafe { slice::from_raw_parts(objects.cast(), count) } }
}

/// Raises an error in what the interpreter has called, with the lock held; returns what tells it so.
#[cold]
pub fn raise(error: PyErr) -> *mut ffi::PyObject {
    // On the way here objects may have been let go of without a token: whoever attaches ends them.
    let _ = Python::try_attach(|_| ());
    // SAFETY: the interpreter has called a method, so the lock is held.
    error.restore(unsafe { Python::assume_attached() });
    ptr::null_mut()
}
