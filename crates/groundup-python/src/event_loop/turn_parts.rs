//! The parts of a turn, by asyncio's own names for them.
//!
//! Programs look at them, replace one or another, or make turns of their own of them. As long as none
//! is replaced, a turn is the crate's; once one is, it is put together here, of what there is then.

use std::cell::Cell;

use groundup::event_loop::Entry;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::scheduling::timestamp;
use super::{EventLoop, Ready, ReadyHandles};
use crate::timer_handle::TimerHandle;

/// The longest that a selector is asked to sleep, in seconds: a day, as in asyncio.
const LONGEST_SLEEP: f64 = 24.0 * 3600.0;

/// What belongs to one turn: how far ahead of its time a timer may be called, in seconds.
pub struct Resolution(Cell<f64>);

impl Default for Resolution {
    fn default() -> Self {
        Self(Cell::new(1e-9))
    }
}

impl EventLoop {
    /// Takes one turn, by whatever has been replaced.
    pub fn turn(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        if this.parts(py).replaced.run_once.get() {
            return event_loop.call_method0(intern!(py, "_run_once")).map(drop);
        }
        Self::_run_once(event_loop)
    }

    fn turn_by_parts(event_loop: &Bound<'_, Self>) -> PyResult<()> {
        let (py, core) = (event_loop.py(), event_loop.get().core(event_loop.py()));
        let selector = event_loop.getattr(intern!(py, "_selector"))?;
        let timeout = Self::time_to_sleep(event_loop)?;
        let events = selector.call_method1(intern!(py, "select"), (timeout,))?;
        event_loop.call_method1(intern!(py, "_process_events"), (events,))?;
        let now = Self::time_of(event_loop)?;
        let Resolution(resolution) = &event_loop.get().parts(py).resolution;
        core.expire_at(timestamp(now + resolution.get()));
        core.finish_turn(event_loop).map_err(PyErr::from)
    }

    /// How long a selector may sleep, in seconds; `None` means until an event.
    fn time_to_sleep(event_loop: &Bound<'_, Self>) -> PyResult<Option<f64>> {
        let core = event_loop.get().core(event_loop.py());
        if core.is_stopping() || !core.ready().is_empty() {
            return Ok(Some(0.0));
        }
        let Some(deadline) = core.next_deadline() else { return Ok(None) };
        let sleep = deadline.0 as f64 / 1e9 - Self::time_of(event_loop)?;
        Ok(Some(sleep.clamp(0.0, LONGEST_SLEEP)))
    }

    /// The loop's time in seconds, by its method, if that was replaced.
    pub fn time_of(event_loop: &Bound<'_, Self>) -> PyResult<f64> {
        let py = event_loop.py();
        if event_loop.get().parts(py).replaced.time.get() {
            return event_loop.call_method0(intern!(py, "time"))?.extract();
        }
        Ok(event_loop.get().seconds(py))
    }
}

#[pymethods]
impl EventLoop {
    /// Take one turn: poll, expire timers, call what is ready.
    fn _run_once(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let outcome = if this.parts(py).replaced.turn.get() {
            Self::turn_by_parts(slf)
        } else {
            this.core(py).turn(slf).map_err(PyErr::from)
        };
        Self::leave_task(slf);
        outcome
    }

    /// Make ready who waits for the events of a selector: pairs of a selectors.SelectorKey, whose
    /// data are the handles of reader and writer, and a mask.
    fn _process_events(slf: &Bound<'_, Self>, event_list: &Bound<'_, PyAny>) -> PyResult<()> {
        for event in event_list.try_iter()? {
            let (key, mask): (Bound<'_, PyAny>, u8) = event?.extract()?;
            let (reader, writer): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
                key.getattr("data")?.extract()?;
            for (handle, bit) in [(reader, 1), (writer, 2)] {
                if mask & bit != 0 && !handle.is_none() {
                    Self::_add_callback(slf, &handle)?;
                }
            }
        }
        Ok(())
    }

    /// Put a handle on the ready queue, unless it was cancelled.
    fn _add_callback(slf: &Bound<'_, Self>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        let is_cancelled = handle.getattr(intern!(slf.py(), "_cancelled"))?.is_truthy()?;
        if is_cancelled { Ok(()) } else { ReadyHandles::of(slf).append(handle) }
    }

    /// The same, from a signal handler or another thread: the loop wakes up.
    fn _add_callback_signalsafe(slf: &Bound<'_, Self>, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::_add_callback(slf, handle)?;
        slf.call_method0(intern!(slf.py(), "_write_to_self")).map(drop)
    }

    /// End the loop's sleep; may be called from any thread.
    fn _write_to_self(&self, py: Python<'_>) {
        self.core(py).inbox().rouse();
    }

    /// Hear of a cancelled timer: it has left the loop by itself.
    fn _timer_handle_cancelled(&self, handle: &Bound<'_, PyAny>) {
        let _ = (self, handle);
    }

    /// The handles that are ready, first the one that has waited longest.
    #[getter]
    fn _ready(slf: &Bound<'_, Self>) -> ReadyHandles {
        ReadyHandles::of(slf)
    }

    /// The timer handles that are set, as they are now: a heap, first the one that is due first.
    #[getter]
    fn _scheduled<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let timers: Vec<_> = {
            let timers = self.core(py).timers();
            let handles = timers.sorted().filter_map(|ready| match ready {
                Ready::Handle(handle) => handle.bind(py).cast::<TimerHandle>().ok().cloned(),
                _ => None,
            });
            handles.collect()
        };
        PyList::new(py, timers)
    }

    /// Whether the run ends with this turn.
    #[getter]
    fn _stopping(&self, py: Python<'_>) -> bool {
        self.core(py).is_stopping()
    }

    #[setter(_stopping)]
    fn change_stopping(&self, py: Python<'_>, stopping: bool) {
        if stopping {
            self.core(py).stop();
        } else {
            self.core(py).take_stop();
        }
    }

    #[getter]
    fn _clock_resolution(&self, py: Python<'_>) -> f64 {
        self.parts(py).resolution.0.get()
    }

    #[setter(_clock_resolution)]
    fn change_clock_resolution(&self, py: Python<'_>, seconds: f64) {
        self.parts(py).resolution.0.set(seconds);
    }
}

impl EventLoop {
    /// Resumes what stood on the ready queue.
    pub fn resume_entry(event_loop: &Bound<'_, Self>, entry: Entry<Ready>) -> PyResult<()> {
        let core = event_loop.get().core(event_loop.py());
        let outcome = core.resume_entry(event_loop, entry);
        Self::leave_task(event_loop);
        outcome.map_err(PyErr::from)
    }
}
