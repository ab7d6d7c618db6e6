//! Sending files: by the kernel where it can, else by reading and writing.

use std::os::fd::RawFd;

use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyInt, PyMemoryView, PySlice};
use rustix::io::Errno;

use super::sockets::Socket;
use super::{EventLoop, STREAM};
use crate::native_coroutine::{self, Awaiter, NativeCoroutine};
use crate::transports::{FileSending, SendfileProtocol, StreamTransport};
use crate::{errors, ffi, imports};

/// How much one call of the kernel is asked to send, in bytes; it takes no more (sendfile(2)).
const MOST: u64 = 0x7fff_f000;

/// How much is read at once where the kernel cannot send, in bytes: asyncio's sizes for sockets and
/// for transports.
const SOCKET_BLOCK: u64 = 256 * 1024;
const TRANSPORT_BLOCK: u64 = 16 * 1024;

/// The part of a file that is to be sent, and how far that has come.
struct FileRange {
    file: RawFd,
    offset: u64,
    /// Absent means up to the end.
    count: Option<u64>,
    sent: u64,
}

impl FileRange {
    /// A part of a file that the kernel may be able to send.
    ///
    /// # Errors
    ///
    /// `SendfileNotAvailableError` when it is no file of the system's.
    fn new(py: Python<'_>, file: &Py<PyAny>, offset: u64, count: Option<u64>) -> PyResult<Self> {
        let descriptor = file.call_method0(py, "fileno").and_then(|number| number.extract(py));
        match descriptor {
            Ok(file) if rustix::fs::fstat(ffi::borrow_descriptor(file)).is_ok() => {
                Ok(Self { file, offset, count, sent: 0 })
            }
            _ => Err(not_available(py, "not a regular file")),
        }
    }

    fn left(&self) -> u64 {
        self.count.map_or(MOST, |count| count - self.sent).min(MOST)
    }

    /// Has the kernel send some of it; done when all is sent.
    fn send(&mut self, socket: RawFd) -> PyResult<bool> {
        if self.left() == 0 {
            return Ok(true);
        }
        let (socket, file) = (ffi::borrow_descriptor(socket), ffi::borrow_descriptor(self.file));
        let mut position = self.offset + self.sent;
        match rustix::fs::sendfile(socket, file, Some(&mut position), self.left() as usize) {
            Ok(0) => Ok(true),
            Ok(count) => {
                self.sent += count as u64;
                Ok(false)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(_) if self.sent == 0 => {
                Err(Python::attach(|py| not_available(py, "os.sendfile call failed")))
            }
            Err(Errno::NOTCONN) => Err(PyConnectionError::new_err((
                "socket is not connected",
                Errno::NOTCONN.raw_os_error(),
            ))),
            Err(error) => Err(errors::os_error(&error.into())),
        }
    }

    /// Moves the file's position behind what was sent, however it ended.
    fn settle(&self, outcome: PyResult<()>) -> PyResult<Py<PyAny>> {
        if self.sent > 0 {
            let position = rustix::fs::SeekFrom::Start(self.offset + self.sent);
            rustix::fs::seek(ffi::borrow_descriptor(self.file), position)
                .map_err(|error| errors::os_error(&error.into()))?;
        }
        outcome?;
        Python::attach(|py| Ok(self.sent.into_pyobject(py)?.into_any().unbind()))
    }
}

fn not_available(py: Python<'_>, message: &str) -> PyErr {
    match imports::sendfile_not_available(py).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn is_not_available(error: &PyErr) -> bool {
    Python::attach(|py| {
        let class = imports::sendfile_not_available(py);
        class.and_then(|class| error.value(py).is_instance(class)).unwrap_or(false)
    })
}

/// Has the kernel send a file over a socket.
async fn send_over_socket(
    awaiter: &Awaiter,
    socket: &Socket,
    range: &mut FileRange,
) -> PyResult<()> {
    loop {
        if range.send(socket.descriptor())? {
            return Ok(());
        }
        socket.wait_writable(awaiter).await?;
    }
}

/// Reads a file block by block, in the default executor, and hands each block on.
async fn copy_file(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    file: &Py<PyAny>,
    count: Option<u64>,
    block: u64,
    mut hand_on: impl AsyncFnMut(Py<PyAny>) -> PyResult<()>,
    sent: &mut u64,
) -> PyResult<()> {
    let buffer = Python::attach(|py| {
        let size = count.map_or(block, |count| count.min(block));
        let buffer = py.get_type::<PyByteArray>().call1((size,))?;
        PyResult::Ok(PyMemoryView::from(&buffer)?.unbind())
    })?;
    loop {
        let size = count.map_or(block, |count| (count - *sent).min(block));
        if size == 0 {
            return Ok(());
        }
        let reading = Python::attach(|py| {
            let view = buffer.bind(py).get_item(PySlice::new(py, 0, size as isize, 1))?;
            let job = (py.None(), file.getattr(py, "readinto")?, view);
            event_loop.bind(py).call_method1("run_in_executor", job).map(Bound::unbind)
        })?;
        let read = awaiter.wait(reading).await?;
        let Some(view) = Python::attach(|py| {
            let read: Option<isize> = read.extract(py)?;
            let read = read.unwrap_or(0);
            *sent += read as u64;
            let view = buffer.bind(py).get_item(PySlice::new(py, 0, read, 1))?;
            PyResult::Ok((read > 0).then(|| view.unbind()))
        })?
        else {
            return Ok(());
        };
        hand_on(view).await?;
    }
}

/// Moves a file's position behind what was copied of it, however that ended.
fn settle_copy(
    file: &Py<PyAny>,
    offset: u64,
    sent: u64,
    outcome: PyResult<()>,
) -> PyResult<Py<PyAny>> {
    Python::attach(|py| {
        if sent > 0 && file.bind(py).hasattr("seek")? {
            file.call_method1(py, "seek", (offset + sent,))?;
        }
        outcome?;
        Ok(sent.into_pyobject(py)?.into_any().unbind())
    })
}

/// Sends a file over a socket by reading and writing.
async fn copy_over_socket(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: &Py<PyAny>,
    file: &Py<PyAny>,
    offset: u64,
    count: Option<u64>,
) -> PyResult<Py<PyAny>> {
    if offset > 0 {
        Python::attach(|py| file.call_method1(py, "seek", (offset,)))?;
    }
    let mut sent = 0;
    let hand_on = async |block: Py<PyAny>| {
        let sending = Python::attach(|py| {
            let arguments = (socket, block);
            event_loop.bind(py).call_method1("sock_sendall", arguments).map(Bound::unbind)
        })?;
        awaiter.wait(sending).await.map(drop)
    };
    let outcome =
        copy_file(awaiter, event_loop, file, count, SOCKET_BLOCK, hand_on, &mut sent).await;
    settle_copy(file, offset, sent, outcome)
}

/// Sends a file over a transport by reading and writing.
async fn copy_over_transport(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    transport: &Py<PyAny>,
    file: &Py<PyAny>,
    offset: u64,
    count: Option<u64>,
) -> PyResult<Py<PyAny>> {
    let protocol = Python::attach(|py| {
        if offset > 0 {
            file.call_method1(py, "seek", (offset,))?;
        }
        SendfileProtocol::begin(event_loop.bind(py), transport.bind(py)).map(Bound::unbind)
    })?;
    let mut sent = 0;
    let hand_on = async |block: Py<PyAny>| {
        if let Some(room) = Python::attach(|py| protocol.get().room(py))? {
            awaiter.wait(room).await?;
        }
        Python::attach(|py| transport.call_method1(py, intern!(py, "write"), (block,)).map(drop))
    };
    let outcome =
        copy_file(awaiter, event_loop, file, count, TRANSPORT_BLOCK, hand_on, &mut sent).await;
    let outcome = settle_copy(file, offset, sent, outcome);
    Python::attach(|py| SendfileProtocol::restore(protocol.bind(py)))?;
    outcome
}

/// Has the kernel send a file over a stream, whose own bytes go first.
async fn send_over_stream(
    awaiter: &Awaiter,
    stream: &Py<StreamTransport>,
    file: &Py<PyAny>,
    offset: u64,
    count: Option<u64>,
) -> PyResult<Py<PyAny>> {
    let mut range = Python::attach(|py| FileRange::new(py, file, offset, count))?;
    let sending = Python::attach(|py| FileSending::begin(stream.bind(py)))?;
    let outcome = async {
        while !sending.is_drained() {
            sending.wait(awaiter).await?;
        }
        while !range.send(sending.descriptor())? {
            sending.wait(awaiter).await?;
        }
        Ok(())
    }
    .await;
    range.settle(outcome)
}

/// Checks what is to be sent; gives the offset, and the count if there is one.
///
/// # Errors
///
/// `ValueError` or `TypeError`, as asyncio's.
fn check_file(
    file: &Bound<'_, PyAny>,
    offset: Option<Py<PyAny>>,
    count: Option<Py<PyAny>>,
) -> PyResult<(u64, Option<u64>)> {
    let py = file.py();
    if let Some(mode) = file.getattr_opt(intern!(py, "mode"))?
        && !mode.contains("b")?
    {
        return Err(PyValueError::new_err("file should be opened in binary mode"));
    }
    let count = count.map(|count| positive(count.bind(py))).transpose()?;
    let offset = offset.map_or(Ok(0), |offset| not_negative(offset.bind(py)))?;
    Ok((offset, count))
}

fn positive(count: &Bound<'_, PyAny>) -> PyResult<u64> {
    let message = format!("count must be a positive integer (got {})", count.repr()?);
    if !count.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(message));
    }
    if count.le(0)? { Err(PyValueError::new_err(message)) } else { count.extract() }
}

fn not_negative(offset: &Bound<'_, PyAny>) -> PyResult<u64> {
    let message = format!("offset must be a non-negative integer (got {})", offset.repr()?);
    if !offset.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(message));
    }
    if offset.lt(0)? { Err(PyValueError::new_err(message)) } else { offset.extract() }
}

#[pymethods]
impl EventLoop {
    /// Send a file, opened in binary mode, over a transport; return how many bytes were sent.
    ///
    /// The file is sent from offset on, up to count bytes or its end, and its position is moved
    /// behind what was sent. Where the kernel cannot send it (over TLS, for example), it is read and
    /// written, or with fallback=False asyncio.SendfileNotAvailableError or RuntimeError is raised.
    #[pyo3(signature = (transport, file, offset=None, count=None, *, fallback=true))]
    fn sendfile(
        slf: &Bound<'_, Self>,
        transport: Py<PyAny>,
        file: Py<PyAny>,
        offset: Option<Py<PyAny>>,
        count: Option<Py<PyAny>>,
        fallback: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sendfile", async move |awaiter| {
            let (stream, (offset, count)) = Python::attach(|py| {
                let stream = check_transport(transport.bind(py))?;
                PyResult::Ok((stream, check_file(file.bind(py), offset, count)?))
            })?;
            if let Some(stream) = stream {
                match send_over_stream(&awaiter, &stream, &file, offset, count).await {
                    Err(error) if fallback && is_not_available(&error) => {}
                    outcome => return outcome,
                }
            }
            if !fallback {
                let repr = Python::attach(|py| transport.bind(py).repr().map(|r| r.to_string()))?;
                return Err(PyRuntimeError::new_err(format!(
                    "fallback is disabled and native sendfile is not supported for transport {repr}"
                )));
            }
            copy_over_transport(&awaiter, &event_loop, &transport, &file, offset, count).await
        })
    }

    /// Send a file, opened in binary mode, over a non-blocking stream socket; return how many bytes were
    /// sent. What is sent, and fallback, are as in sendfile().
    #[pyo3(signature = (sock, file, offset=None, count=None, *, fallback=true))]
    fn sock_sendfile(
        slf: &Bound<'_, Self>,
        sock: Py<PyAny>,
        file: Py<PyAny>,
        offset: Option<Py<PyAny>>,
        count: Option<Py<PyAny>>,
        fallback: bool,
    ) -> PyResult<Py<NativeCoroutine>> {
        let (py, event_loop) = (slf.py(), slf.clone().unbind());
        native_coroutine::new(py, "EventLoop.sock_sendfile", async move |awaiter| {
            let socket = Socket::check(&event_loop, &sock)?;
            let (offset, count) = Python::attach(|py| {
                check_stream(sock.bind(py))?;
                check_file(file.bind(py), offset, count)
            })?;
            let range = Python::attach(|py| FileRange::new(py, &file, offset, count));
            let outcome = match range {
                Ok(mut range) => {
                    let outcome = send_over_socket(&awaiter, &socket, &mut range).await;
                    range.settle(outcome)
                }
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if fallback && is_not_available(&error) => {
                    copy_over_socket(&awaiter, &event_loop, &sock, &file, offset, count).await
                }
                outcome => outcome,
            }
        })
    }
}

fn check_stream(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    if socket.getattr("type")?.extract::<i32>()? != STREAM {
        return Err(PyValueError::new_err("only SOCK_STREAM type sockets are supported"));
    }
    Ok(())
}

/// The stream whose socket the kernel can send over, if the transport is one.
///
/// # Errors
///
/// `RuntimeError` when the transport is closing, or takes no files at all.
fn check_transport(transport: &Bound<'_, PyAny>) -> PyResult<Option<Py<StreamTransport>>> {
    let py = transport.py();
    if transport.call_method0(intern!(py, "is_closing"))?.is_truthy()? {
        return Err(PyRuntimeError::new_err("Transport is closing"));
    }
    if let Ok(stream) = transport.cast::<StreamTransport>() {
        return Ok(Some(stream.clone().unbind()));
    }
    let mode = transport.getattr_opt(intern!(py, "_sendfile_compatible"))?;
    if mode.map_or(Ok(true), |mode| mode.eq(imports::sendfile_mode(py)?.getattr("UNSUPPORTED")?))? {
        let repr = transport.repr()?;
        let message = format!("sendfile is not supported for transport {repr}");
        return Err(PyRuntimeError::new_err(message));
    }
    Ok(None)
}
