//! Handles that other threads may cancel: who asks for one while its callback runs waits for the end.
//!
//! So whoever has cancelled one, or seen that it is not cancelled, knows that its callback does not
//! run at the same time. Python has them from 3.14 on.

use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;

use crate::handle::Handle;
use crate::spare_handles::{SpareHandle, Spares};
use crate::{ffi, imports};

/// What call_soon_threadsafe returns; stands for `asyncio.events._ThreadSafeHandle`.
#[pyclass(frozen, extends = Handle, module = "groundup._groundup")]
#[derive(Default)]
pub struct ThreadSafeHandle {
    /// The thread that runs the callback.
    running: Mutex<Option<ThreadId>>,
    ended: Condvar,
}

impl ThreadSafeHandle {
    /// Whether this Python has such handles.
    pub const ARE_KNOWN: bool = cfg!(Py_3_14);

    /// Calls the callback for the last time.
    ///
    /// # Errors
    ///
    /// As [`Handle::run_once`].
    pub fn run_once(handle: Bound<'_, Self>) -> PyResult<()> {
        if ffi::is_unseen(&handle) {
            // Nobody can ask for it.
            return Handle::run_once(handle.into_super());
        }
        let _running = handle.get().begin();
        Handle::run_once(handle.as_super().clone())
    }

    fn begin(&self) -> Running<'_> {
        *self.running.lock().unwrap() = Some(thread::current().id());
        Running(self)
    }

    /// Waits until no other thread runs the callback.
    fn wait_for_end(&self, py: Python<'_>) {
        let me = thread::current().id();
        let elsewhere = |running: &mut Option<ThreadId>| running.is_some_and(|other| other != me);
        if elsewhere(&mut self.running.lock().unwrap()) {
            py.detach(|| drop(self.ended.wait_while(self.running.lock().unwrap(), elsewhere)));
        }
    }
}

/// The callback runs, until this is dropped.
struct Running<'a>(&'a ThreadSafeHandle);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.running.lock().unwrap() = None;
        self.0.ended.notify_all();
    }
}

impl SpareHandle for ThreadSafeHandle {
    fn spares() -> &'static Spares<Self> {
        static SPARES: Spares<ThreadSafeHandle> = Spares::new();
        &SPARES
    }

    fn blank(py: Python<'_>) -> PyResult<Bound<'_, Self>> {
        let handle = PyClassInitializer::from(Handle::empty());
        Bound::new(py, handle.add_subclass(Self::default()))
    }

    fn base<'a>(handle: &'a Bound<'_, Self>) -> &'a Handle {
        handle.as_super().get()
    }

    fn clear(_: &Bound<'_, Self>) {}
}

#[pymethods]
impl ThreadSafeHandle {
    /// Cancel the callback, or wait for its end if another thread runs it.
    fn cancel(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().wait_for_end(slf.py());
        Handle::cancel_call(slf.as_super())
    }

    /// Return True if the callback was cancelled; wait for its end if another thread runs it.
    fn cancelled(slf: &Bound<'_, Self>) -> bool {
        slf.get().wait_for_end(slf.py());
        slf.as_super().get().is_cancelled(slf.py())
    }

    /// Call the callback now; its exceptions go to the loop's exception handler.
    fn _run(slf: &Bound<'_, Self>) -> PyResult<()> {
        let _running = slf.get().begin();
        Handle::run(slf.as_super())
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_thread_safe_handle(py).map(|class| class.clone().unbind())
    }
}
