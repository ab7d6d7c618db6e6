//! What a stream's writer does without asyncio's Python code: writing, and waiting until it may go on.

use pyo3::exceptions::PyConnectionResetError;
use pyo3::intern;
use pyo3::prelude::*;

use super::adoption::state_of;
use super::classes::Classes;
use super::coroutine::{self, Work};
use super::native_method::{Arguments, NativeMethod};
use crate::transports::StreamTransport;

/// The methods of writers.
pub static METHODS: [NativeMethod; 2] = [
    NativeMethod { name: "write", parameter: "data", body: write },
    NativeMethod { name: "drain", parameter: "", body: drain },
];

/// The methods of asyncio's class that these stand for.
pub const RELIED_ON: [&str; 2] = ["write", "drain"];

fn write<'py>(
    writer: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = writer.py();
    let (1, Some(data)) = (arguments.len(), arguments.get(0)) else { return Ok(None) };
    let transport = writer.getattr(intern!(py, "_transport"))?;
    match transport.cast_exact::<StreamTransport>() {
        Ok(stream) => StreamTransport::write(stream, &data)?,
        Err(_) => drop(transport.call_method1(intern!(py, "write"), (data,))?),
    }
    Ok(Some(py.None().into_bound(py)))
}

fn drain<'py>(
    writer: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if arguments.len() > 0 {
        return Ok(None);
    }
    let work = Work::Drain(writer.clone().unbind());
    coroutine::new(writer.py(), "StreamWriter.drain", work).map(Some)
}

/// Raises what its reader has heard of; tells whether a writer's connection is closing.
///
/// # Errors
///
/// The exception of the reader.
pub fn is_closing(writer: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = writer.py();
    let reader = writer.getattr(intern!(py, "_reader"))?;
    if let Some(state) = state_of(&reader) {
        state.get().check(py)?;
    } else if !reader.is_none() {
        let exception = reader.call_method0(intern!(py, "exception"))?;
        if !exception.is_none() {
            return Err(PyErr::from_value(exception));
        }
    }
    let transport = writer.getattr(intern!(py, "_transport"))?;
    match transport.cast_exact::<StreamTransport>() {
        Ok(stream) => Ok(StreamTransport::is_closing(stream)),
        Err(_) => transport.call_method0(intern!(py, "is_closing"))?.is_truthy(),
    }
}

/// The protocol that tells a writer when it may go on.
///
/// # Errors
///
/// `AttributeError` when it has none.
pub fn protocol_of<'py>(writer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    writer.getattr(intern!(writer.py(), "_protocol"))
}

/// What a writer has to await before it may go on; nothing if it may go on at once.
///
/// # Errors
///
/// `ConnectionResetError` when the connection is lost; what a protocol of another class raises.
pub fn obstacle<'py>(protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = protocol.py();
    let Some(classes) = Classes::get(py)?.filter(|classes| classes.protocol.is_of(protocol)) else {
        return protocol.call_method0(intern!(py, "_drain_helper")).map(Some);
    };
    if protocol.getattr(intern!(py, "_connection_lost"))?.is_truthy()? {
        return Err(PyConnectionResetError::new_err("Connection lost"));
    }
    if !protocol.getattr(intern!(py, "_paused"))?.is_truthy()? {
        return Ok(None);
    }
    let method = classes.protocol.base(py).getattr(intern!(py, "_drain_helper"))?;
    method.call1((protocol,)).map(Some)
}
