//! Running, stopping and closing the loop.

use std::cell::{Cell, RefCell};

use groundup::event_loop::Held;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::{EventLoop, Ready};
use crate::errors;
use crate::recording;
use crate::thread_exit::Stay;
use crate::{ffi, imports};

/// Whether the loop runs, and on which thread.
#[derive(Default)]
pub struct Running {
    /// As Python's threading.get_ident() numbers it.
    thread: Cell<Option<u64>>,
    closed: Cell<bool>,
    /// What is to be set back after the run.
    asyncgen_hooks: RefCell<Option<Py<PyAny>>>,
}

impl Running {
    pub fn is_running(&self) -> bool {
        self.thread.get().is_some()
    }

    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Whether the loop runs on this thread.
    pub fn runs_here(&self) -> bool {
        self.thread.get().is_some_and(|thread| thread == ffi::thread_ident())
    }

    /// Whether the loop runs on another thread than this one.
    pub fn runs_elsewhere(&self) -> bool {
        self.thread.get().is_some_and(|thread| thread != ffi::thread_ident())
    }
}

/// A run of the loop: what was set up for it is set back when it ends in whatever way.
struct Run<'a, 'py>(&'a Bound<'py, EventLoop>);

impl<'a, 'py> Run<'a, 'py> {
    fn begin(event_loop: &'a Bound<'py, EventLoop>) -> PyResult<Self> {
        EventLoop::check_runnable(event_loop)?;
        let run = Self(event_loop);
        EventLoop::set_up(event_loop)?;
        Ok(run)
    }
}

impl Drop for Run<'_, '_> {
    fn drop(&mut self) {
        if let Err(error) = EventLoop::_run_forever_cleanup(self.0) {
            error.write_unraisable(self.0.py(), Some(self.0));
        }
    }
}

impl EventLoop {
    fn check_runnable(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        event_loop.get().check_open(event_loop.py())?;
        event_loop.call_method0(intern!(event_loop.py(), "_check_running")).map(drop)
    }

    fn set_up(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        Self::note_replaced(event_loop)?;
        recording::announce(event_loop)?;
        let running = &this.parts(py).running;
        let saved_hooks = imports::get_asyncgen_hooks(py)?.call0()?;
        running.asyncgen_hooks.replace(Some(saved_hooks.unbind()));
        running.thread.set(Some(ffi::thread_ident()));
        this.track_origins(py, this.is_debug(py))?;
        let hooks = PyDict::new(py);
        hooks.set_item("firstiter", event_loop.getattr("_asyncgen_firstiter_hook")?)?;
        hooks.set_item("finalizer", event_loop.getattr("_asyncgen_finalizer_hook")?)?;
        imports::set_asyncgen_hooks(py)?.call((), Some(&hooks))?;
        imports::set_running_loop(py)?.call1((event_loop,)).map(drop)
    }

    /// Whether the loop runs on this thread.
    pub fn runs_here(&self, py: Python<'_>) -> bool {
        self.parts(py).running.runs_here()
    }

    /// Whether the loop runs, on whatever thread.
    #[inline]
    pub fn is_running_now(&self, py: Python<'_>) -> bool {
        self.parts(py).running.is_running()
    }

    /// Shows the garbage collector the handles that wait. While the loop runs it need not know them:
    /// a loop that runs is in use, with all that it holds.
    fn track_handles(&self, py: Python<'_>) {
        // What other threads have brought is among what is ready then.
        drop(self.core(py).ready());
        self.core(py).for_each(|held| match held {
            Held::Task(Ready::Handle(handle)) => ffi::track(handle.bind(py)),
            Held::Task(Ready::ThreadSafe(handle)) => ffi::track(handle.bind(py)),
            _ => {}
        });
    }

    /// Turns until the loop is stopped.
    fn run(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let _stay = Stay::new();
        let _run = Run::begin(event_loop)?;
        let (py, this) = (event_loop.py(), event_loop.get());
        loop {
            let outcome = if this.parts(py).replaced.turn.get() {
                Self::turn(event_loop)
            } else {
                this.core(py).turn(event_loop).map_err(PyErr::from)
            };
            if this.core(py).take_stop() || outcome.is_err() {
                return outcome;
            }
        }
    }
}

#[pymethods]
impl EventLoop {
    /// Run until stop() is called.
    fn run_forever(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::run(slf)
    }

    /// Run until a future is done; a coroutine is first made a task.
    ///
    /// Return the future's result, or raise its exception.
    fn run_until_complete<'py>(
        slf: &Bound<'py, Self>,
        future: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        slf.get().check_open(py)?;
        slf.call_method0(intern!(py, "_check_running"))?;
        let is_new = !imports::isfuture(py)?.call1((future,))?.is_truthy()?;
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "loop"), slf)?;
        let future = imports::ensure_future(py)?.call((future,), Some(&keywords))?;
        if is_new {
            // Should it stay pending, an exception is raised below; a warning would say it twice.
            future.setattr(intern!(py, "_log_destroy_pending"), false)?;
        }
        let stop = slf.getattr(intern!(py, "_stop_when_done"))?;
        future.call_method1(intern!(py, "add_done_callback"), (&stop,))?;
        let outcome = slf.call_method0(intern!(py, "run_forever"));
        future.call_method1(intern!(py, "remove_done_callback"), (&stop,))?;
        let is_done = future.call_method0(intern!(py, "done"))?.is_truthy()?;
        if let Err(error) = outcome {
            let is_cancelled = future.call_method0(intern!(py, "cancelled"))?.is_truthy()?;
            if is_new && is_done && !is_cancelled {
                // The caller cannot reach the task to retrieve its exception.
                future.call_method0(intern!(py, "exception"))?;
            }
            return Err(error);
        }
        if !is_done {
            return Err(PyRuntimeError::new_err("Event loop stopped before Future completed."));
        }
        future.call_method0(intern!(py, "result"))
    }

    fn _stop_when_done(slf: &Bound<'_, Self>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        if !future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            let exception = future.call_method0(intern!(py, "exception"))?;
            if !exception.is_none() && errors::ends_run(py, &PyErr::from_value(exception)) {
                // It has ended the run by itself.
                return Ok(());
            }
        }
        slf.call_method0(intern!(py, "stop")).map(drop)
    }

    /// Stop running, after the callbacks that are ready now.
    fn stop(&self, py: Python<'_>) {
        self.core(py).stop();
        if self.parts(py).running.runs_elsewhere() {
            self.core(py).inbox().rouse();
        }
    }

    /// Return True if the loop runs.
    fn is_running(&self, py: Python<'_>) -> bool {
        self.parts(py).running.is_running()
    }

    /// Return True if the loop was closed.
    fn is_closed(&self, py: Python<'_>) -> bool {
        self.parts(py).running.is_closed()
    }

    /// Close the loop: drop what is ready, and shut down the default executor without waiting.
    ///
    /// Raise RuntimeError while the loop runs; nothing happens if it is closed already.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let running = &this.parts(py).running;
        if running.is_running() {
            return Err(PyRuntimeError::new_err("Cannot close a running event loop"));
        }
        if running.is_closed() {
            return Ok(());
        }
        if this.is_debug(py) {
            imports::logger(py)?.call_method1("debug", ("Close %r", slf))?;
        }
        running.closed.set(true);
        this.core(py).close();
        this.parts(py).written.take().clear();
        this.parts(py).executor.abandon(py)?;
        Self::finish_recording(slf);
        if imports::is_finalizing(py)?.call0()?.is_truthy()? {
            return Self::forget_all_signal_handlers(slf);
        }
        // Only the main thread may do this, but any thread may close a loop that handles no signals.
        Self::remove_all_signal_handlers(slf)
    }

    /// Raise RuntimeError if the loop is closed.
    fn _check_closed(&self, py: Python<'_>) -> PyResult<()> {
        self.check_open(py)
    }

    /// Raise RuntimeError if this loop runs, or another one on this thread.
    fn _check_running(&self, py: Python<'_>) -> PyResult<()> {
        if self.parts(py).running.is_running() {
            return Err(PyRuntimeError::new_err("This event loop is already running"));
        }
        if !imports::get_running_loop(py)?.call0()?.is_none() {
            let message = "Cannot run the event loop while another loop is running";
            return Err(PyRuntimeError::new_err(message));
        }
        Ok(())
    }

    /// Set up what a run needs: hooks, origins of coroutines, the running loop of this thread.
    fn _run_forever_setup(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::check_runnable(slf)?;
        Self::set_up(slf)
    }

    /// Set back what _run_forever_setup() has set up.
    fn _run_forever_cleanup(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let running = &this.parts(py).running;
        Self::leave_task(slf);
        this.core(py).take_stop();
        running.thread.set(None);
        this.track_handles(py);
        imports::set_running_loop(py)?.call1((py.None(),))?;
        this.track_origins(py, false)?;
        if let Some(hooks) = running.asyncgen_hooks.take() {
            imports::set_asyncgen_hooks(py)?.call1(hooks.bind(py).cast::<PyTuple>()?)?;
        }
        Ok(())
    }

    /// The thread that the loop runs on, as threading.get_ident() numbers it.
    #[getter]
    fn _thread_id(&self, py: Python<'_>) -> Option<u64> {
        self.parts(py).running.thread.get()
    }

    #[setter(_thread_id)]
    fn change_thread_id(&self, py: Python<'_>, thread: Option<u64>) {
        self.parts(py).running.thread.set(thread);
    }

    #[getter]
    fn _old_agen_hooks(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).running.asyncgen_hooks.borrow().as_ref().map(|hooks| hooks.clone_ref(py))
    }

    #[getter]
    fn _closed(&self, py: Python<'_>) -> bool {
        self.is_closed(py)
    }
}
