//! The attributes of a reader whose state is in Rust: what Python code sees there, and may change.
//!
//! Whoever looks at the buffer, or replaces what the methods go by, makes the reader asyncio's again.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};

use super::adoption::{give_reader_back, state_of};
use super::classes::Classes;
use super::native_method::{Answer, Arguments, NativeMethod};
use super::reader::{ReaderState, State};
use crate::ffi;

/// The limit of readers that were given none, in bytes; `repr` does not mention it.
const DEFAULT_LIMIT: usize = 1 << 16;

/// Special methods.
pub static METHODS: [NativeMethod; 3] = [
    NativeMethod { name: "__repr__", parameter: "", body: repr },
    NativeMethod { name: "__setattr__", parameter: "", body: set },
    NativeMethod { name: "__delattr__", parameter: "", body: set },
];

/// What gives the attributes that asyncio's readers keep in their `__dict__`.
pub static GETTERS: [NativeMethod; 8] = [
    NativeMethod { name: "_loop", parameter: "", body: event_loop },
    NativeMethod { name: "_buffer", parameter: "", body: buffer },
    NativeMethod { name: "_eof", parameter: "", body: eof },
    NativeMethod { name: "_limit", parameter: "", body: limit },
    NativeMethod { name: "_paused", parameter: "", body: paused },
    NativeMethod { name: "_waiter", parameter: "", body: waiter },
    NativeMethod { name: "_exception", parameter: "", body: exception },
    NativeMethod { name: "_transport", parameter: "", body: transport },
];

fn buffer<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    give_reader_back(reader)?;
    given_back(reader, intern!(reader.py(), "_buffer"))
}

fn event_loop<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    match state_of(reader) {
        Some(state) => Ok(Some(state.get().event_loop(py).as_any().clone())),
        None => given_back(reader, intern!(py, "_loop")),
    }
}

/// An attribute of a reader that is asyncio's by now.
fn given_back<'py>(reader: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Answer<'py> {
    match ffi::kept(reader, name) {
        Some(value) => Ok(Some(value)),
        None => Err(PyAttributeError::new_err(name.clone().unbind())),
    }
}

/// What the state has for an attribute; a reader without one becomes asyncio's.
fn get<'py>(
    reader: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    get: impl FnOnce(&State) -> Option<Bound<'py, PyAny>>,
) -> Answer<'py> {
    let py = reader.py();
    match state_of(reader) {
        Some(state) => {
            let value = get(state.get().state(py));
            Ok(Some(value.unwrap_or_else(|| py.None().into_bound(py))))
        }
        None => {
            give_reader_back(reader)?;
            given_back(reader, name)
        }
    }
}

fn eof<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_eof"), |state| Some(boolean(py, state.is_eof.get())))
}

fn paused<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_paused"), |state| Some(boolean(py, state.is_paused.get())))
}

fn limit<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_limit"), |state| Some(PyInt::new(py, state.limit.get()).into_any()))
}

fn waiter<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_waiter"), |state| ReaderState::held(py, &state.waiter))
}

fn exception<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_exception"), |state| ReaderState::held(py, &state.exception))
}

fn transport<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    get(reader, intern!(py, "_transport"), |state| ReaderState::held(py, &state.transport))
}

fn boolean(py: Python<'_>, value: bool) -> Bound<'_, PyAny> {
    PyBool::new(py, value).to_owned().into_any()
}

/// Sets or deletes an attribute: with a value, or without.
fn set<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    let Some(name) = arguments.get(0) else { return Ok(None) };
    let Ok(name) = name.cast::<PyString>() else { return Ok(None) };
    let value = arguments.get(1);
    let is_set = match (&value, state_of(reader)) {
        (Some(value), Some(state)) => set_natively(state.get().state(py), &name, value),
        _ => false,
    };
    if !is_set {
        let asyncios = Classes::get(py)?.map(|classes| classes.reader.base(py).hasattr(name));
        if asyncios.unwrap_or(Ok(true))? || is_kept(&name) {
            give_reader_back(reader)?;
        }
        let class = Classes::get(py)?.and_then(|classes| classes.of_reader(reader));
        match class {
            Some(class) => class.set(reader, &name, value.as_deref(), is_kept(&name))?,
            None => ffi::set_attribute(reader, &name, value.as_deref())?,
        }
    }
    Ok(Some(py.None().into_bound(py)))
}

/// Sets what may change while the state stays in Rust.
fn set_natively(state: &State, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> bool {
    if name == "_limit"
        && let Ok(limit) = value.cast_exact::<PyInt>()
        && let Some(limit) = limit.extract().ok().filter(|limit| is_possible(*limit))
    {
        state.limit.set(limit);
        return true;
    }
    false
}

/// Whether a limit can be doubled.
pub fn is_possible(limit: usize) -> bool {
    limit <= usize::MAX / 2
}

/// Whether asyncio's readers keep an attribute of this name.
fn is_kept(name: &Bound<'_, PyString>) -> bool {
    GETTERS.iter().any(|getter| name == getter.name)
}

fn repr<'py>(reader: &Bound<'py, PyAny>, _: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    let Some(state) = state_of(reader) else { return Ok(None) };
    let state = state.get().state(py);
    let mut words = vec!["StreamReader".to_owned()];
    let len = state.received.borrow().len(py);
    if len > 0 {
        words.push(format!("{len} bytes"));
    }
    if state.is_eof.get() {
        words.push("eof".to_owned());
    }
    if state.limit.get() != DEFAULT_LIMIT {
        words.push(format!("limit={}", state.limit.get()));
    }
    let held = [
        ("waiter", &state.waiter),
        ("exception", &state.exception),
        ("transport", &state.transport),
    ];
    for (name, cell) in held {
        if let Some(object) = ReaderState::held(py, cell) {
            words.push(format!("{name}={}", object.repr()?));
        }
    }
    if state.is_paused.get() {
        words.push("paused".to_owned());
    }
    Ok(Some(PyString::new(py, &format!("<{}>", words.join(" "))).into_any()))
}
