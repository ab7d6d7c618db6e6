//! Making asyncio's readers and protocols quick ones, and asyncio's again.

use std::cell::RefCell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyInt, PyString};

use super::accepted;
use super::classes::Classes;
use super::flow::Flow;
use super::native_class::attributes_of;
use super::reader::ReaderState;
use super::reader_attributes::is_possible;
use crate::event_loop::EventLoop;
use crate::ffi;

/// The attribute that keeps the state of what was taken over.
pub fn state_name(py: Python<'_>) -> &Bound<'_, PyString> {
    intern!(py, "_groundup")
}

/// The state of a reader, if it is in Rust.
pub fn state_of<'py>(reader: &Bound<'py, PyAny>) -> Option<Bound<'py, ReaderState>> {
    let py = reader.py();
    let class = Classes::get(py).ok()??.of_reader(reader)?;
    class.state(reader)?.cast_into_exact().ok()
}

/// Takes over the reader of a protocol of asyncio's, and the protocol, if both are as asyncio makes
/// them; what arrives for the protocol can be fed to the state then.
///
/// # Errors
///
/// Those of reading attributes, and `MemoryError`.
pub fn adopt<'py>(
    event_loop: &Bound<'py, EventLoop>,
    protocol: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, ReaderState>>> {
    let py = protocol.py();
    let Some(classes) = Classes::get(py)? else { return Ok(None) };
    if !classes.protocol.is_of(protocol) {
        if !classes.protocol.can_stand_for(protocol)? {
            return Ok(None);
        }
        let Some(flow) = Flow::of_attributes(&attributes_of(protocol)?)? else { return Ok(None) };
        protocol.setattr(state_name(py), Bound::new(py, flow)?)?;
        classes.protocol.take_over(protocol)?;
    }
    let reader = protocol.getattr(intern!(py, "_stream_reader"))?;
    if !classes.reader.can_stand_for(&reader)? {
        return Ok(state_of(&reader));
    }
    let attributes = attributes_of(&reader)?;
    let Some(state) = new_state(event_loop, &attributes)? else { return Ok(None) };
    let state = Bound::new(py, state)?;
    if accepted::replace_reader(protocol, &reader, &attributes, &state)? {
        return Ok(Some(state));
    }
    reader.setattr(state_name(py), &state)?;
    // Nobody can see it any more; a new one is made for who asks.
    reader.setattr(intern!(py, "_buffer"), py.None())?;
    classes.reader.take_over(&reader)?;
    Ok(Some(state))
}

/// A state for a reader of asyncio's that has received nothing yet.
fn new_state(
    event_loop: &Bound<'_, EventLoop>,
    attributes: &Bound<'_, PyDict>,
) -> PyResult<Option<ReaderState>> {
    let py = event_loop.py();
    let is = |name: &Bound<'_, PyString>, expected: &Bound<'_, PyAny>| {
        PyResult::Ok(attributes.get_item(name)?.is_some_and(|value| value.is(expected)))
    };
    let (none, no) = (py.None().into_bound(py), PyBool::new(py, false).to_owned().into_any());
    let is_fresh = is(intern!(py, "_loop"), event_loop.as_any())?
        && is(intern!(py, "_waiter"), &none)?
        && is(intern!(py, "_exception"), &none)?
        && is(intern!(py, "_eof"), &no)?
        && is(intern!(py, "_paused"), &no)?;
    let buffer = attributes.get_item(intern!(py, "_buffer"))?;
    let is_empty = buffer.is_some_and(|buffer| {
        buffer.cast_exact::<PyByteArray>().is_ok_and(|buffer| buffer.is_empty())
    });
    let limit = attributes.get_item(intern!(py, "_limit"))?;
    let limit = limit.and_then(|limit| limit.cast_exact::<PyInt>().ok()?.extract().ok());
    let Some(limit) = limit.filter(|limit| is_fresh && is_empty && is_possible(*limit)) else {
        return Ok(None);
    };
    let transport = attributes.get_item(intern!(py, "_transport"))?;
    let transport = transport.filter(|transport| !transport.is_none()).map(Bound::unbind);
    Ok(Some(ReaderState::new(event_loop.clone().unbind(), limit, transport)))
}

/// Makes a reader asyncio's, which holds all that its state held.
///
/// # Errors
///
/// `MemoryError`.
pub fn give_reader_back(reader: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = reader.py();
    let Some(class) = Classes::get(py)?.and_then(|classes| classes.of_reader(reader)) else {
        return Ok(());
    };
    let Some(state) = state_of(reader) else { return class.give_back(reader) };
    let event_loop = state.get().event_loop(py).as_any().clone();
    class.give_back(reader)?;
    let state = state.get().state(py);
    state.is_given_back.set(true);
    let received = PyByteArray::new(py, state.received.borrow().unread(py));
    state.received.borrow_mut().clear();
    let attributes = PyDict::new(py);
    attributes.set_item(intern!(py, "_limit"), state.limit.get())?;
    attributes.set_item(intern!(py, "_loop"), event_loop)?;
    attributes.set_item(intern!(py, "_buffer"), received)?;
    attributes.set_item(intern!(py, "_eof"), state.is_eof.get())?;
    attributes.set_item(intern!(py, "_waiter"), state.waiter.take())?;
    attributes.set_item(intern!(py, "_exception"), state.exception.take())?;
    attributes.set_item(intern!(py, "_transport"), state.transport.take())?;
    attributes.set_item(intern!(py, "_paused"), state.is_paused.get())?;
    attributes_of(reader)?.update(attributes.as_mapping())
}

/// Feeds what has arrived for a protocol to the state of its reader, as the protocol would; tells
/// whether it did, which it does not where asyncio's code has to be asked.
///
/// # Errors
///
/// Those of [`ReaderState::feed`].
pub fn deliver(
    protocol: &RefCell<Option<Py<PyAny>>>,
    reader: &RefCell<Option<Py<ReaderState>>>,
    data: &Bound<'_, PyBytes>,
) -> PyResult<bool> {
    let py = data.py();
    let reader = reader.borrow().as_ref().map(|reader| reader.bind(py).clone());
    let Some(reader) = reader else { return Ok(false) };
    // Beside the transport and this call, the reader holds it: nobody else can read what is fed.
    let is_read = ffi::reference_count(&reader) > 2;
    let is_native = Classes::get(py)?.is_some_and(|classes| {
        let protocol = protocol.borrow();
        protocol.as_ref().is_some_and(|protocol| classes.protocol.is_of(protocol.bind(py)))
    });
    if !is_read || !is_native || reader.get().state(py).is_given_back.get() {
        return Ok(false);
    }
    reader.get().feed(data)?;
    Ok(true)
}
