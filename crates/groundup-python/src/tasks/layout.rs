//! What lies where in the objects of `_asyncio.Future` and `_asyncio.Task`, for each version of Python.
//!
//! The classes of this module are subclasses of those and work on the same fields, so that whatever else
//! looks at a task (the methods of the base, the garbage collector, a debugger in another process) finds
//! what it expects. The interpreter's headers do not publish the layout: `verification.rs` holds it
//! against live objects, and where it differs there are no such classes.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
#[cfg(Py_3_14)]
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;

/// A field that holds a reference, or null.
pub type Reference = Cell<Option<Py<PyAny>>>;

/// A future that has no result yet.
pub const PENDING: c_int = 0;
/// A future that was cancelled.
pub const CANCELLED: c_int = 1;
/// A future with a result or an exception.
pub const FINISHED: c_int = 2;

/// A future, or the part of a task that is one.
#[repr(C)]
pub struct FutureObject {
    head: UnsafeCell<ffi::PyObject>,
    pub event_loop: Reference,
    /// The first callback; others are in a list.
    pub callback: Reference,
    /// The context of the first callback.
    pub context: Reference,
    pub callbacks: Reference,
    pub exception: Reference,
    pub exception_traceback: Reference,
    pub result: Reference,
    source_traceback: Reference,
    pub cancel_message: Reference,
    /// The `CancelledError` that a task ended with.
    #[cfg(Py_3_13)]
    pub cancelled_error: Reference,
    #[cfg(Py_3_14)]
    pub awaited_by: Reference,
    pub state: Cell<c_int>,
    #[cfg(Py_3_14)]
    pub is_task: Cell<bool>,
    #[cfg(Py_3_14)]
    pub awaited_by_set: Cell<bool>,
    #[cfg(Py_3_14)]
    flags: Cell<u8>,
    #[cfg(all(Py_3_13, not(Py_3_14)))]
    flags: Cell<u32>,
    #[cfg(not(Py_3_13))]
    log_traceback: Cell<c_int>,
    #[cfg(not(Py_3_13))]
    blocking: Cell<c_int>,
    #[cfg(not(Py_3_13))]
    dict: Reference,
    #[cfg(not(Py_3_13))]
    weak_references: Cell<*mut ffi::PyObject>,
    #[cfg(not(Py_3_13))]
    pub cancelled_error: Reference,
}

/// A task.
#[repr(C)]
pub struct TaskObject {
    pub future: FutureObject,
    #[cfg(Py_3_13)]
    pub cancel_requests: Cell<c_int>,
    /// What it waits for.
    pub waiter: Reference,
    pub coroutine: Reference,
    /// A string, or the number that it is made of when it is asked for.
    pub name: Reference,
    pub context: Reference,
    #[cfg(not(Py_3_13))]
    must_cancel: Cell<c_int>,
    #[cfg(not(Py_3_13))]
    log_destroy_pending: Cell<c_int>,
    #[cfg(not(Py_3_13))]
    pub cancel_requests: Cell<c_int>,
    /// Its place among all tasks of the thread.
    #[cfg(Py_3_14)]
    pub place: [Cell<Option<NonNull<u8>>>; 2],
}

/// A task of this module: behind the base's fields stands its number in the registry.
#[repr(C)]
pub struct OwnTaskObject {
    pub task: TaskObject,
    pub number: Cell<u32>,
}

// A reference that is absent is a null pointer.
const _: () = assert!(size_of::<Reference>() == size_of::<*mut ffi::PyObject>());

/// What a flag is kept in.
#[cfg(Py_3_13)]
macro_rules! flag {
    ($(#[$doc:meta])* $get:ident, $set:ident, $field:ident, $bit:literal, $($path:ident).+) => {
        $(#[$doc])*
        pub fn $get(&self) -> bool {
            self.$($path).+.get() & (1 << $bit) != 0
        }

        $(#[$doc])*
        pub fn $set(&self, value: bool) {
            let others = self.$($path).+.get() & !(1 << $bit);
            self.$($path).+.set(if value { others | 1 << $bit } else { others });
        }
    };
}

#[cfg(not(Py_3_13))]
macro_rules! flag {
    ($(#[$doc:meta])* $get:ident, $set:ident, $field:ident, $bit:literal, $($path:ident).+) => {
        $(#[$doc])*
        pub fn $get(&self) -> bool {
            self.$field.get() != 0
        }

        $(#[$doc])*
        pub fn $set(&self, value: bool) {
            self.$field.set(value.into());
        }
    };
}

impl FutureObject {
    flag! {
        /// Whether it reports, when it goes, an exception that nobody has asked for.
        logs_traceback, set_logs_traceback, log_traceback, 0, flags
    }
    flag! {
        /// Whether it is being awaited, rather than yielded by mistake.
        is_blocking, set_blocking, blocking, 1, flags
    }
}

impl TaskObject {
    flag! {
        /// Whether its next step is to raise `CancelledError`.
        must_cancel, set_must_cancel, must_cancel, 2, future.flags
    }
    flag! {
        /// Whether it reports, when it goes, that it was not done.
        logs_destroy_pending, set_logs_destroy_pending, log_destroy_pending, 3, future.flags
    }
}

impl TaskObject {
    /// Whether its end asks for nothing but that what it holds is let go of: nothing is reported, and no
    /// list of tasks has it.
    pub fn ends_quietly(&self) -> bool {
        #[cfg(Py_3_14)]
        if self.place[0].get().is_some() {
            return false;
        }
        let is_lost = self.future.state.get() == PENDING && self.logs_destroy_pending();
        !is_lost && !self.future.logs_traceback()
    }
}

/// What a field refers to.
#[inline]
fn view(field: &Reference) -> Option<&Py<PyAny>> {
    // SAFETY: the lock is held, as fields can be come by in no other way, and the functions below let go of
    // what they see before any other code may run.
    unsafe { (*field.as_ptr()).as_ref() }
}

/// Has the memory fetched of what a field refers to: so many bytes.
#[inline(always)]
pub fn prefetch(field: &Reference, size: usize) {
    if let Some(object) = view(field) {
        crate::ffi::prefetch(object.as_ptr(), size);
    }
}

/// Another reference to what a field refers to.
#[inline]
pub fn peek<'py>(py: Python<'py>, field: &Reference) -> Option<Bound<'py, PyAny>> {
    view(field).map(|object| object.bind(py).clone())
}

/// What a field referred to, which now refers to nothing.
#[inline]
pub fn take<'py>(py: Python<'py>, field: &Reference) -> Option<Bound<'py, PyAny>> {
    field.take().map(|object| object.into_bound(py))
}

/// Has a field refer to something else, and lets go of what it referred to.
#[inline]
pub fn put<'py>(py: Python<'py>, field: &Reference, object: Option<Bound<'py, PyAny>>) {
    drop(field.replace(object.map(Bound::unbind)).map(|before| before.into_bound(py)));
}

/// Whether a field refers to an object.
#[inline]
pub fn refers_to<T>(field: &Reference, object: &Bound<'_, T>) -> bool {
    view(field).is_some_and(|found| found.as_ptr() == object.as_ptr())
}

/// Whether a field refers to something.
#[inline]
pub fn is_set(field: &Reference) -> bool {
    view(field).is_some()
}
