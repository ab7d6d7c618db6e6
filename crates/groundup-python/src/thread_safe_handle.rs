//! Handles that other threads may cancel: who asks for one while its callback runs waits for the end.
//!
//! So whoever has cancelled one, or seen that it is not cancelled, knows that its callback does not
//! run at the same time. Python has them from 3.14 on.

use std::sync::{Condvar, LazyLock, Mutex};
use std::thread::{self, ThreadId};

use pyo3::prelude::*;

use crate::call::Call;
use crate::event_loop::EventLoop;
use crate::handle::Handle;
use crate::{ffi, imports};

/// What call_soon_threadsafe returns; stands for `asyncio.events._ThreadSafeHandle`.
#[pyclass(frozen, extends = Handle, freelist = 256, module = "groundup._groundup")]
#[derive(Default)]
pub struct ThreadSafeHandle {
    /// The thread that runs the callback.
    running: Mutex<Option<ThreadId>>,
    ended: Condvar,
}

impl ThreadSafeHandle {
    /// Whether this Python has such handles.
    pub fn is_known(py: Python<'_>) -> bool {
        static KNOWN: LazyLock<bool> =
            LazyLock::new(|| Python::attach(|py| py.version_info() >= (3, 14)));
        let _ = py;
        *KNOWN
    }

    /// A handle for the ready queue of `event_loop`, which it must be put on at once; without a
    /// context of its own it gets a copy of the current one.
    ///
    /// The garbage collector does not know it while its loop runs: see docs/SAFETY.md.
    pub fn new<'py>(
        event_loop: &Bound<'py, EventLoop>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let handle = PyClassInitializer::from(Handle::build(event_loop, call, context)?);
        let handle = Bound::new(event_loop.py(), handle.add_subclass(Self::default()))?;
        if event_loop.get().is_running_now(event_loop.py()) {
            ffi::untrack(&handle);
        } else {
            ffi::track(&handle);
        }
        Ok(handle)
    }

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
