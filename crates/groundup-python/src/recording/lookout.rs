//! What sees a loop that is being recorded, perhaps in another process, as Python has it.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use groundup::clock::{Clock, Monotonic};
use groundup::weave::Lookout as LoopLookout;
use groundup::weave::present::{PresentTask, State};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::sight::Sight;
use crate::errors;

/// By what tasks are put in order.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Time,
    Steps,
    Waits,
}

/// Sees what a loop is doing that is being recorded.
#[pyclass(module = "groundup._groundup")]
pub struct Lookout {
    lookout: LoopLookout,
}

#[pymethods]
impl Lookout {
    /// Lookout the loop that is recorded into a file.
    ///
    /// Args:
    ///     path: The file's name.
    ///
    /// Raises:
    ///     OSError: The file cannot be read.
    ///     ValueError: It is no recording, is damaged, or of a newer format.
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let lookout = File::open(path).and_then(LoopLookout::new).map_err(|it| error(&it))?;
        Ok(Self { lookout })
    }

    /// Look at what the loop is doing now.
    ///
    /// What it did lately is since the last look; the first time, and when records were lost, in the
    /// seconds before, or since the oldest record that is there.
    ///
    /// Args:
    ///     seconds: How far back the first look goes.
    ///     order: What tasks come first: those that ran longest lately ("time"), took the most steps
    ///         ("steps"), or have waited longest ("waits").
    ///     most: How many tasks are described at most.
    ///
    /// Returns:
    ///     A dictionary of numbers about the loop, with "tasks", a list of dictionaries, and "functions",
    ///     the same for functions that the loop has called lately. Times are in seconds.
    ///
    /// Raises:
    ///     OSError: The file cannot be read.
    ///     ValueError: There is no such order, or seconds is no length of time.
    #[pyo3(signature = (seconds, order, most))]
    fn look<'py>(
        &mut self,
        py: Python<'py>,
        seconds: f64,
        order: &str,
        most: usize,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (order, span, now) = (Order::of(order)?, span(seconds)?, Monotonic.now());
        let lookout = &mut self.lookout;
        lookout.look(now, span).map_err(|it| error(&it))?;
        let sight = Sight { lookout, now: lookout.present().known().unwrap_or(now) };
        let seen = sight.of_loop(py)?;
        seen.set_item("tasks", sight.of_tasks(py, order, most)?)?;
        seen.set_item("functions", sight.of_functions(py)?)?;
        Ok(seen)
    }

    /// Read what is new, so that nothing is lost until the next look at a busy loop.
    ///
    /// Args:
    ///     seconds: As for look().
    ///
    /// Raises:
    ///     OSError: The file cannot be read.
    ///     ValueError: seconds is no length of time.
    fn keep_up(&mut self, seconds: f64) -> PyResult<()> {
        let (span, now) = (span(seconds)?, Monotonic.now());
        self.lookout.keep_up(now, span).map_err(|it| error(&it))
    }
}

fn span(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("no length of time: {seconds} s")))
}

impl Order {
    fn of(order: &str) -> PyResult<Self> {
        match order {
            "time" => Ok(Self::Time),
            "steps" => Ok(Self::Steps),
            "waits" => Ok(Self::Waits),
            _ => Err(PyValueError::new_err(format!("no order of tasks: {order:?}"))),
        }
    }

    /// Puts tasks in this order.
    pub fn sort(self, tasks: &mut [&PresentTask]) {
        match self {
            Self::Time => tasks.sort_by_key(|it| (Reverse(it.ran.running), it.order)),
            Self::Steps => tasks.sort_by_key(|it| (Reverse(it.ran.steps), it.order)),
            Self::Waits => tasks.sort_by_key(|it| match it.state {
                State::Waiting { .. } => (false, it.since, it.order),
                _ => (true, it.since, it.order),
            }),
        }
    }
}

/// What Python is told of a file that cannot be read.
pub fn error(error: &io::Error) -> PyErr {
    match error.kind() {
        io::ErrorKind::InvalidData => PyValueError::new_err(error.to_string()),
        _ => errors::os_error(error),
    }
}
