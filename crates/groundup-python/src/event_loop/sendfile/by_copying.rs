//! Files that the kernel cannot send: they are read, in the default executor, and written.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyMemoryView, PySlice};

use super::part::Part;
use crate::event_loop::EventLoop;
use crate::native_coroutine::Awaiter;
use crate::transports::SendfileProtocol;

/// How much is read at once, in bytes: asyncio's sizes for sockets and for transports.
const SOCKET_BLOCK: u64 = 256 * 1024;
const TRANSPORT_BLOCK: u64 = 16 * 1024;

/// Where the bytes go.
trait Sink {
    /// Takes a memoryview, whose bytes will change when this is done.
    async fn take(&self, awaiter: &Awaiter, view: Py<PyAny>) -> PyResult<()>;
}

struct SocketSink<'a> {
    event_loop: &'a Py<EventLoop>,
    socket: &'a Py<PyAny>,
}

impl Sink for SocketSink<'_> {
    async fn take(&self, awaiter: &Awaiter, view: Py<PyAny>) -> PyResult<()> {
        let sending = Python::attach(|py| {
            let event_loop = self.event_loop.bind(py);
            event_loop.call_method1("sock_sendall", (self.socket, view)).map(Bound::unbind)
        })?;
        awaiter.wait(sending).await.map(drop)
    }
}

struct TransportSink<'a> {
    transport: &'a Py<PyAny>,
    protocol: Py<SendfileProtocol>,
}

impl Sink for TransportSink<'_> {
    async fn take(&self, awaiter: &Awaiter, view: Py<PyAny>) -> PyResult<()> {
        if let Some(room) = Python::attach(|py| self.protocol.get().room(py))? {
            awaiter.wait(room).await?;
        }
        Python::attach(|py| {
            self.transport.call_method1(py, intern!(py, "write"), (view,)).map(drop)
        })
    }
}

/// A copy on its way.
struct Copy<'a> {
    event_loop: &'a Py<EventLoop>,
    part: &'a Part,
    block: u64,
    buffer: Py<PyMemoryView>,
    sent: u64,
}

impl<'a> Copy<'a> {
    fn begin(event_loop: &'a Py<EventLoop>, part: &'a Part, block: u64) -> PyResult<Self> {
        Python::attach(|py| {
            go_to(part.file.bind(py), part.offset)?;
            let buffer = py.get_type::<PyByteArray>().call1((part.left(0, block),))?;
            let buffer = PyMemoryView::from(&buffer)?.unbind();
            Ok(Self { event_loop, part, block, buffer, sent: 0 })
        })
    }

    /// Copies all, and moves the file's position behind what was copied, however that ended.
    async fn run(mut self, awaiter: &Awaiter, sink: &impl Sink) -> PyResult<u64> {
        let outcome = self.copy(awaiter, sink).await;
        Python::attach(|py| {
            if self.sent > 0 {
                go_to(self.part.file.bind(py), self.part.offset + self.sent)?;
            }
            outcome.map(|()| self.sent)
        })
    }

    async fn copy(&mut self, awaiter: &Awaiter, sink: &impl Sink) -> PyResult<()> {
        while let Some(block) = self.read(awaiter).await? {
            sink.take(awaiter, block).await?;
        }
        Ok(())
    }

    /// The next block; none at the end.
    async fn read(&mut self, awaiter: &Awaiter) -> PyResult<Option<Py<PyAny>>> {
        let size = self.part.left(self.sent, self.block);
        if size == 0 {
            return Ok(None);
        }
        let reading = Python::attach(|py| {
            let readinto = self.part.file.getattr(py, "readinto")?;
            let job = (py.None(), readinto, self.view(py, size)?);
            self.event_loop.bind(py).call_method1("run_in_executor", job).map(Bound::unbind)
        })?;
        let count = awaiter.wait(reading).await?;
        Python::attach(|py| {
            let count = count.extract::<Option<u64>>(py)?.unwrap_or(0);
            self.sent += count;
            if count > 0 { self.view(py, count).map(Some) } else { Ok(None) }
        })
    }

    fn view(&self, py: Python<'_>, size: u64) -> PyResult<Py<PyAny>> {
        let slice = PySlice::new(py, 0, size as isize, 1);
        self.buffer.bind(py).get_item(slice).map(Bound::unbind)
    }
}

/// Moves a file's position, if it has one.
fn go_to(file: &Bound<'_, PyAny>, position: u64) -> PyResult<()> {
    if file.hasattr("seek")? { file.call_method1("seek", (position,)).map(drop) } else { Ok(()) }
}

/// Sends a file over a socket; gives how many bytes were sent.
///
/// # Errors
///
/// What reading and `sock_sendall` raise.
pub(super) async fn over_socket(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    socket: &Py<PyAny>,
    part: &Part,
) -> PyResult<u64> {
    let copy = Copy::begin(event_loop, part, SOCKET_BLOCK)?;
    copy.run(awaiter, &SocketSink { event_loop, socket }).await
}

/// Sends a file over a transport; gives how many bytes were sent.
///
/// # Errors
///
/// What reading and the transport raise.
pub(super) async fn over_transport(
    awaiter: &Awaiter,
    event_loop: &Py<EventLoop>,
    transport: &Py<PyAny>,
    part: &Part,
) -> PyResult<u64> {
    let copy = Copy::begin(event_loop, part, TRANSPORT_BLOCK)?;
    let protocol = Python::attach(|py| {
        SendfileProtocol::begin(event_loop.bind(py), transport.bind(py)).map(Bound::unbind)
    })?;
    let sink = TransportSink { transport, protocol };
    let outcome = copy.run(awaiter, &sink).await;
    Python::attach(|py| SendfileProtocol::restore(sink.protocol.bind(py)))?;
    outcome
}
