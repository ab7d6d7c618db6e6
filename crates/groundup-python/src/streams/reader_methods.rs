//! The methods of a reader whose state is in Rust.
//!
//! What they do not take, odd arguments above all, asyncio's methods get; those look into the buffer,
//! upon which the reader is asyncio's again.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyTuple};

use super::adoption::state_of;
use super::coroutine::{self, ReadWork, Work};
use super::native_class::Members;
use super::native_method::{Answer, Arguments, NativeMethod};
use super::reader::ReaderState;
use super::reader_attributes;
use super::reading::{Line, Reading, Until};

/// The methods that have no other body than this one.
pub static METHODS: [NativeMethod; 12] = [
    NativeMethod { name: "read", parameter: "n", body: read },
    NativeMethod { name: "readline", parameter: "", body: read_line },
    NativeMethod { name: "__anext__", parameter: "", body: read_next_line },
    NativeMethod { name: "readuntil", parameter: "separator", body: read_until },
    NativeMethod { name: "readexactly", parameter: "n", body: read_exactly },
    NativeMethod { name: "feed_data", parameter: "data", body: feed_data },
    NativeMethod { name: "feed_eof", parameter: "", body: feed_eof },
    NativeMethod { name: "at_eof", parameter: "", body: at_eof },
    NativeMethod { name: "exception", parameter: "", body: exception },
    NativeMethod { name: "set_exception", parameter: "exc", body: set_exception },
    NativeMethod { name: "set_transport", parameter: "transport", body: set_transport },
    NativeMethod { name: "_replace_transport", parameter: "transport", body: replace_transport },
];

/// What the classes have of their own.
pub static MEMBERS: [Members; 3] = [
    Members::Methods(&METHODS),
    Members::Methods(&reader_attributes::METHODS),
    Members::Getters(&reader_attributes::GETTERS),
];

/// The methods of asyncio's class that these stand for, or that those go by.
pub const RELIED_ON: [&str; 15] = [
    "read",
    "readline",
    "__anext__",
    "readuntil",
    "readexactly",
    "feed_data",
    "feed_eof",
    "at_eof",
    "exception",
    "set_exception",
    "set_transport",
    "__repr__",
    "_wakeup_waiter",
    "_wait_for_data",
    "_maybe_resume_transport",
];

/// The coroutine of a reading method, if the reader's state is in Rust.
fn reads<'py>(
    reader: &Bound<'py, PyAny>,
    name: &'static str,
    reading: impl FnOnce() -> Option<Reading>,
) -> Answer<'py> {
    let Some(state) = state_of(reader) else { return Ok(None) };
    let Some(reading) = reading() else { return Ok(None) };
    let (reader_object, state) = (reader.clone().unbind(), state.unbind());
    let work = Work::Read(ReadWork { reader: reader_object, state, reading });
    coroutine::new(reader.py(), name, work).map(Some)
}

/// The only argument, if it is an int that can be a size.
fn size(arguments: &Arguments<'_, '_>) -> Option<isize> {
    match (arguments.len(), arguments.get(0)) {
        (1, Some(size)) => size.cast_exact::<PyInt>().ok()?.extract().ok(),
        _ => None,
    }
}

fn read<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    reads(reader, "StreamReader.read", || {
        let size = if arguments.len() == 0 { -1 } else { size(arguments)? };
        Some(usize::try_from(size).map_or_else(|_| Reading::All(Vec::new()), Reading::Some))
    })
}

fn read_exactly<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    reads(reader, "StreamReader.readexactly", || {
        usize::try_from(size(arguments)?).ok().map(Reading::Exactly)
    })
}

fn read_line<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    reads(reader, "StreamReader.readline", || {
        (arguments.len() == 0).then(|| Reading::Until(Until::line(Line::Read)))
    })
}

fn read_next_line<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    reads(reader, "StreamReader.__anext__", || {
        (arguments.len() == 0).then(|| Reading::Until(Until::line(Line::Next)))
    })
}

fn read_until<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    reads(reader, "StreamReader.readuntil", || {
        let separators = match (arguments.len(), arguments.get(0)) {
            (0, _) => Vec::new(),
            (1, Some(separator)) => separators(&separator)?,
            _ => return None,
        };
        Some(Reading::Until(Until::separators(separators)))
    })
}

/// The separators that are meant, the shortest first; from Python 3.13 on there may be several.
fn separators(given: &Bound<'_, PyAny>) -> Option<Vec<Py<PyBytes>>> {
    let separator = |object: &Bound<'_, PyAny>| {
        let bytes = object.cast_exact::<PyBytes>().ok()?;
        (!bytes.as_bytes().is_empty()).then(|| bytes.clone().unbind())
    };
    let Ok(several) = given.cast_exact::<PyTuple>() else { return Some(vec![separator(given)?]) };
    if several.is_empty() || given.py().version_info() < (3, 13) {
        return None;
    }
    let mut separators: Vec<_> =
        several.iter().map(|each| separator(&each)).collect::<Option<_>>()?;
    separators.sort_by_key(|separator| separator.as_bytes(given.py()).len());
    Some(separators)
}

/// Does something with the state of a reader; the answer is `None` of Python's.
fn act<'py>(
    reader: &Bound<'py, PyAny>,
    act: impl FnOnce(&ReaderState) -> PyResult<()>,
) -> Answer<'py> {
    let Some(state) = state_of(reader) else { return Ok(None) };
    act(state.get())?;
    Ok(Some(reader.py().None().into_bound(reader.py())))
}

fn feed_data<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let (1, Some(data)) = (arguments.len(), arguments.get(0)) else { return Ok(None) };
    let Ok(data) = data.cast_exact::<PyBytes>() else { return Ok(None) };
    act(reader, |state| state.feed(&data))
}

fn feed_eof<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    if arguments.len() > 0 {
        return Ok(None);
    }
    act(reader, |state| state.feed_eof(reader.py()))
}

fn at_eof<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    let (0, Some(state)) = (arguments.len(), state_of(reader)) else { return Ok(None) };
    let state = state.get().state(py);
    let is_at_eof = state.is_eof.get() && state.received.borrow().len(py) == 0;
    Ok(Some(PyBool::new(py, is_at_eof).to_owned().into_any()))
}

fn exception<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = reader.py();
    let (0, Some(state)) = (arguments.len(), state_of(reader)) else { return Ok(None) };
    let exception = ReaderState::held(py, &state.get().state(py).exception);
    Ok(Some(exception.unwrap_or_else(|| py.None().into_bound(py))))
}

fn set_exception<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let (1, Some(exception)) = (arguments.len(), arguments.get(0)) else { return Ok(None) };
    act(reader, |state| state.fail(&exception))
}

fn set_transport<'py>(reader: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    exchange_transport(reader, arguments, false)
}

fn replace_transport<'py>(
    reader: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
) -> Answer<'py> {
    exchange_transport(reader, arguments, true)
}

/// Gives a reader a transport; where it must have had one, or must not, asyncio's method says so.
fn exchange_transport<'py>(
    reader: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
    replaces: bool,
) -> Answer<'py> {
    let (1, Some(new)) = (arguments.len(), arguments.get(0)) else { return Ok(None) };
    let Some(state) = state_of(reader) else { return Ok(None) };
    let transport = &state.get().state(reader.py()).transport;
    if transport.borrow().is_some() != replaces {
        return Ok(None);
    }
    act(reader, |_| {
        drop(transport.replace((!new.is_none()).then(|| new.to_owned().unbind())));
        Ok(())
    })
}
