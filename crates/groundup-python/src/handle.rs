//! Handles: a callback with its arguments and its context, to be called once or until cancelled.

use std::cell::{Cell, RefCell};

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyDict, PyTuple};

use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::{errors, ffi, imports};

/// What a callback method of the loop returns; stands for `asyncio.Handle`, and `isinstance` says so.
///
/// It lets go of callback and arguments as soon as they have been called or cancelled.
#[pyclass(frozen, subclass, weakref, freelist = 256, module = "groundup._groundup")]
pub struct Handle {
    event_loop: Py<EventLoop>,
    /// A `contextvars.Context`, or what can run a function as one does.
    context: Py<PyAny>,
    call: GilBound<RefCell<Option<Call>>>,
    cancelled: GilBound<Cell<bool>>,
    debug: GilBound<RefCell<Option<Box<DebugNotes>>>>,
}

/// A callback and its arguments.
#[derive(Clone)]
pub struct Call {
    pub callback: Py<PyAny>,
    pub args: Py<PyTuple>,
}

impl Call {
    /// What `callback(*args)` calls.
    pub fn new(callback: Bound<'_, PyAny>, args: Bound<'_, PyTuple>) -> Self {
        Self { callback: callback.unbind(), args: args.unbind() }
    }
}

/// What debug mode keeps about a handle.
struct DebugNotes {
    /// The stack where it was made, a `traceback.StackSummary`.
    source_traceback: Py<PyAny>,
    /// Its `repr` from before it was cancelled.
    repr: Option<String>,
}

impl Handle {
    /// A handle of `event_loop`; without a context of its own it gets a copy of the current one.
    pub fn new<'py>(
        event_loop: &Bound<'py, EventLoop>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let handle = Self::build(event_loop, call, context)?;
        let handle = Bound::new(event_loop.py(), handle)?;
        ffi::track(&handle);
        Ok(handle)
    }

    /// The value of a handle, which is no object of Python's yet.
    pub fn build(
        event_loop: &Bound<'_, EventLoop>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let context = match context {
            Some(context) => check_context(context)?.clone(),
            None => ffi::copy_current_context(py)?.into_any(),
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            context: context.unbind(),
            call: GilBound::new(RefCell::new(Some(call))),
            cancelled: GilBound::new(Cell::new(false)),
            debug: GilBound::new(RefCell::new(DebugNotes::take(event_loop)?)),
        })
    }

    /// Calls the callback for the last time.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt`; other exceptions go to the loop's exception handler.
    pub fn run_once(handle: &Bound<'_, Self>) -> PyResult<()> {
        let outcome = Self::run(handle);
        drop(handle.get().call.get(handle.py()).take());
        outcome
    }

    /// Calls the callback, which may be called again.
    ///
    /// # Errors
    ///
    /// As [`Handle::run_once`].
    pub fn run(handle: &Bound<'_, Self>) -> PyResult<()> {
        let call = handle.get().call.get(handle.py()).borrow().clone();
        call.map_or(Ok(()), |call| Self::invoke(handle, &call))
    }

    fn invoke(handle: &Bound<'_, Self>, call: &Call) -> PyResult<()> {
        let py = handle.py();
        let event_loop = handle.get().event_loop.bind(py);
        if event_loop.get().is_debug(py) {
            return event_loop.get().run_watched(handle, call, || Self::invoke_now(handle, call));
        }
        Self::invoke_now(handle, call)
    }

    fn invoke_now(handle: &Bound<'_, Self>, call: &Call) -> PyResult<()> {
        let py = handle.py();
        let context = handle.get().context.bind(py);
        let outcome = match context.cast::<PyContext>() {
            Ok(context) => {
                ffi::run_in_context(context, || call.callback.bind(py).call1(call.args.bind(py)))
            }
            Err(_) => run_by_method(context, call),
        };
        match outcome {
            Ok(_) => Ok(()),
            Err(error) if errors::ends_run(py, &error) => Err(error),
            Err(error) => Self::report(handle, call, &error),
        }
    }

    /// Hands what a handle's call has raised to the loop's exception handler.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` that the handler raises.
    pub fn report(handle: &Bound<'_, Self>, call: &Call, error: &PyErr) -> PyResult<()> {
        let py = handle.py();
        let event_loop = handle.get().event_loop.bind(py);
        let context = PyDict::new(py);
        let source = format_callback(event_loop, call)?;
        context.set_item("message", format!("Exception in callback {source}"))?;
        context.set_item("exception", errors::exception(py, error))?;
        context.set_item("handle", handle)?;
        if let Some(traceback) = handle.get().source_traceback(py) {
            context.set_item("source_traceback", traceback)?;
        }
        EventLoop::report(event_loop, &context)
    }

    /// [`Handle::report`] of the call that it waits to make.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::report`].
    pub fn report_error(handle: &Bound<'_, Self>, error: &PyErr) -> PyResult<()> {
        let call = handle.get().call.get(handle.py()).borrow().clone();
        call.map_or(Ok(()), |call| Self::report(handle, &call, error))
    }

    /// The loop that calls it.
    pub fn event_loop(&self) -> &Py<EventLoop> {
        &self.event_loop
    }

    /// Whether it waits to be called.
    pub fn is_waiting(&self, py: Python<'_>) -> bool {
        self.call.get(py).borrow().is_some()
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self, py: Python<'_>) -> bool {
        self.cancelled.get(py).get()
    }

    /// Cancels it: the callback will not be called.
    pub fn cancel_call(handle: &Bound<'_, Self>) -> PyResult<()> {
        let py = handle.py();
        let this = handle.get();
        if this.is_cancelled(py) {
            return Ok(());
        }
        this.cancelled.get(py).set(true);
        if this.debug.get(py).borrow().is_some() {
            let repr = handle.repr()?.to_string();
            if let Some(notes) = &mut *this.debug.get(py).borrow_mut() {
                notes.repr = Some(repr);
            }
        }
        drop(this.call.get(py).take());
        Ok(())
    }

    /// The stack where it was made, in debug mode.
    pub fn source_traceback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let notes = self.debug.get(py).borrow();
        notes.as_ref().map(|notes| notes.source_traceback.clone_ref(py))
    }

    /// What `repr` says of a handle, or of one for a time.
    pub fn describe(handle: &Bound<'_, Self>, when: Option<f64>) -> PyResult<String> {
        let py = handle.py();
        let this = handle.get();
        if let Some(repr) =
            this.debug.get(py).borrow().as_ref().and_then(|notes| notes.repr.clone())
        {
            return Ok(repr);
        }
        let mut words = vec![handle.getattr("__class__")?.getattr("__name__")?.to_string()];
        if this.is_cancelled(py) {
            words.push("cancelled".to_owned());
        }
        if let Some(when) = when {
            words.push(format!("when={}", when.into_pyobject(py)?.repr()?));
        }
        let call = this.call.get(py).borrow().clone();
        if let Some(call) = call {
            words.push(format_callback(this.event_loop.bind(py), &call)?);
        }
        if let Some(traceback) = this.source_traceback(py) {
            let (file, line): (String, Py<PyAny>) = {
                let frame = traceback.bind(py).get_item(-1)?;
                (frame.get_item(0)?.extract()?, frame.get_item(1)?.unbind())
            };
            words.push(format!("created at {file}:{line}"));
        }
        Ok(format!("<{}>", words.join(" ")))
    }
}

#[pymethods]
impl Handle {
    /// Cancel the callback; nothing happens if it was cancelled or called already.
    fn cancel(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::cancel_call(slf)
    }

    /// Return True if the callback was cancelled.
    fn cancelled(&self, py: Python<'_>) -> bool {
        self.is_cancelled(py)
    }

    /// Return the contextvars.Context in which the callback is called.
    fn get_context(&self, py: Python<'_>) -> Py<PyAny> {
        self.context.clone_ref(py)
    }

    /// Call the callback now; its exceptions go to the loop's exception handler.
    fn _run(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::run(slf)
    }

    #[getter]
    fn _callback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.call.get(py).borrow().as_ref().map(|call| call.callback.clone_ref(py))
    }

    #[getter]
    fn _args(&self, py: Python<'_>) -> Option<Py<PyTuple>> {
        self.call.get(py).borrow().as_ref().map(|call| call.args.clone_ref(py))
    }

    #[getter]
    fn _cancelled(&self, py: Python<'_>) -> bool {
        self.is_cancelled(py)
    }

    #[getter]
    fn _loop(&self, py: Python<'_>) -> Py<EventLoop> {
        self.event_loop.clone_ref(py)
    }

    #[getter]
    fn _context(&self, py: Python<'_>) -> Py<PyAny> {
        self.context.clone_ref(py)
    }

    #[getter]
    fn _source_traceback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.source_traceback(py)
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_handle(py).map(|class| class.clone().unbind())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Self::describe(slf, None)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.context)?;
        visit.call(&self.event_loop)?;
        if let Ok(call) = self.call.visit().try_borrow()
            && let Some(call) = &*call
        {
            visit.call(&call.callback)?;
            visit.call(&call.args)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        drop(self.call.visit().take());
    }
}

impl DebugNotes {
    /// Notes the stack of the Python code that makes a handle, if the loop is in debug mode.
    fn take(event_loop: &Bound<'_, EventLoop>) -> PyResult<Option<Box<Self>>> {
        let py = event_loop.py();
        if !event_loop.get().is_debug(py) {
            return Ok(None);
        }
        let (getframe, extract_stack) = (imports::getframe(py)?, imports::extract_stack(py)?);
        // A thread that runs no Python code of its own has no stack, and may call the loop all the
        // same.
        let stack = getframe.call0().and_then(|frame| extract_stack.call1((frame,))).ok();
        Ok(stack.map(|stack| Box::new(Self { source_traceback: stack.unbind(), repr: None })))
    }
}

fn check_context<'a, 'py>(context: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyAny>> {
    if context.is_instance_of::<PyContext>() || context.hasattr(intern!(context.py(), "run"))? {
        return Ok(context);
    }
    let kind = context.get_type().name()?;
    Err(PyTypeError::new_err(format!("context must be a contextvars.Context, not {kind}")))
}

#[cold]
fn run_by_method<'py>(context: &Bound<'py, PyAny>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py();
    let mut arguments = vec![call.callback.bind(py).clone()];
    arguments.extend(call.args.bind(py).iter());
    context.call_method1(intern!(py, "run"), PyTuple::new(py, arguments)?)
}

/// A callback as asyncio describes it: name, arguments, and where it is defined.
pub fn format_callback(event_loop: &Bound<'_, EventLoop>, call: &Call) -> PyResult<String> {
    let py = event_loop.py();
    let format = imports::format_callback_source(py)?;
    let args = (&call.callback, &call.args);
    if py.version_info() < (3, 13) {
        return format.call1(args)?.extract();
    }
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "debug"), event_loop.get().is_debug(py))?;
    format.call(args, Some(&keywords))?.extract()
}
