//! Connecting protocols to pipes.

use pyo3::prelude::*;

use super::EventLoop;
use crate::imports;
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{ReadPipeTransport, WritePipeTransport};

/// Makes the transport of one end: of the loop, a file, a protocol, and a future for when it has begun.
type Begin = for<'py> fn(
    &Bound<'py, EventLoop>,
    &Bound<'py, PyAny>,
    &Bound<'py, PyAny>,
    &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>>;

/// Makes a transport of a file, and waits until its protocol has heard of it.
async fn connect(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    protocol_factory: &Py<PyAny>,
    pipe: &Py<PyAny>,
    (kind, begin): (&str, Begin),
) -> PyResult<Py<PyAny>> {
    let (transport, protocol, waiter) = Python::attach(|py| {
        let event_loop = event_loop.bind(py);
        let protocol = protocol_factory.bind(py).call0()?;
        let waiter = EventLoop::create_future(event_loop)?;
        let transport = begin(event_loop, pipe.bind(py), &protocol, &waiter)?;
        PyResult::Ok((transport.unbind(), protocol.unbind(), waiter.unbind()))
    })?;
    let outcome = awaiter.wait(waiter).await;
    Python::attach(|py| {
        if let Err(error) = outcome {
            transport.call_method0(py, "close")?;
            return Err(error);
        }
        if event_loop.get().is_debug(py) {
            let format = format!("{kind} pipe %r connected: (%r, %r)");
            let descriptor = pipe.call_method0(py, "fileno")?;
            let args = (format, descriptor, &transport, &protocol);
            imports::logger(py)?.call_method1("debug", args)?;
        }
        Ok((transport, protocol).into_pyobject(py)?.into_any().unbind())
    })
}

#[pymethods]
impl EventLoop {
    /// Read from a pipe; return the transport and the protocol that the factory made.
    ///
    /// The pipe is a file object over a pipe, a FIFO, a socket or a character device; it no longer
    /// blocks from here on, and is closed with the transport. Raise ValueError if it is something
    /// else.
    fn connect_read_pipe(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        pipe: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.connect_read_pipe", async move |awaiter| {
            let end: (_, Begin) = ("Read", ReadPipeTransport::begin);
            connect(&awaiter, &event_loop, &protocol_factory, &pipe, end).await
        })
    }

    /// Write to a pipe; return the transport and the protocol that the factory made.
    ///
    /// The pipe is as in connect_read_pipe().
    fn connect_write_pipe(
        slf: &Bound<'_, Self>,
        protocol_factory: Py<PyAny>,
        pipe: Py<PyAny>,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.connect_write_pipe", async move |awaiter| {
            let end: (_, Begin) = ("Write", WritePipeTransport::begin);
            connect(&awaiter, &event_loop, &protocol_factory, &pipe, end).await
        })
    }
}
