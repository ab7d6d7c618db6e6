//! The limits of a buffer: when its writer is asked to pause, and when to go on.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

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
