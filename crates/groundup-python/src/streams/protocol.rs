//! The protocol of a stream: what asyncio's does, but for letting writers go on, and for the writer that
//! it makes when a connection is accepted.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::adoption::state_of;
use super::classes::Classes;
use super::coroutine::{self, Work};
use super::flow::Flow;
use super::native_method::{Answer, Arguments, NativeMethod};
use super::writer;
use crate::ffi;
use crate::gil::GilBound;

/// The methods.
pub static METHODS: [NativeMethod; 4] = [
    NativeMethod { name: "connection_made", parameter: "transport", body: connection_made },
    NativeMethod { name: "_drain_helper", parameter: "", body: drain_helper },
    NativeMethod { name: "__setattr__", parameter: "", body: set },
    NativeMethod { name: "__delattr__", parameter: "", body: set },
];

/// The methods of asyncio's class that the native ones and the transports go by.
pub const RELIED_ON: [&str; 3] = ["connection_made", "data_received", "_drain_helper"];

fn drain_helper<'py>(protocol: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let (0, Some(flow)) = (arguments.len(), Flow::of(protocol)) else { return Ok(None) };
    let work = Work::Unpause(protocol.clone().unbind(), flow.unbind());
    coroutine::new(protocol.py(), "FlowControlMixin._drain_helper", work).map(Some)
}

/// Has asyncio's method make the writer, and makes it one of the quick ones on its way to the callback.
fn connection_made<'py>(
    protocol: &Bound<'py, PyAny>,
    arguments: &Arguments<'_, 'py>,
) -> Answer<'py> {
    let py = protocol.py();
    let (1, Some(classes)) = (arguments.len(), Classes::get(py)?) else { return Ok(None) };
    let name = intern!(py, "_client_connected_cb");
    let callback = protocol.getattr(name)?;
    if !classes.protocol.is_of(protocol) || callback.is_none() {
        return Ok(None);
    }
    let (protocol_object, callback) = (protocol.clone().unbind(), callback.unbind());
    let meeting = Meeting {
        protocol: protocol_object,
        callback: callback.clone_ref(py),
        is_over: GilBound::default(),
    };
    let meeting = Bound::new(py, meeting)?;
    ffi::set_attribute(protocol, name, Some(&meeting))?;
    let method = classes.protocol.base(py).getattr(intern!(py, "connection_made"))?;
    let outcome = method.call1((protocol, arguments.get(0)));
    meeting.get().end(py)?;
    outcome.map(Some)
}

/// What asyncio's protocol calls in place of the callback, which gets the reader and the writer.
#[pyclass(frozen, module = "groundup._groundup")]
struct Meeting {
    protocol: Py<PyAny>,
    callback: Py<PyAny>,
    is_over: GilBound<std::cell::Cell<bool>>,
}

impl Meeting {
    /// Puts the callback back.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_over.get(py).replace(true) {
            return Ok(());
        }
        let name = intern!(py, "_client_connected_cb");
        ffi::set_attribute(self.protocol.bind(py), name, Some(self.callback.bind(py)))
    }
}

#[pymethods]
impl Meeting {
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        reader: &Bound<'py, PyAny>,
        writer: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        this.end(py)?;
        let callback = this.callback.bind(py);
        let Some(state) = state_of(reader) else { return callback.call1((reader, writer)) };
        let writer = writer::adopt(writer, reader, &state, this.protocol.bind(py), slf.as_any())?;
        callback.call1((reader, writer))
    }

    /// What a writer asks in its end, whose place another one has taken: it has nothing to close.
    fn is_closing(&self) -> bool {
        true
    }
}

/// Sets or deletes an attribute; a protocol whose methods are replaced becomes asyncio's again.
fn set<'py>(protocol: &Bound<'py, PyAny>, arguments: &Arguments<'_, 'py>) -> Answer<'py> {
    let py = protocol.py();
    let Some(name) = arguments.get(0) else { return Ok(None) };
    let Ok(name) = name.cast::<PyString>() else { return Ok(None) };
    let value = arguments.get(1);
    if is_relied_on(protocol, &name, value.as_deref())
        && let Some(classes) = Classes::get(py)?
        && classes.protocol.is_of(protocol)
    {
        classes.protocol.give_back(protocol)?;
    }
    ffi::set_attribute(protocol, &name, value.as_deref())?;
    Ok(Some(py.None().into_bound(py)))
}

/// Whether methods in Rust, or transports, go by an attribute, so that they cannot after it is set.
fn is_relied_on(
    protocol: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> bool {
    let py = protocol.py();
    let Ok(text) = name.to_str() else { return false };
    let is_noted = ["_paused", "_connection_lost", "_stream_reader_wr"].contains(&text);
    let flow = if is_noted { Flow::of(protocol) } else { None };
    match (text, flow, value) {
        ("_paused" | "_connection_lost", Some(flow), Some(value)) => {
            !flow.get().notice(name, value)
        }
        // Nothing arrives after that.
        ("_stream_reader_wr", Some(flow), Some(value)) if value.is_none() => {
            !flow.get().is_lost(py)
        }
        _ => is_noted || RELIED_ON.contains(&text),
    }
}
