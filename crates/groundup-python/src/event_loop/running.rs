//! Running, stopping and closing the loop.

use std::cell::{Cell, RefCell};
use std::thread;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::EventLoop;
use crate::errors;
use crate::errors::RunError;
use crate::imports;

/// Whether the loop runs, and on which thread.
#[derive(Default)]
pub struct Running {
    thread: Cell<Option<thread::ThreadId>>,
    /// The same as Python's threading.get_ident() numbers it.
    thread_ident: RefCell<Option<Py<PyAny>>>,
    closed: Cell<bool>,
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
        self.thread.get().is_some_and(|thread| thread == thread::current().id())
    }

    /// Whether the loop runs on another thread than this one.
    pub fn runs_elsewhere(&self) -> bool {
        self.thread.get().is_some_and(|thread| thread != thread::current().id())
    }
}

/// A run of the loop: what is set up for it, and set back when it ends in whatever way.
struct Run<'a, 'py> {
    event_loop: &'a Bound<'py, EventLoop>,
    asyncgen_hooks: Bound<'py, PyAny>,
}

impl<'a, 'py> Run<'a, 'py> {
    fn begin(event_loop: &'a Bound<'py, EventLoop>) -> PyResult<Self> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        this.check_not_running(py)?;
        let asyncgen_hooks = imports::get_asyncgen_hooks(py)?.call0()?;
        let running = &this.parts(py).running;
        let ident = py.import("threading")?.call_method0("get_ident")?;
        running.thread_ident.replace(Some(ident.unbind()));
        running.thread.set(Some(thread::current().id()));
        let run = Self { event_loop, asyncgen_hooks };
        this.track_origins(py, this.is_debug(py))?;
        let hooks = PyDict::new(py);
        hooks.set_item("firstiter", event_loop.getattr("_asyncgen_firstiter_hook")?)?;
        hooks.set_item("finalizer", event_loop.getattr("_asyncgen_finalizer_hook")?)?;
        imports::set_asyncgen_hooks(py)?.call((), Some(&hooks))?;
        imports::set_running_loop(py)?.call1((event_loop,))?;
        Ok(run)
    }

    fn end(&self) -> PyResult<()> {
        let (py, this) = (self.event_loop.py(), self.event_loop.get());
        let running = &this.parts(py).running;
        running.thread.set(None);
        running.thread_ident.replace(None);
        imports::set_running_loop(py)?.call1((py.None(),))?;
        this.track_origins(py, false)?;
        imports::set_asyncgen_hooks(py)?.call1(self.asyncgen_hooks.cast::<PyTuple>()?)?;
        Ok(())
    }
}

impl Drop for Run<'_, '_> {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            error.write_unraisable(self.event_loop.py(), Some(self.event_loop));
        }
    }
}

impl EventLoop {
    fn check_not_running(&self, py: Python<'_>) -> PyResult<()> {
        if self.parts(py).running.is_running() {
            return Err(PyRuntimeError::new_err("This event loop is already running"));
        }
        if !imports::get_running_loop(py)?.call0()?.is_none() {
            let message = "Cannot run the event loop while another loop is running";
            return Err(PyRuntimeError::new_err(message));
        }
        Ok(())
    }

    /// Whether the loop runs on this thread.
    pub fn runs_here(&self, py: Python<'_>) -> bool {
        self.parts(py).running.runs_here()
    }

    /// Turns until the loop is stopped.
    fn run(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let _run = Run::begin(event_loop)?;
        let core = event_loop.get().core(event_loop.py());
        core.run(event_loop).map_err(|RunError(error)| error)
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
        slf.get().check_not_running(py)?;
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
        // Only the main thread may do this, but any thread may close a loop that handles no signals.
        this.remove_all_signal_handlers(py)
    }

    #[getter]
    fn _thread_id(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.parts(py).running.thread_ident.borrow().as_ref().map(|ident| ident.clone_ref(py))
    }
}
