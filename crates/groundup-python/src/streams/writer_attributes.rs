//! The attributes of the writer of an accepted connection, which asyncio's writers keep in their `__dict__`.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::flow::WriterState;
use super::native_class::{NativeClass, attributes_of};
use super::native_method::{Answer, Arguments, NativeMethod};
use super::writer::state_of;
use crate::event_loop::EventLoop;
use crate::ffi;

/// What gives them.
pub static GETTERS: [NativeMethod; 5] = [
    NativeMethod { name: "_transport", parameter: "", body: transport },
    NativeMethod { name: "_protocol", parameter: "", body: protocol },
    NativeMethod { name: "_reader", parameter: "", body: reader },
    NativeMethod { name: "_loop", parameter: "", body: event_loop },
    NativeMethod { name: "_complete_fut", parameter: "", body: completed },
];

/// Whether asyncio's writers keep an attribute of this name.
pub fn is_kept(name: &Bound<'_, PyString>) -> bool {
    GETTERS.iter().any(|getter| name == getter.name)
}

/// What the state has for an attribute, or, if there is no state any more, the `__dict__`.
fn get<'py>(
    writer: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    get: impl FnOnce(&WriterState) -> PyResult<Bound<'py, PyAny>>,
) -> Answer<'py> {
    match (ffi::kept(writer, name), state_of(writer)) {
        (Some(kept), _) => Ok(Some(kept)),
        (None, Some(state)) => get(state.get()).map(Some),
        (None, None) => Err(PyAttributeError::new_err(name.clone().unbind())),
    }
}

fn transport<'py>(writer: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    get(writer, intern!(py, "_transport"), |state| Ok(state.transport.bind(py).clone()))
}

fn protocol<'py>(writer: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    get(writer, intern!(py, "_protocol"), |state| Ok(state.protocol.bind(py).clone()))
}

fn reader<'py>(writer: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    get(writer, intern!(py, "_reader"), |state| Ok(state.stream_reader.bind(py).clone()))
}

fn event_loop<'py>(writer: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    let of_state = |state: &WriterState| Ok(state.reader.get().event_loop(py).as_any().clone());
    get(writer, intern!(py, "_loop"), of_state)
}

/// A future that is done: made, and kept, when it is asked for.
fn completed<'py>(writer: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = writer.py();
    let name = intern!(py, "_complete_fut");
    get(writer, name, |state| {
        let future = EventLoop::create_future(state.reader.get().event_loop(py))?;
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
        ffi::keep(writer, name, Some(&future))?;
        Ok(future)
    })
}

/// Makes a writer asyncio's, which has all that its state has.
///
/// # Errors
///
/// `MemoryError`.
pub fn give_back(class: &NativeClass, writer: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = writer.py();
    let attributes = PyDict::new(py);
    if state_of(writer).is_some() {
        for getter in &GETTERS {
            if let Some(value) = writer.getattr_opt(getter.name)? {
                attributes.set_item(getter.name, value)?;
            }
        }
    }
    class.give_back(writer)?;
    attributes_of(writer)?.update(attributes.as_mapping())
}
