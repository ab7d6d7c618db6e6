//! Quick ways in to the methods that schedule callbacks and start tasks.

use std::sync::OnceLock;

use pyo3::prelude::*;

use super::EventLoop;
use crate::call::Call;
use crate::quick_method::{Keywords, QuickMethod, quicken};

impl EventLoop {
    /// Puts the quick ways before the methods, once for the class.
    ///
    /// # Errors
    ///
    /// Those of [`quicken`].
    pub fn prepare(py: Python<'_>) -> PyResult<()> {
        quicken::<CallSoon>(py)?;
        quicken::<CallSoonThreadsafe>(py)?;
        quicken::<CallLater>(py)?;
        quicken::<CallAt>(py)?;
        quicken::<CreateTask>(py)
    }
}

struct CallSoon;

impl QuickMethod for CallSoon {
    type Class = EventLoop;

    const NAME: &str = "call_soon";

    const NEEDS_NO_ATTACHING: bool = true;

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let context = keywords.context(event_loop.py())?;
        let (callback, args) = args.split_first()?;
        let call = Call::of_slice(event_loop.py(), callback, args);
        let handle = call.and_then(|call| EventLoop::schedule(event_loop, call, context));
        Some(handle.map(Bound::into_any))
    }
}

struct CallSoonThreadsafe;

impl QuickMethod for CallSoonThreadsafe {
    type Class = EventLoop;

    const NAME: &str = "call_soon_threadsafe";

    const NEEDS_NO_ATTACHING: bool = true;

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let context = keywords.context(event_loop.py())?;
        let (callback, args) = args.split_first()?;
        let call = Call::of_slice(event_loop.py(), callback, args);
        let handle =
            call.and_then(|call| EventLoop::schedule_from_any_thread(event_loop, call, context));
        Some(handle.map(Bound::into_any))
    }
}

struct CallLater;

impl QuickMethod for CallLater {
    type Class = EventLoop;

    const NAME: &str = "call_later";

    const NEEDS_NO_ATTACHING: bool = true;

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let [delay, callback, args @ ..] = args else { return None };
        let py = event_loop.py();
        let context = keywords.context(py)?;
        let call = Call::of_slice(py, callback, args);
        let timer = call
            .and_then(|call| EventLoop::schedule_after(event_loop, delay.bind(py), call, context));
        Some(timer)
    }
}

struct CallAt;

impl QuickMethod for CallAt {
    type Class = EventLoop;

    const NAME: &str = "call_at";

    const NEEDS_NO_ATTACHING: bool = true;

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let [when, callback, args @ ..] = args else { return None };
        let py = event_loop.py();
        let context = keywords.context(py)?;
        let call = Call::of_slice(py, callback, args);
        let timer =
            call.and_then(|call| EventLoop::schedule_at(event_loop, when.bind(py), call, context));
        Some(timer.map(Bound::into_any))
    }
}

struct CreateTask;

impl QuickMethod for CreateTask {
    type Class = EventLoop;

    const NAME: &str = "create_task";

    fn method() -> &'static OnceLock<Py<PyAny>> {
        static METHOD: OnceLock<Py<PyAny>> = OnceLock::new();
        &METHOD
    }

    fn call<'py>(
        event_loop: &Bound<'py, EventLoop>,
        args: &[Py<PyAny>],
        keywords: Keywords<'_, 'py>,
    ) -> Option<PyResult<Bound<'py, PyAny>>> {
        let [coroutine] = args else { return None };
        let py = event_loop.py();
        if let Err(error) = event_loop.get().check_open(py) {
            return Some(Err(error));
        }
        let keywords = keywords.iter(py).map(|(name, value)| (name.clone(), value.clone()));
        EventLoop::start_task(event_loop, coroutine.bind(py), keywords).transpose()
    }
}
