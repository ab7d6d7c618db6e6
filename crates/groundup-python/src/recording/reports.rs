//! What is reported of a recorded loop while it runs: steps that take too long, and exceptions.

use std::sync::Arc;
use std::time::Duration;

use groundup::clock::Timestamp;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use super::recording::Recording;
use super::watchdog::{self, Watched};
use crate::imports;

/// The shortest time after which a step can be late.
const LEAST_LIMIT: Duration = Duration::from_millis(1);

/// How long a step may take, in seconds as Python has them.
///
/// # Errors
///
/// `ValueError` when that is less than a millisecond.
pub fn limit_of(seconds: f64) -> PyResult<Duration> {
    let limit = Duration::try_from_secs_f64(seconds).ok().filter(|it| *it >= LEAST_LIMIT);
    limit.ok_or_else(|| {
        PyValueError::new_err(format!("step_limit must be 0.001 seconds or more, got {seconds}"))
    })
}

impl Recording {
    /// Has the stacks of steps noted that take longer.
    ///
    /// # Errors
    ///
    /// `OSError` when there can be no thread that looks.
    pub(super) fn watch(slf: &Bound<'_, Self>, limit: Duration) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let pulse = Arc::clone(&this.narrator(py).pulse);
        let watched = Arc::new(Watched { pulse, limit, recording: slf.clone().unbind() });
        this.watched.get(py).replace(Some(Arc::clone(&watched)));
        watchdog::watch(py, watched)
    }

    /// Notes where the step is that began then, if it still goes on.
    ///
    /// # Errors
    ///
    /// What asking the thread's frames raises.
    pub fn tell_stack(&self, py: Python<'_>, began: Timestamp) -> PyResult<()> {
        let narrator = self.narrator(py);
        let goes_on = narrator.pulse.began() == Some(began);
        let Some(event_loop) = self.event_loop(py).filter(|_| goes_on) else { return Ok(()) };
        let thread = event_loop.getattr(intern!(py, "_thread_id"))?;
        let frames = imports::current_frames(py)?.call0()?;
        narrator.tell_stack(began, frames.get_item(thread)?)
    }

    /// Tells who listens of the late step that has ended, if there was one.
    pub fn report_late(slf: &Bound<'_, Self>) {
        if let Some(took) = slf.get().narrator(slf.py()).late.ended.take() {
            Self::report(slf, "step", &format!("a step took {:.3} s", took.as_secs_f64()));
        }
    }

    /// Tells who listens of something. What that raises is not the program's affair.
    pub fn report(slf: &Bound<'_, Self>, kind: &str, what: &str) {
        let py = slf.py();
        let listener = slf.get().listener.get(py).borrow().as_ref().map(|it| it.clone_ref(py));
        let Some(listener) = listener else { return };
        if let Err(error) = listener.call1(py, (slf, kind, what)) {
            error.write_unraisable(py, Some(listener.bind(py)));
        }
    }
}
