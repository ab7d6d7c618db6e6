//! Recordings, read: what was kept of a run, put together and laid out in columns.
//!
//! What reads and weaves is the crate's; this gives it to Python, whose part is to show it.

use groundup::recorder::recording::{Recording, Unreadable};
use groundup::recorder::{Verb, halves};
use groundup::weave::columns::Columns;
use groundup::weave::{Weave, build};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Put together what a recording tells.
///
/// Args:
///     data: The bytes of a recording, or as many of them as there are.
///
/// Returns:
///     A dictionary: `process` (its number), `wall` (seconds since 1970 when it began), `ended`
///     (nanoseconds from then to the last record), `lost` (records that are missing), `facts` and
///     `strings`, and `columns`: by name a kind (`u8`, `u32`, `i32` or `f64`) and little-endian bytes.
///
/// Raises:
///     ValueError: The bytes are no recording, are damaged, or of a newer format.
#[pyfunction]
#[pyo3(signature = (data, /))]
pub fn read_recording<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let (recording, weave, columns) =
        py.detach(|| put_together(data)).map_err(|it| PyValueError::new_err(it.to_string()))?;
    let read = PyDict::new(py);
    read.set_item("process", recording.head.process)?;
    read.set_item("wall", began_at(&recording, &weave))?;
    read.set_item("ended", weave.ended.since(weave.began).as_nanos() as u64)?;
    read.set_item("lost", weave.lost)?;
    read.set_item("facts", facts(py, &recording)?)?;
    read.set_item("strings", &columns.strings)?;
    read.set_item("columns", laid_out(py, &columns)?)?;
    Ok(read)
}

fn put_together(data: &[u8]) -> Result<(Recording, Weave, Columns), Unreadable> {
    let recording = Recording::read(data)?;
    let weave = build(&recording);
    let columns = Columns::of(&weave, &recording);
    Ok((recording, weave, columns))
}

/// When the first record was made, in seconds since 1970.
fn began_at(recording: &Recording, weave: &Weave) -> f64 {
    let since_head = weave.began.0.saturating_sub(recording.head.monotonic.0);
    recording.head.wall.saturating_add(since_head) as f64 / 1e9
}

fn facts<'py>(py: Python<'py>, recording: &Recording) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    for fact in recording.of(Verb::Fact) {
        let (name, value) = halves(fact.detail);
        facts.set_item(recording.name(name), recording.name(value))?;
    }
    Ok(facts)
}

fn laid_out<'py>(py: Python<'py>, columns: &Columns) -> PyResult<Bound<'py, PyDict>> {
    let laid_out = PyDict::new(py);
    for column in &columns.columns {
        let bytes = PyBytes::new(py, &column.bytes);
        laid_out.set_item(column.name, (column.kind.name(), bytes))?;
    }
    Ok(laid_out)
}
