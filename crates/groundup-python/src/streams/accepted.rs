//! The reader and the writer of an accepted connection: made by this module, in the place of asyncio's.
//!
//! Nobody but asyncio has seen those yet. Objects of one's own have a slot for their state and nothing in
//! their `__dict__`, so that they are smaller, and the interpreter finds their methods at once.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::classes::Classes;
use super::flow::WriterState;
use super::native_class::attributes_of;
use super::reader::ReaderState;
use super::{reader_attributes, writer_attributes};
use crate::{ffi, imports};

/// Has a reader with a state take the place of asyncio's in a protocol; tells whether it does, which it
/// does not where somebody else may know that one.
///
/// # Errors
///
/// Those of setting attributes, and `MemoryError`.
pub fn replace_reader<'py>(
    protocol: &Bound<'py, PyAny>,
    reader: &Bound<'py, PyAny>,
    attributes: &Bound<'py, PyDict>,
    state: &Bound<'py, ReaderState>,
) -> PyResult<bool> {
    let py = protocol.py();
    let strong = intern!(py, "_strong_reader");
    let is_held = ffi::kept(protocol, strong).is_some_and(|kept| kept.is(reader));
    // The protocol and the caller have it, and the protocol alone its only weak reference.
    let name = intern!(py, "_stream_reader_wr");
    let is_unseen = ffi::reference_count(reader) == 2
        && ffi::kept(protocol, name).is_some_and(|weak| ffi::reference_count(&weak) == 2)
        && imports::weak_reference_count(py)?.call1((reader,))?.eq(1)?;
    let is_plain = attributes.len() == reader_attributes::GETTERS.len();
    let Some(classes) = Classes::get(py)?.filter(|_| is_held && is_unseen && is_plain) else {
        return Ok(false);
    };
    let reader = classes.accepted_reader.create(state.as_any())?;
    let weak = imports::weak_reference(py)?.call1((&reader,))?;
    ffi::set_attribute(protocol, name, Some(&weak))?;
    ffi::set_attribute(protocol, strong, Some(&reader))?;
    Ok(true)
}

/// A writer with a state in the place of asyncio's, which has just been made for `meeting`; none where
/// that is not as asyncio makes it.
///
/// # Errors
///
/// Those of setting attributes, and `MemoryError`.
pub fn replace_writer<'py>(
    writer: &Bound<'py, PyAny>,
    protocol: &Bound<'py, PyAny>,
    state: &Bound<'py, WriterState>,
    meeting: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = writer.py();
    let Some(classes) = Classes::get(py)? else { return Ok(None) };
    let has_own_reader = classes.accepted_reader.is_of(state.get().stream_reader.bind(py));
    if !has_own_reader || attributes_of(writer)?.len() != writer_attributes::GETTERS.len() {
        return Ok(None);
    }
    let own = classes.accepted_writer.create(state.as_any())?;
    // Before Python 3.13 the protocol keeps it.
    let kept = intern!(py, "_stream_writer");
    if ffi::kept(protocol, kept).is_some_and(|kept| kept.is(writer)) {
        ffi::set_attribute(protocol, kept, Some(&own))?;
    }
    // A writer that goes would close its transport.
    ffi::set_attribute(writer, intern!(py, "_transport"), Some(meeting))?;
    Ok(Some(own))
}
