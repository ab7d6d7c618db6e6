//! What a stream's writer does without asyncio's Python code: writing, and waiting until it may go on.
//!
//! Where something else than what asyncio made has come in, asyncio's code is asked.

use pyo3::exceptions::PyConnectionResetError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::adoption::state_name;
use super::classes::Classes;
use super::coroutine::{self, Work};
use super::flow::{Flow, WriterState};
use super::native_class::Members;
use super::native_method::{Answer, Arguments, NativeMethod};
use super::reader::ReaderState;
use super::writer_attributes::{give_back, is_kept};
use super::{accepted, writer_attributes};
use crate::ffi;
use crate::transports::{StreamTransport, TlsTransport};

/// The methods of writers.
pub static METHODS: [NativeMethod; 4] = [
    NativeMethod { name: "write", parameter: "data", body: write },
    NativeMethod { name: "drain", parameter: "", body: drain },
    NativeMethod { name: "__setattr__", parameter: "", body: set },
    NativeMethod { name: "__delattr__", parameter: "", body: set },
];

/// What the classes have of their own: the second is for those whose objects have no `__dict__` at first.
pub static MEMBERS: [Members; 2] =
    [Members::Methods(&METHODS), Members::Getters(&writer_attributes::GETTERS)];

/// The methods of asyncio's class that these stand for, and what makes a writer.
pub const RELIED_ON: [&str; 3] = ["write", "drain", "__init__"];

/// Takes over the writer that asyncio has made for a reader and a protocol, if all three are as it makes
/// them; returns it, or the one that has come in its place.
///
/// # Errors
///
/// Those of reading attributes, and `MemoryError`.
pub fn adopt<'py>(
    writer: &Bound<'py, PyAny>,
    stream_reader: &Bound<'py, PyAny>,
    reader: &Bound<'py, ReaderState>,
    protocol: &Bound<'py, PyAny>,
    meeting: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = writer.py();
    let (Some(classes), Some(flow)) = (Classes::get(py)?, Flow::of(protocol)) else {
        return Ok(writer.clone());
    };
    let is_own = writer.getattr(intern!(py, "_protocol"))?.is(protocol);
    if !is_own || !classes.writer.can_stand_for(writer)? {
        return Ok(writer.clone());
    }
    let state = WriterState {
        stream_reader: stream_reader.clone().unbind(),
        reader: reader.clone().unbind(),
        flow: flow.unbind(),
        protocol: protocol.clone().unbind(),
        transport: writer.getattr(intern!(py, "_transport"))?.unbind(),
    };
    let state = Bound::new(py, state)?;
    if let Some(writer) = accepted::replace_writer(writer, protocol, &state, meeting)? {
        return Ok(writer);
    }
    writer.setattr(state_name(py), state)?;
    classes.writer.take_over(writer)?;
    Ok(writer.clone())
}

/// The state of a writer that was taken over.
pub fn state_of<'py>(writer: &Bound<'py, PyAny>) -> Option<Bound<'py, WriterState>> {
    let class = Classes::get(writer.py()).ok()??.of_writer(writer)?;
    class.state(writer)?.cast_into_exact().ok()
}

fn write<'py>(writer: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    let (1, Some(data)) = (arguments.len(), arguments.get(0)) else { return Ok(None) };
    let Some(state) = state_of(writer) else { return Ok(None) };
    let transport = state.get().transport.bind(py);
    if let Ok(stream) = transport.cast_exact::<StreamTransport>() {
        StreamTransport::write(stream, &data)?;
    } else if let Ok(tls) = transport.cast_exact::<TlsTransport>() {
        tls.get().write(&data)?;
    } else {
        return Ok(None);
    }
    Ok(Some(py.None().into_bound(py)))
}

fn drain<'py>(writer: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    if arguments.len() > 0 {
        return Ok(None);
    }
    let Some(state) = state_of(writer) else { return Ok(None) };
    let work = Work::Drain(writer.clone().unbind(), state.unbind());
    coroutine::new(writer.py(), "StreamWriter.drain", work).map(Some)
}

/// Sets or deletes an attribute; a writer whose parts or methods are replaced becomes asyncio's again.
fn set<'py>(writer: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    let Some(name) = arguments.get(0) else { return Ok(None) };
    let Ok(name) = name.cast::<PyString>() else { return Ok(None) };
    let value = arguments.get(1);
    let is_asyncios = is_kept(&name);
    if let Some(class) = Classes::get(py)?.and_then(|classes| classes.of_writer(writer)) {
        if class.base(py).hasattr(name)? || is_asyncios {
            give_back(class, writer)?;
        }
        class.set(writer, &name, value.as_deref(), is_asyncios)?;
    } else {
        ffi::set_attribute(writer, &name, value.as_deref())?;
    }
    Ok(Some(py.None().into_bound(py)))
}

/// Raises what the reader has heard of; tells whether the connection is closing.
///
/// # Errors
///
/// The exception of the reader.
pub fn is_closing(py: Python<'_>, state: &WriterState) -> PyResult<bool> {
    state.reader.get().check(py)?;
    let transport = state.transport.bind(py);
    if let Ok(stream) = transport.cast_exact::<StreamTransport>() {
        return Ok(StreamTransport::is_closing(stream));
    }
    match transport.cast_exact::<TlsTransport>() {
        Ok(tls) => tls.get().is_closing(py),
        Err(_) => transport.call_method0(intern!(py, "is_closing"))?.is_truthy(),
    }
}

/// asyncio's coroutine for waiting until a writer may go on.
///
/// # Errors
///
/// `MemoryError`.
pub fn drain_in_python<'py>(writer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = writer.py();
    let classes = Classes::get(py)?.expect("a writer that was taken over has a class");
    classes.writer.base(py).call_method1(intern!(py, "drain"), (writer,))
}

/// What a writer has to await before it may go on; nothing if it may go on at once.
///
/// # Errors
///
/// `ConnectionResetError` when the connection is lost.
pub fn obstacle<'py>(
    flow: &Flow,
    protocol: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = protocol.py();
    let classes = Classes::get(py)?.expect("a protocol that was taken over has a class");
    if !classes.protocol.is_of(protocol) {
        return protocol.call_method0(intern!(py, "_drain_helper")).map(Some);
    }
    if flow.is_lost(py) {
        return Err(PyConnectionResetError::new_err("Connection lost"));
    }
    if !flow.is_paused(py) {
        return Ok(None);
    }
    classes.protocol.base(py).call_method1(intern!(py, "_drain_helper"), (protocol,)).map(Some)
}
