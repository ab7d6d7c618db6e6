//! Handles: a callback with its arguments and its context, to be called once or until cancelled.

use std::cell::{Cell, Ref, RefCell};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyContext, PyDict, PyTuple};

use crate::call::Call;
use crate::contexts::{CallContext, Holder};
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::spare_handles::{self, SpareHandle, Spares};
use crate::{ffi, imports};

/// What a callback method of the loop returns; stands for `asyncio.Handle`, and `isinstance` says so.
///
/// It lets go of callback and arguments as soon as they have been called or cancelled.
#[pyclass(frozen, subclass, weakref, module = "groundup._groundup")]
pub struct Handle {
    place: GilBound<RefCell<Place>>,
    call: GilBound<RefCell<Option<Call>>>,
    cancelled: GilBound<Cell<bool>>,
    debug: GilBound<RefCell<Option<Box<DebugNotes>>>>,
}

/// Where a handle's call is made; a handle that is spare has none. Each is taken by itself, in a register.
#[derive(Default)]
struct Place {
    event_loop: Option<Py<EventLoop>>,
    context: Option<CallContext>,
}

/// The context that is given, or else a copy of the current one.
///
/// # Errors
///
/// `TypeError` when it is no context.
#[inline(always)]
fn context_of(py: Python<'_>, context: Option<&Bound<'_, PyAny>>) -> PyResult<CallContext> {
    match context {
        Some(context) => CallContext::given(context),
        None => CallContext::current(py),
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
        let handle = Self::new_ready(event_loop, call, context)?;
        ffi::track(&handle);
        Ok(handle)
    }

    /// A handle, of whatever class, for the ready queue or the timers of `event_loop`, which it must be
    /// put on at once.
    ///
    /// The garbage collector does not know it while its loop runs: see docs/SAFETY.md.
    #[inline]
    pub fn new_ready<'py, T: SpareHandle>(
        event_loop: &Bound<'py, EventLoop>,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, T>> {
        let py = event_loop.py();
        let handle = spare_handles::make::<T>(py)?;
        let this = T::base(&handle);
        let context = context_of(py, context)?;
        let mut place = this.place.get(py).borrow_mut();
        place.context = Some(context);
        place.event_loop = Some(event_loop.clone().unbind());
        drop(place);
        *this.call.get(py).borrow_mut() = Some(call);
        if event_loop.get().is_debug(py) {
            this.debug.get(py).replace(DebugNotes::take(py)?);
        }
        if !event_loop.get().is_running_now(py) {
            ffi::track(&handle);
        }
        Ok(handle)
    }

    /// One that holds nothing, and is no object of Python's yet.
    pub fn empty() -> Self {
        Self {
            place: GilBound::default(),
            call: GilBound::default(),
            cancelled: GilBound::default(),
            debug: GilBound::default(),
        }
    }

    /// Lets go of all that it holds, so that it can be used again; false when it cannot.
    #[inline(always)]
    pub fn clear(&self, py: Python<'_>) -> bool {
        if self.debug.get(py).borrow().is_some() {
            return false;
        }
        self.cancelled.get(py).set(false);
        self.forget_call(py);
        let context = self.place.get(py).borrow_mut().context.take();
        if let Some(context) = context {
            context.let_go(py);
        }
        let event_loop = self.place.get(py).borrow_mut().event_loop.take();
        if let Some(event_loop) = event_loop {
            event_loop.drop_ref(py);
        }
        true
    }

    /// Whether it can be used again for another call, if nobody has it.
    pub fn is_plain(&self, py: Python<'_>) -> bool {
        !self.is_cancelled(py) && self.debug.get(py).borrow().is_none()
    }

    /// The call that it waits to make.
    pub fn call(&self, py: Python<'_>) -> Option<Call> {
        self.call.get(py).borrow().as_ref().map(|call| call.clone_ref(py))
    }

    /// Makes the call. Nobody else has this handle, so what it holds may be lent meanwhile.
    ///
    /// # Errors
    ///
    /// What the call raises; `MemoryError`.
    #[inline]
    pub fn make_unseen_call(&self, py: Python<'_>) -> PyResult<()> {
        let (mut place, call) = (self.place.get(py).borrow_mut(), self.call.get(py).borrow());
        let Place { event_loop, context } = &mut *place;
        match (event_loop, context, &*call) {
            (Some(event_loop), Some(context), Some(call)) => {
                call.make_in(event_loop.bind(py), context).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The call that it waits to make, lent.
    #[inline]
    pub fn lend_call<'a>(&'a self, py: Python<'a>) -> Ref<'a, Option<Call>> {
        self.call.get(py).borrow()
    }

    /// Lets go of the call.
    #[inline(always)]
    pub fn forget_call(&self, py: Python<'_>) {
        if let Some(call) = self.call.get(py).take() {
            call.let_go(py);
        }
    }

    /// [`Handle::report`] of the call that it waits to make.
    ///
    /// # Errors
    ///
    /// Those of [`Handle::report`].
    pub fn report_error(handle: &Bound<'_, Self>, error: &PyErr) -> PyResult<()> {
        let call = handle.get().call(handle.py());
        call.map_or(Ok(()), |call| Self::report(handle, &call, error))
    }

    /// The loop that calls it; `None` once it has ended a sleep.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, EventLoop>> {
        let place = self.place.get(py).borrow();
        place.event_loop.as_ref().map(|event_loop| event_loop.bind(py).clone())
    }

    /// The context in which it is called.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut context = self.call_context(py)?;
        let own = context.own(py)?.clone();
        self.hold(py, context);
        Ok(own)
    }

    /// The same, or the variables of one that was not made yet.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub fn call_context(&self, py: Python<'_>) -> PyResult<CallContext> {
        let held = self.place.get(py).borrow().context.clone();
        held.map_or_else(|| CallContext::current(py), Ok)
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
        this.forget_call(py);
        // It has left the loop, or holds no longer what the loop is to call.
        if this.place.get(py).borrow().event_loop.is_some() {
            ffi::track(handle);
        }
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
        if let (Some(call), Some(event_loop)) = (this.call(py), this.event_loop(py)) {
            words.push(format_callback(&event_loop, &call)?);
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

impl Holder for Handle {
    fn hold(&self, py: Python<'_>, context: CallContext) {
        let before = self.place.get(py).borrow_mut().context.replace(context);
        before.into_iter().for_each(|context| context.let_go(py));
    }

    fn holds(&self, context: &Bound<'_, PyContext>) -> bool {
        let place = self.place.get(context.py()).borrow();
        place.context.as_ref().is_some_and(|held| held.object(context.py()).is(context))
    }
}

impl SpareHandle for Handle {
    fn spares() -> &'static Spares<Self> {
        static SPARES: Spares<Handle> = Spares::new();
        &SPARES
    }

    fn blank(py: Python<'_>) -> PyResult<Bound<'_, Self>> {
        Bound::new(py, Self::empty())
    }

    fn base<'a>(handle: &'a Bound<'_, Self>) -> &'a Handle {
        handle.get()
    }

    fn clear(_: &Bound<'_, Self>) {}
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
    fn get_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.context(py)
    }

    /// Call the callback now; its exceptions go to the loop's exception handler.
    fn _run(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::run(slf)
    }

    #[getter]
    fn _callback(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.call.get(py).borrow().as_ref().map(|call| call.callback().clone_ref(py))
    }

    #[getter]
    fn _args<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.call(py).map(|call| call.args(py)).transpose()
    }

    #[getter]
    fn _cancelled(&self, py: Python<'_>) -> bool {
        self.is_cancelled(py)
    }

    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, EventLoop>> {
        self.event_loop(py)
    }

    #[getter]
    fn _context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.context(py)
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
        if let Ok(place) = self.place.visit().try_borrow() {
            place.context.as_ref().map_or(Ok(()), |context| context.traverse(&visit))?;
            visit.call(&place.event_loop)?;
        }
        match self.call.visit().try_borrow().as_deref() {
            Ok(Some(call)) => call.traverse(visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        drop(self.call.visit().take());
    }
}

impl DebugNotes {
    /// Notes the stack of the Python code that makes a handle.
    fn take(py: Python<'_>) -> PyResult<Option<Box<Self>>> {
        let (getframe, extract_stack) = (imports::getframe(py)?, imports::extract_stack(py)?);
        // A thread that runs no Python code of its own has no stack, and may call the loop all the
        // same.
        let stack = getframe.call0().and_then(|frame| extract_stack.call1((frame,))).ok();
        Ok(stack.map(|stack| Box::new(Self { source_traceback: stack.unbind(), repr: None })))
    }
}

/// A callback as asyncio describes it: name, arguments, and where it is defined.
pub fn format_callback(event_loop: &Bound<'_, EventLoop>, call: &Call) -> PyResult<String> {
    let py = event_loop.py();
    let format = imports::format_callback_source(py)?;
    let args = (call.callback(), call.args(py)?);
    if py.version_info() < (3, 13) {
        return format.call1(args)?.extract();
    }
    let keywords = PyDict::new(py);
    keywords.set_item(intern!(py, "debug"), event_loop.get().is_debug(py))?;
    format.call(args, Some(&keywords))?.extract()
}
