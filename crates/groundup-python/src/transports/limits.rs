//! The limits of a buffer: when its writer is asked to pause, and when to go on.

use std::cell::Cell;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// When a protocol is asked to pause, in bytes, unless it says otherwise.
const HIGH_WATER: usize = 64 * 1024;

/// The limits of a transport's write buffer, and whether its protocol was asked to pause.
pub struct FlowControl {
    low: Cell<usize>,
    high: Cell<usize>,
    is_paused: Cell<bool>,
}

impl Default for FlowControl {
    fn default() -> Self {
        Self {
            low: Cell::new(HIGH_WATER / 4),
            high: Cell::new(HIGH_WATER),
            is_paused: Cell::default(),
        }
    }
}

impl FlowControl {
    /// Changes the limits, in bytes; see [`flow_limits`].
    ///
    /// # Errors
    ///
    /// `ValueError` unless high >= low >= 0.
    pub fn set_limits(&self, high: Option<isize>, low: Option<isize>) -> PyResult<()> {
        let (low, high) = flow_limits(high, low, HIGH_WATER as isize)?;
        self.low.set(low);
        self.high.set(high);
        Ok(())
    }

    /// The low and the high limit, in bytes.
    pub fn limits(&self) -> (usize, usize) {
        (self.low.get(), self.high.get())
    }

    /// Whether the protocol is paused.
    pub fn is_paused(&self) -> bool {
        self.is_paused.get()
    }

    /// Whether so many bytes are too many.
    pub fn is_exceeded_by(&self, len: usize) -> bool {
        len > self.high.get()
    }

    /// Whether the protocol is to be asked to pause, as so many bytes wait; it counts as paused then.
    pub fn pauses_at(&self, len: usize) -> bool {
        self.is_exceeded_by(len) && !self.is_paused.replace(true)
    }

    /// Whether the protocol is to be asked to go on, as no more bytes wait; it counts as asked then.
    pub fn resumes_at(&self, len: usize) -> bool {
        len <= self.low.get() && self.is_paused.replace(false)
    }
}

/// The low and the high limit, in bytes, that a caller means who may leave out one or both.
///
/// # Errors
///
/// `ValueError` unless high >= low >= 0.
pub fn flow_limits(
    high: Option<isize>,
    low: Option<isize>,
    default_high: isize,
) -> PyResult<(usize, usize)> {
    let high = high.unwrap_or_else(|| low.map_or(default_high, |low| low.saturating_mul(4)));
    let low = low.unwrap_or(high.div_euclid(4));
    match (usize::try_from(low), usize::try_from(high)) {
        (Ok(low), Ok(high)) if low <= high => Ok((low, high)),
        _ => {
            let message = format!("high ({high}) must be >= low ({low}) must be >= 0");
            Err(PyValueError::new_err(message))
        }
    }
}
