//! Whether a stream may be written to: what its protocol knows, where writers find it quickly.

use std::cell::Cell;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::adoption::state_name;
use super::classes::Classes;
use super::reader::ReaderState;
use crate::ffi;
use crate::gil::GilBound;

/// What a protocol's attributes `_paused` and `_connection_lost` say.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct Flow {
    is_paused: GilBound<Cell<bool>>,
    is_lost: GilBound<Cell<bool>>,
}

impl Flow {
    /// What the attributes of a protocol say; none if they are not as asyncio sets them.
    ///
    /// # Errors
    ///
    /// Those of reading them.
    pub fn of_attributes(attributes: &Bound<'_, PyDict>) -> PyResult<Option<Self>> {
        let py = attributes.py();
        let extract = |name: &Bound<'_, PyString>| {
            PyResult::Ok(attributes.get_item(name)?.and_then(|value| value.extract::<bool>().ok()))
        };
        let is_paused = extract(intern!(py, "_paused"))?;
        let is_lost = extract(intern!(py, "_connection_lost"))?;
        Ok(is_paused.zip(is_lost).map(|(is_paused, is_lost)| Self {
            is_paused: GilBound::new(Cell::new(is_paused)),
            is_lost: GilBound::new(Cell::new(is_lost)),
        }))
    }

    /// That of a protocol, if it has one.
    pub fn of<'py>(protocol: &Bound<'py, PyAny>) -> Option<Bound<'py, Self>> {
        ffi::kept(protocol, state_name(protocol.py()))?.cast_into_exact().ok()
    }

    /// Takes notice of an attribute of the protocol that is set; tells whether it is one of these, and
    /// what they are set to.
    pub fn notice(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> bool {
        let Ok(value) = value.extract::<bool>() else { return false };
        let py = name.py();
        match name.to_str() {
            Ok("_paused") => self.is_paused.get(py).set(value),
            Ok("_connection_lost") => self.is_lost.get(py).set(value),
            _ => return false,
        }
        true
    }

    /// Whether writers are to wait.
    pub fn is_paused(&self, py: Python<'_>) -> bool {
        self.is_paused.get(py).get()
    }

    /// Whether the connection is lost.
    pub fn is_lost(&self, py: Python<'_>) -> bool {
        self.is_lost.get(py).get()
    }
}

/// What a writer goes by, found at once.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct WriterState {
    /// The reader itself.
    pub stream_reader: Py<PyAny>,
    pub reader: Py<ReaderState>,
    pub flow: Py<Flow>,
    pub protocol: Py<PyAny>,
    pub transport: Py<PyAny>,
}

impl WriterState {
    /// Whether reader and protocol are still those that the state is about.
    pub fn holds(&self, py: Python<'_>) -> bool {
        let is_given_back = self.reader.get().state(py).is_given_back.get();
        let protocol = self.protocol.bind(py);
        let classes = Classes::get(py).ok().flatten();
        !is_given_back && classes.is_some_and(|classes| classes.protocol.is_of(protocol))
    }
}

#[pymethods]
impl WriterState {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream_reader)?;
        visit.call(&self.reader)?;
        visit.call(&self.protocol)?;
        visit.call(&self.transport)
    }
}
