//! Quick ways in to the methods that schedule callbacks.

use std::sync::OnceLock;

use pyo3::prelude::*;

use super::EventLoop;
use crate::call::Call;
use crate::quick_methods::{Function, QuickMethod, put_before};

impl EventLoop {
    /// Puts the quick ways before the methods, once for the class.
    ///
    /// # Errors
    ///
    /// Those of [`put_before`].
    pub fn quicken(py: Python<'_>) -> PyResult<()> {
        let class = py.get_type::<Self>();
        put_before::<CallSoon>(&class)?;
        put_before::<CallSoonThreadsafe>(&class)?;
        put_before::<CallLater>(&class)?;
        put_before::<CallAt>(&class)
    }
}

struct CallSoon;

impl QuickMethod for CallSoon {
    const NAME: &str = "call_soon";
    const ARGUMENTS: usize = 1;

    fn method() -> &'static OnceLock<Function> {
        static METHOD: OnceLock<Function> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::of_slice(event_loop.py(), &args[0], &args[1..])?;
        EventLoop::schedule(event_loop, call, context).map(Bound::into_any)
    }
}

struct CallSoonThreadsafe;

impl QuickMethod for CallSoonThreadsafe {
    const NAME: &str = "call_soon_threadsafe";
    const ARGUMENTS: usize = 1;

    fn method() -> &'static OnceLock<Function> {
        static METHOD: OnceLock<Function> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call::of_slice(event_loop.py(), &args[0], &args[1..])?;
        EventLoop::schedule_from_any_thread(event_loop, call, context).map(Bound::into_any)
    }
}

struct CallLater;

impl QuickMethod for CallLater {
    const NAME: &str = "call_later";
    const ARGUMENTS: usize = 2;

    fn method() -> &'static OnceLock<Function> {
        static METHOD: OnceLock<Function> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let call = Call::of_slice(py, &args[1], &args[2..])?;
        EventLoop::schedule_after(event_loop, args[0].bind(py), call, context)
    }
}

struct CallAt;

impl QuickMethod for CallAt {
    const NAME: &str = "call_at";
    const ARGUMENTS: usize = 2;

    fn method() -> &'static OnceLock<Function> {
        static METHOD: OnceLock<Function> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = event_loop.py();
        let call = Call::of_slice(py, &args[1], &args[2..])?;
        EventLoop::schedule_at(event_loop, args[0].bind(py), call, context).map(Bound::into_any)
    }
}
