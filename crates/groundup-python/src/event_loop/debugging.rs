//! Debug mode: who made what, and what took too long.

use std::cell::{Cell, RefCell};

use pyo3::intern;
use pyo3::prelude::*;

use super::EventLoop;
use crate::call::Call;
use crate::handle::Handle;
use crate::imports;

/// How deep the stacks are that debug mode keeps with coroutines.
const ORIGIN_DEPTH: u32 = 10;

/// The state of debug mode.
pub struct Debugging {
    enabled: Cell<bool>,
    /// In seconds; what takes longer is logged.
    slow_callback_duration: RefCell<Py<PyAny>>,
    /// The depth to set back when origins are no longer tracked; absent while they are not.
    saved_depth: Cell<Option<u32>>,
    current_handle: RefCell<Option<Py<Handle>>>,
}

impl Debugging {
    /// Enabled by `-X dev` and `PYTHONASYNCIODEBUG`, as asyncio's is.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let enabled = imports::is_debug_mode(py)?.call0()?.is_truthy()?;
        Ok(Self {
            enabled: Cell::new(enabled),
            slow_callback_duration: RefCell::new(0.1f64.into_pyobject(py)?.into_any().unbind()),
            saved_depth: Cell::new(None),
            current_handle: RefCell::new(None),
        })
    }
}

impl EventLoop {
    /// Whether debug mode is on.
    pub fn is_debug(&self, py: Python<'_>) -> bool {
        self.parts(py).debugging.enabled.get()
    }

    /// Runs a handle's callback and logs it if it takes too long.
    pub fn run_watched(
        &self,
        handle: &Bound<'_, Handle>,
        call: &Call,
        run: impl FnOnce() -> PyResult<()>,
    ) -> PyResult<()> {
        let py = handle.py();
        let current = &self.parts(py).debugging.current_handle;
        let outer = current.replace(Some(handle.clone().unbind()));
        let begin = self.seconds(py);
        let outcome = run();
        let taken = self.seconds(py) - begin;
        current.replace(outer);
        outcome?;
        self.log_if_slow(py, taken, || describe(handle, call))
    }

    /// Logs what took longer than the loop's slow_callback_duration.
    pub fn log_if_slow(
        &self,
        py: Python<'_>,
        taken: f64,
        describe: impl FnOnce() -> PyResult<String>,
    ) -> PyResult<()> {
        let limit = self.parts(py).debugging.slow_callback_duration.borrow().clone_ref(py);
        if limit.bind(py).le(taken)? {
            let format = "Executing %s took %.3f seconds";
            imports::logger(py)?.call_method1("warning", (format, describe()?, taken))?;
        }
        Ok(())
    }

    /// The stack where the handle that runs now was made, in debug mode.
    pub fn current_source_traceback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let current = self.parts(py).debugging.current_handle.borrow();
        current.as_ref().and_then(|handle| handle.get().source_traceback(py))
    }

    /// Makes coroutines remember where they were created, or no longer.
    pub fn track_origins(&self, py: Python<'_>, enabled: bool) -> PyResult<()> {
        let saved_depth = &self.parts(py).debugging.saved_depth;
        match (enabled, saved_depth.get()) {
            (true, None) => {
                let depth = imports::get_origin_tracking_depth(py)?.call0()?.extract()?;
                saved_depth.set(Some(depth));
                imports::set_origin_tracking_depth(py)?.call1((ORIGIN_DEPTH,))?;
            }
            (false, Some(depth)) => {
                saved_depth.set(None);
                imports::set_origin_tracking_depth(py)?.call1((depth,))?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[pymethods]
impl EventLoop {
    /// Return True in debug mode.
    fn get_debug(&self, py: Python<'_>) -> bool {
        self.is_debug(py)
    }

    /// Switch debug mode on or off.
    fn set_debug(slf: &Bound<'_, Self>, enabled: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, enabled) = (slf.py(), enabled.is_truthy()?);
        slf.get().parts(py).debugging.enabled.set(enabled);
        if slf.get().parts(py).running.is_running() {
            let track = slf.getattr("_set_coroutine_origin_tracking")?;
            slf.call_method1(intern!(py, "call_soon_threadsafe"), (track, enabled))?;
        }
        Ok(())
    }

    #[getter]
    fn _debug(&self, py: Python<'_>) -> bool {
        self.is_debug(py)
    }

    #[setter(_debug)]
    fn change_debug(&self, enabled: &Bound<'_, PyAny>) -> PyResult<()> {
        let enabled_now = &self.parts(enabled.py()).debugging.enabled;
        enabled_now.set(enabled.is_truthy()?);
        Ok(())
    }

    #[getter]
    fn _coroutine_origin_tracking_enabled(&self, py: Python<'_>) -> bool {
        self.parts(py).debugging.saved_depth.get().is_some()
    }

    #[getter]
    fn _current_handle(&self, py: Python<'_>) -> Option<Py<Handle>> {
        self.parts(py).debugging.current_handle.borrow().as_ref().map(|it| it.clone_ref(py))
    }

    fn _set_coroutine_origin_tracking(&self, py: Python<'_>, enabled: bool) -> PyResult<()> {
        self.track_origins(py, enabled)
    }

    /// In debug mode, callbacks that take at least this many seconds are logged.
    #[getter]
    fn slow_callback_duration(&self, py: Python<'_>) -> Py<PyAny> {
        self.parts(py).debugging.slow_callback_duration.borrow().clone_ref(py)
    }

    #[setter]
    fn set_slow_callback_duration(&self, py: Python<'_>, seconds: Py<PyAny>) {
        self.parts(py).debugging.slow_callback_duration.replace(seconds);
    }
}

/// A handle as a slow one is named: by its task, where it is a step of one.
fn describe(handle: &Bound<'_, Handle>, call: &Call) -> PyResult<String> {
    let py = handle.py();
    if let Some(owner) = call.callback().bind(py).getattr_opt(intern!(py, "__self__"))?
        && owner.is_instance(&imports::task(py)?)?
    {
        return Ok(owner.repr()?.to_string());
    }
    Ok(handle.str()?.to_string())
}
