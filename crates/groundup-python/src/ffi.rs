//! The calls of CPython's C interface that PyO3 has no safe form for, each behind a safe function.

mod attributes;
mod collector;
mod frames;
mod memory;
mod stopping;

use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;
use std::slice;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBaseException, PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyContext, PyInt, PyTuple, PyType};
use rustix::net::SocketAddrAny;

pub use attributes::{SlotPlace, attribute, keep, kept, set_attribute, slot};
pub use collector::{create, is_unseen, is_weakly_known, track, untrack, without_collections};
pub use frames::{current_line, find_frame, local};
pub use memory::prefetch;
pub use stopping::return_from_iterator;

/// What `PyIter_Send` led to, when it did not raise.
#[derive(Debug)]
pub enum Sent<'py> {
    /// It yielded.
    Yielded(Bound<'py, PyAny>),
    /// It returned.
    Returned(Bound<'py, PyAny>),
}

/// Sends a value into a coroutine, a generator or an iterator (`PyIter_Send`).
///
/// # Errors
///
/// What it raises; `TypeError` when it is none of those.
pub fn send<'py>(coroutine: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Sent<'py>> {
    let py = coroutine.py();
    let mut result = ptr::null_mut();
    // SAFETY: both arguments are live objects and the lock is held; `result` gets a new reference,
    // or null together with a raised exception.
    unsafe {
        match ffi::PyIter_Send(coroutine.as_ptr(), value.as_ptr(), &mut result) {
            ffi::PySendResult::PYGEN_NEXT => Ok(Sent::Yielded(Bound::from_owned_ptr(py, result))),
            ffi::PySendResult::PYGEN_RETURN => {
                Ok(Sent::Returned(Bound::from_owned_ptr(py, result)))
            }
            ffi::PySendResult::PYGEN_ERROR => Err(PyErr::fetch(py)),
        }
    }
}

/// Whether `object` is a coroutine of an `async def` function.
pub fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: only compares the type of a live object.
    unsafe { ffi::PyCoro_CheckExact(object.as_ptr()) != 0 }
}

/// Whether `object` is a generator.
pub fn is_generator(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: only compares the type of a live object.
    unsafe { ffi::PyGen_CheckExact(object.as_ptr()) != 0 }
}

/// The flag of code whose generators can be awaited, and may `yield from` coroutines
/// (`inspect.CO_ITERABLE_COROUTINE`).
pub const CO_ITERABLE_COROUTINE: u32 = 0x100;

/// Whether `object` is a generator whose function is marked with `CO_ITERABLE_COROUTINE`, as
/// `types.coroutine` marks it.
pub fn is_iterable_coroutine(object: &Bound<'_, PyAny>) -> bool {
    is_generator(object)
        && object
            .getattr("gi_code")
            .and_then(|code| code.getattr("co_flags")?.extract::<u32>())
            .is_ok_and(|flags| flags & CO_ITERABLE_COROUTINE != 0)
}

/// A copy of the current context (`contextvars.copy_context()`).
///
/// # Errors
///
/// `MemoryError`.
pub fn copy_current_context(py: Python<'_>) -> PyResult<Bound<'_, PyContext>> {
    // SAFETY: the lock is held; the result is a new reference to a context, or null with an
    // exception raised.
    unsafe {
        let context = ffi::PyContext_CopyCurrent();
        Ok(Bound::from_owned_ptr_or_err(py, context)?.cast_into_unchecked())
    }
}

/// A context without variables (`contextvars.Context()`).
///
/// # Errors
///
/// `MemoryError`.
pub fn new_context(py: Python<'_>) -> PyResult<Bound<'_, PyContext>> {
    // SAFETY: the lock is held; the result is as above.
    unsafe { Ok(Bound::from_owned_ptr_or_err(py, ffi::PyContext_New())?.cast_into_unchecked()) }
}

/// A copy of a context (`context.copy()`).
///
/// # Errors
///
/// `MemoryError`.
pub fn copy_context<'py>(context: &Bound<'py, PyContext>) -> PyResult<Bound<'py, PyContext>> {
    // SAFETY: the argument is a live context and the lock is held; the result is as above.
    unsafe {
        let copy = ffi::PyContext_Copy(context.as_ptr());
        Ok(Bound::from_owned_ptr_or_err(context.py(), copy)?.cast_into_unchecked())
    }
}

/// Calls `body` in a context, as `context.run` does.
///
/// # Errors
///
/// `RuntimeError` when the context is entered already; what `body` raises.
#[inline]
pub fn run_in_context<'py, T, E: From<PyErr>>(
    context: &Bound<'py, PyContext>,
    body: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let _entered = Entered::enter(context)?;
    body()
}

/// A context that is entered, until this is dropped; a panic that passes leaves it too.
struct Entered<'a, 'py>(&'a Bound<'py, PyContext>);

impl<'a, 'py> Entered<'a, 'py> {
    #[inline]
    fn enter(context: &'a Bound<'py, PyContext>) -> PyResult<Self> {
        // SAFETY: the argument is a live context and the lock is held.
        if unsafe { ffi::PyContext_Enter(context.as_ptr()) } < 0 {
            return Err(PyErr::fetch(context.py()));
        }
        Ok(Self(context))
    }
}

impl Drop for Entered<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `enter` entered this very context, on this thread, and what was entered since has
        // been left, guards being dropped in reverse order.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } < 0 {
            PyErr::fetch(self.0.py()).write_unraisable(self.0.py(), None);
        }
    }
}

/// The version of a class: another number each time that it, or a base of it, was changed; 0 if it has
/// none now.
pub fn version(class: &Bound<'_, PyType>) -> u32 {
    // SAFETY: the class is live and the lock, under which the field changes, is held.
    unsafe { (*class.as_type_ptr()).tp_version_tag }
}

/// How many references there are to an object.
#[inline]
pub fn reference_count<T>(object: &Bound<'_, T>) -> isize {
    // SAFETY: the object is live and the lock is held.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) as isize }
}

/// Whether there are no more references to a context than so many, and no weak ones.
#[inline]
pub fn has_no_more_references(context: &Bound<'_, PyContext>, most: isize) -> bool {
    // SAFETY: a context is as its class says, and the lock is held.
    reference_count(context) <= most && !unsafe { is_weakly_known(context.as_ptr()) }
}

/// An int as a float, without making one of Python's.
///
/// # Errors
///
/// `OverflowError` when it is too large for one.
pub fn int_as_float(int: &Bound<'_, PyInt>) -> PyResult<f64> {
    // SAFETY: the int is live and the lock is held.
    let float = unsafe { ffi::PyLong_AsDouble(int.as_ptr()) };
    match if float == -1.0 { PyErr::take(int.py()) } else { None } {
        Some(error) => Err(error),
        None => Ok(float),
    }
}

/// What a descriptor in a class has for an object (`type(descriptor).__get__(descriptor, object)`).
///
/// # Errors
///
/// `TypeError` when it is no descriptor, or not one for such objects; what it raises.
pub fn get_by_descriptor<'py>(
    descriptor: &Bound<'py, PyAny>,
    object: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, class) = (object.py(), object.get_type_ptr());
    // SAFETY: both objects and the class are live and the lock is held; the function comes from the
    // descriptor's own class, and gives a new reference, or null with an exception raised.
    unsafe {
        let get = (*descriptor.get_type_ptr()).tp_descr_get;
        let get = get.ok_or_else(|| PyTypeError::new_err("not a descriptor"))?;
        Bound::from_owned_ptr_or_err(py, get(descriptor.as_ptr(), object.as_ptr(), class.cast()))
    }
}

/// Says in an exception which one is being handled, if one is, as raising it would.
pub fn set_handled_context(exception: &Bound<'_, PyBaseException>) {
    // SAFETY: the lock is held; the result is a new reference or null, which the second call takes over.
    unsafe {
        let handled = ffi::PyErr_GetHandledException();
        if !handled.is_null() {
            ffi::PyException_SetContext(exception.as_ptr(), handled);
        }
    }
}

/// Gives an exception a traceback, or none.
pub fn set_traceback(exception: &Bound<'_, PyBaseException>, traceback: Option<Bound<'_, PyAny>>) {
    let traceback = traceback.unwrap_or_else(|| exception.py().None().into_bound(exception.py()));
    // SAFETY: both are live and the lock is held. It fails for what is no traceback, with an error that says so.
    if unsafe { ffi::PyException_SetTraceback(exception.as_ptr(), traceback.as_ptr()) } < 0 {
        PyErr::fetch(exception.py()).write_unraisable(exception.py(), None);
    }
}

/// Says which exception was being handled when another was raised (`__context__`).
pub fn set_context(error: &PyErr, context: Bound<'_, PyAny>) {
    // SAFETY: both are live exceptions, the lock is held, and the call takes over the reference.
    unsafe { ffi::PyException_SetContext(error.value(context.py()).as_ptr(), context.into_ptr()) }
}

/// Calls `body` while an exception is being handled, so that `sys.exc_info()` tells of it.
pub fn while_handling<T>(py: Python<'_>, error: &PyErr, body: impl FnOnce() -> T) -> T {
    let _handled = Handled::begin(py, error);
    body()
}

/// An exception that is being handled, until this is dropped; then it is what was before.
struct Handled<'py>(Option<Bound<'py, PyAny>>);

impl<'py> Handled<'py> {
    fn begin(py: Python<'py>, error: &PyErr) -> Self {
        // SAFETY: the lock is held; the first call gives a new reference or null, the second takes
        // a reference of its own to a live exception.
        unsafe {
            let before = Bound::from_owned_ptr_or_opt(py, ffi::PyErr_GetHandledException());
            ffi::PyErr_SetHandledException(error.value(py).as_ptr());
            Self(before)
        }
    }
}

impl Drop for Handled<'_> {
    fn drop(&mut self) {
        let before = self.0.as_ref().map_or(ptr::null_mut(), |exception| exception.as_ptr());
        // SAFETY: the lock is held, since this holds an object of its lifetime or was made with its
        // token; null means that none is handled.
        unsafe { ffi::PyErr_SetHandledException(before) }
    }
}

/// This thread, as `threading.get_ident()` numbers it.
pub fn thread_ident() -> u64 {
    // SAFETY: it takes nothing and needs nothing, not even the lock.
    unsafe { ffi::PyThread_get_thread_ident() }
}

/// Calls `callable` with positional arguments and keywords, without building a dictionary
/// (`PyObject_Vectorcall`).
///
/// # Errors
///
/// What it raises.
pub fn call_with_keywords<'py, const P: usize, const K: usize>(
    callable: &Bound<'py, PyAny>,
    positional: [&Bound<'py, PyAny>; P],
    names: &Bound<'py, PyTuple>,
    keywords: [&Bound<'py, PyAny>; K],
) -> PyResult<Bound<'py, PyAny>> {
    assert_eq!(names.len(), K, "a name for each keyword");
    let arguments: Vec<_> =
        positional.iter().chain(&keywords).map(|value| value.as_ptr()).collect();
    // SAFETY: all arguments are live for the duration of the call, `arguments` holds P positional
    // ones followed by one for each of the K names, and the lock is held.
    unsafe {
        let result =
            ffi::PyObject_Vectorcall(callable.as_ptr(), arguments.as_ptr(), P, names.as_ptr());
        Bound::from_owned_ptr_or_err(callable.py(), result)
    }
}

/// Calls `callable` with positional arguments (`PyObject_Vectorcall`).
///
/// # Errors
///
/// What it raises.
#[cfg(Py_3_12)]
#[inline]
pub fn call<'py, const N: usize>(
    callable: &Bound<'py, PyAny>,
    arguments: [&Bound<'py, PyAny>; N],
) -> PyResult<Bound<'py, PyAny>> {
    let arguments = arguments.map(|argument| argument.as_ptr());
    // SAFETY: callable and arguments are live for the duration of the call, and the lock is held.
    unsafe {
        let names = ptr::null_mut();
        let result = ffi::PyObject_Vectorcall(callable.as_ptr(), arguments.as_ptr(), N, names);
        Bound::from_owned_ptr_or_err(callable.py(), result)
    }
}

/// What a dict has for a key; the value, which it then has, if it had nothing (`dict.setdefault`).
///
/// # Errors
///
/// What hashing and comparing keys raises.
#[cfg(not(Py_3_14))]
pub fn set_default<'py>(
    dict: &Bound<'py, pyo3::types::PyDict>,
    key: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: all three are live and the lock is held; the result is borrowed from the dict, or null
    // with an exception raised.
    unsafe {
        let found = ffi::PyDict_SetDefault(dict.as_ptr(), key.as_ptr(), value.as_ptr());
        Bound::from_borrowed_ptr_or_err(dict.py(), found)
    }
}

/// Reads what is in a buffer while `body` runs.
///
/// # Errors
///
/// `BufferError` when the bytes do not lie in one piece.
pub fn with_bytes<T>(buffer: &PyUntypedBuffer, body: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    if buffer.len_bytes() == 0 {
        return Ok(body(&[]));
    }
    if !buffer.is_c_contiguous() {
        let message = "the bytes of the buffer do not lie in one piece";
        return Err(PyBufferError::new_err(message));
    }
    // SAFETY: the export keeps `len_bytes` bytes in place until the buffer is released, and Python
    // code, which alone could change them, does not run while `body` does: `body` gets no token,
    // and the lock is held.
    Ok(body(unsafe { slice::from_raw_parts(buffer.buf_ptr().cast(), buffer.len_bytes()) }))
}

/// Changes what is in a buffer while `body` runs.
///
/// # Errors
///
/// `TypeError` when the buffer must not be written, or its bytes do not lie in one piece.
pub fn with_bytes_mut<T>(
    buffer: &PyUntypedBuffer,
    body: impl FnOnce(&mut [u8]) -> T,
) -> PyResult<T> {
    if buffer.readonly() || !buffer.is_c_contiguous() {
        return Err(PyTypeError::new_err("read-write bytes-like object expected"));
    }
    if buffer.len_bytes() == 0 {
        return Ok(body(&mut []));
    }
    // SAFETY: as in `with_bytes`; the exporter says that the memory may be written.
    Ok(body(unsafe { slice::from_raw_parts_mut(buffer.buf_ptr().cast(), buffer.len_bytes()) }))
}

/// A descriptor that Python code owns, for as long as a system call takes.
pub fn borrow_descriptor<'a>(descriptor: RawFd) -> BorrowedFd<'a> {
    assert!(descriptor >= 0, "negative descriptor");
    // SAFETY: descriptors reach this program as numbers, so that nothing can be known of their
    // owner. What the loop does with one is a system call, which answers EBADF for one that is
    // closed; no memory depends on whose it is. It is not -1.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// What a Unix socket's address has after its family: a path with the NUL at its end, an abstract
/// name with the NUL at its beginning, or nothing.
///
/// The system can give longer ones than `sockaddr_un` has room for: of a path that fills it, the NUL
/// comes after it.
pub fn unix_name(address: &SocketAddrAny) -> Box<[u8]> {
    let (start, len) = (address.as_ptr().cast::<u8>(), address.addr_len() as usize);
    // SAFETY: an address has `addr_len` bytes that the system has written, in its own storage.
    let bytes = unsafe { slice::from_raw_parts(start, len) };
    bytes.get(size_of::<u16>()..).unwrap_or_default().into()
}

/// Copies the first bytes of a bytearray to `target`, as many as that has room for.
pub fn copy_from_bytearray(array: &Bound<'_, PyByteArray>, target: &mut [u8]) {
    // SAFETY: the lock is held and no Python code runs while the slice lives, so that the array is
    // neither changed nor resized.
    target.copy_from_slice(unsafe { &array.as_bytes()[..target.len()] });
}
