//! Timer handles: callbacks for a time of the loop's clock.

use std::cell::Cell;

use groundup::timers::TimerKey;
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use crate::call::Call;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;
use crate::handle::Handle;
use crate::spare_handles::{SpareHandle, Spares};
use crate::{ffi, imports};

/// What call_later and call_at return; stands for `asyncio.TimerHandle`.
#[pyclass(frozen, extends = Handle, module = "groundup._groundup")]
pub struct TimerHandle {
    when: GilBound<Cell<f64>>,
    /// Whether call_at was given the time as an int.
    is_int: GilBound<Cell<bool>>,
    key: GilBound<Cell<Option<TimerKey>>>,
}

impl TimerHandle {
    /// A handle for a time of its loop's clock, in seconds; it must be set at once.
    ///
    /// The garbage collector does not know it while its loop runs: see docs/SAFETY.md.
    pub fn new<'py>(
        event_loop: &Bound<'py, EventLoop>,
        when: f64,
        call: Call,
        context: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let timer = Handle::new_ready::<Self>(event_loop, call, context)?;
        timer.get().when.get(event_loop.py()).set(when);
        Ok(timer)
    }

    fn seconds(&self, py: Python<'_>) -> f64 {
        self.when.get(py).get()
    }

    /// Makes it tell its time as an int.
    pub fn tell_int(&self, py: Python<'_>) {
        self.is_int.get(py).set(true);
    }

    /// Says under which key its loop has set it.
    pub fn set_key(&self, py: Python<'_>, key: TimerKey) {
        self.key.get(py).set(Some(key));
    }

    /// Takes it out of its loop's timers, without cancelling it.
    pub fn unset(timer: &Bound<'_, Self>) {
        let py = timer.py();
        let event_loop = timer.as_super().get().event_loop(py);
        if let (Some(key), Some(event_loop)) = (timer.get().key.get(py).take(), event_loop) {
            drop(event_loop.get().core(py).cancel_timer(key));
            // It has left the loop, and whoever has it may keep it where only the collector finds it.
            ffi::track(timer);
        }
    }

    fn equals(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let (this, that) = (slf.as_super(), other.as_super());
        Ok(slf.get().seconds(py) == other.get().seconds(py)
            && this.get().is_cancelled(py) == that.get().is_cancelled(py)
            && this.getattr("_callback")?.eq(that.getattr("_callback")?)?
            && this.getattr("_args")?.eq(that.getattr("_args")?)?)
    }
}

impl SpareHandle for TimerHandle {
    fn spares() -> &'static Spares<Self> {
        static SPARES: Spares<TimerHandle> = Spares::new();
        &SPARES
    }

    fn blank(py: Python<'_>) -> PyResult<Bound<'_, Self>> {
        let timer = Self {
            when: GilBound::default(),
            is_int: GilBound::default(),
            key: GilBound::default(),
        };
        Bound::new(py, PyClassInitializer::from(Handle::empty()).add_subclass(timer))
    }

    fn base<'a>(timer: &'a Bound<'_, Self>) -> &'a Handle {
        timer.as_super().get()
    }

    fn clear(timer: &Bound<'_, Self>) {
        let (py, this) = (timer.py(), timer.get());
        this.is_int.get(py).set(false);
        this.key.get(py).set(None);
    }
}

#[pymethods]
impl TimerHandle {
    /// Cancel the callback; nothing happens if it was cancelled or called already.
    fn cancel(slf: &Bound<'_, Self>) -> PyResult<()> {
        Handle::cancel_call(slf.as_super())?;
        Self::unset(slf);
        Ok(())
    }

    /// Return the time of the callback, in seconds of the loop's clock: a float, or an int if
    /// call_at was given one.
    fn when<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let when = PyFloat::new(py, self.seconds(py)).into_any();
        if self.is_int.get(py).get() { when.call_method0("__int__") } else { Ok(when) }
    }

    #[getter]
    fn _when<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.when(py)
    }

    #[getter]
    fn _scheduled(slf: &Bound<'_, Self>) -> bool {
        let py = slf.py();
        slf.as_super().get().is_waiting(py) && slf.get().key.get(py).get().is_some()
    }

    /// Say that it is no longer among its loop's timers, as who takes it out of them by hand does.
    #[setter(_scheduled)]
    fn change_scheduled(slf: &Bound<'_, Self>, scheduled: bool) {
        if !scheduled {
            Self::unset(slf);
        }
    }

    /// What `isinstance` goes by.
    #[getter]
    fn __class__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        imports::asyncio_timer_handle(py).map(|class| class.clone().unbind())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Handle::describe(slf.as_super(), Some(slf.get().seconds(slf.py())))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.seconds(py).into_pyobject(py)?.hash()
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        operation: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
        let (when, others) = (slf.get().seconds(py), other.get().seconds(py));
        let holds = match operation {
            CompareOp::Lt => when < others,
            CompareOp::Gt => when > others,
            CompareOp::Le => when < others || Self::equals(slf, other)?,
            CompareOp::Ge => when > others || Self::equals(slf, other)?,
            CompareOp::Eq => Self::equals(slf, other)?,
            CompareOp::Ne => !Self::equals(slf, other)?,
        };
        Ok(holds.into_pyobject(py)?.to_owned().into_any().unbind())
    }
}
