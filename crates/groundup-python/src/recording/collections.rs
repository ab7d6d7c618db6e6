//! Collections of garbage, as the interpreter tells of them (`gc.callbacks`).

use groundup::recorder::Verb;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::recording::Recording;

/// What `gc.callbacks` has while something is recorded.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct CollectionListener {
    recording: Py<Recording>,
}

#[pymethods]
impl CollectionListener {
    /// Tell that a collection begins or has ended.
    fn __call__(&self, py: Python<'_>, phase: &str, info: &Bound<'_, PyDict>) -> PyResult<()> {
        let number =
            |key| -> PyResult<u64> { info.get_item(key)?.map_or(Ok(0), |number| number.extract()) };
        let flight = &self.recording.get().narrator(py).flight;
        match phase {
            "start" => {
                let generation = number(intern!(py, "generation"))?;
                flight.note(Verb::CollectBegin, 0, generation);
            }
            _ => flight.note(Verb::CollectEnd, 0, number(intern!(py, "collected"))?),
        }
        Ok(())
    }
}

impl CollectionListener {
    /// Has the interpreter tell a recording of collections; returns who hears of them.
    ///
    /// # Errors
    ///
    /// What the interpreter raises.
    pub fn begin(recording: &Bound<'_, Recording>) -> PyResult<Py<Self>> {
        let py = recording.py();
        let listener = Py::new(py, Self { recording: recording.clone().unbind() })?;
        let callbacks = py.import("gc")?.getattr(intern!(py, "callbacks"))?;
        callbacks.call_method1(intern!(py, "append"), (&listener,))?;
        Ok(listener)
    }

    /// The interpreter tells it nothing any more.
    ///
    /// # Errors
    ///
    /// `ValueError` when somebody has taken it out.
    pub fn end(listener: &Py<Self>, py: Python<'_>) -> PyResult<()> {
        let callbacks = py.import("gc")?.getattr(intern!(py, "callbacks"))?;
        callbacks.call_method1(intern!(py, "remove"), (listener,)).map(drop)
    }
}
