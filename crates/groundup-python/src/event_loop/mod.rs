//! The asyncio event loop object.
//!
//! [`EventLoop`] holds the crate's loop and what asyncio asks for beyond it, one part to a file; each
//! file also has the Python methods that are about its part. What runs on the loop is in `host.rs`.

mod adopting;
mod asyncgens;
mod attempts;
mod connecting;
mod connecting_sockets;
mod datagram_candidates;
mod datagram_sending;
mod datagram_sockets;
mod datagrams;
mod debugging;
mod descriptors;
mod exceptions;
mod executor;
mod host;
mod one_shot_handle;
mod pipes;
mod prefetching;
mod program;
mod quick_scheduling;
mod ready_handles;
mod recorded;
mod replaced;
mod resolver;
mod running;
mod scheduling;
mod selector;
mod sendfile;
mod serving;
mod signals;
mod socket;
mod socket_operation;
mod socket_waits;
mod sockets;
mod subprocesses;
mod task_factory;
mod tasks;
mod tls;
mod turn_parts;
mod unix;

use std::cell::{Cell, RefCell};

use groundup::clock::Monotonic;
use groundup::poller::Epoll;
use groundup::recorder::Switch;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyDict, PyTuple, PyType};

pub use descriptors::{Watcher, descriptor_of};
pub use host::{Asyncio, Ready, Source, settle_unless_done};
pub use ready_handles::ReadyHandles;

use crate::errors;
use crate::gil::GilBound;
use crate::recording::Flight;
use crate::spare_bytes::SpareBytes;
use crate::tasks::CurrentTask;
use crate::transports::{Senders, Session, StreamTransport};

/// The crate's loop, resuming what asyncio puts on it.
pub type Core = groundup::event_loop::EventLoop<Asyncio, Epoll, Monotonic, Switch<Flight>>;

/// The type of sockets that streams go over, as Python numbers it.
const STREAM: i32 = rustix::net::SocketType::STREAM.as_raw() as i32;

/// The type of sockets that datagrams go over, as Python numbers it.
const DATAGRAM: i32 = rustix::net::SocketType::DGRAM.as_raw() as i32;

/// How long the buffer is that is received into, in bytes: as long as asyncio's longest datagram.
pub const SCRATCH_SIZE: usize = 256 * 1024;

/// How much one read of a stream can take, in bytes: no more than a stream's reader takes without pausing, and
/// little enough to stay in a core's cache. Not a power of two: over the loopback interface the kernel sends that as
/// packets of 65,483 bytes and a tiny one, and a program that passes such pieces on pays half as much again.
pub const READ_SIZE: usize = 128_000;

/// An asyncio event loop.
#[pyclass(frozen, subclass, module = "groundup._groundup")]
pub struct EventLoop {
    core: GilBound<Core>,
    parts: GilBound<Parts>,
}

/// What asyncio's loop has beyond the crate's.
struct Parts {
    running: running::Running,
    debugging: debugging::Debugging,
    exceptions: exceptions::ExceptionHandler,
    task_factory: task_factory::TaskFactory,
    current_task: CurrentTask,
    executor: executor::DefaultExecutor,
    asyncgens: asyncgens::AsyncGenerators,
    signals: signals::Signals,
    replaced: replaced::Replaced,
    resolution: turn_parts::Resolution,
    /// Made when somebody asks for it.
    selector: PyOnceLock<Py<selector::Selector>>,
    /// What somebody has put in its place.
    other_selector: RefCell<Option<Py<PyAny>>>,
    /// Streams that were written to in this turn.
    written: RefCell<Vec<Py<StreamTransport>>>,
    /// Has room for those of the next turn.
    flushed: Cell<Vec<Py<StreamTransport>>>,
    /// Where streams read to, before the bytes have their exact size.
    scratch: RefCell<Box<[u8]>>,
    /// What was read or written before, and has room for what is read next.
    spares: SpareBytes,
    /// How much sock_recv has received last, in bytes.
    expected: Cell<usize>,
    /// Whom sock_recvfrom has heard of.
    senders: Senders,
    recording: recorded::Recorded,
    /// Where TLS sessions decrypt to, one record at a time.
    record: PyOnceLock<Py<PyByteArray>>,
}

impl EventLoop {
    /// The crate's loop.
    pub fn core<'a>(&'a self, py: Python<'a>) -> &'a Core {
        self.core.get(py)
    }

    fn parts<'a>(&'a self, py: Python<'a>) -> &'a Parts {
        self.parts.get(py)
    }

    /// Calls `read` with the buffer that all streams read to.
    pub fn with_scratch<T>(&self, py: Python<'_>, read: impl FnOnce(&mut [u8]) -> T) -> T {
        read(&mut self.parts(py).scratch.borrow_mut())
    }

    /// The bytes objects that are kept to be filled again.
    pub fn spares<'a>(&'a self, py: Python<'a>) -> &'a SpareBytes {
        &self.parts(py).spares
    }

    /// How much sock_recv has received last, in bytes: as much is expected next.
    pub fn expected<'a>(&'a self, py: Python<'a>) -> &'a Cell<usize> {
        &self.parts(py).expected
    }

    /// Whom sock_recvfrom has heard of.
    pub fn senders<'a>(&'a self, py: Python<'a>) -> &'a Senders {
        &self.parts(py).senders
    }

    /// The buffer that all TLS sessions decrypt to.
    pub fn record_buffer(&self, py: Python<'_>) -> Py<PyByteArray> {
        self.parts(py).record.get_or_init(py, || Session::record_buffer(py)).clone_ref(py)
    }

    /// Flushes a stream at the end of this turn.
    pub fn flush_later(&self, py: Python<'_>, stream: Py<StreamTransport>) {
        self.parts(py).written.borrow_mut().push(stream);
    }

    /// Whether streams are to be flushed at the end of this turn.
    #[inline]
    fn was_written_to(&self, py: Python<'_>) -> bool {
        !self.parts(py).written.borrow().is_empty()
    }

    #[inline]
    fn flush_written(&self, py: Python<'_>) {
        let parts = self.parts(py);
        while !parts.written.borrow().is_empty() {
            // Two lists in turn, so that neither is made anew.
            let mut written = parts.written.replace(parts.flushed.take());
            // Who has been written to may answer.
            self.core(py).expect_event();
            for stream in written.drain(..) {
                StreamTransport::flush_written(&stream.into_bound(py));
            }
            parts.flushed.replace(written);
        }
    }

    /// Says that the loop is closed, if it is.
    pub fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        if self.parts(py).running.is_closed() { Err(errors::closed_loop()) } else { Ok(()) }
    }
}

/// Says that the class takes no arguments, unless a subclass has an `__init__` of its own for them.
fn check_init(class: &Bound<'_, PyType>) -> PyResult<()> {
    let inherited = class.py().get_type::<PyAny>().getattr("__init__")?;
    if class.getattr("__init__")?.is(&inherited) {
        let name = class.name()?;
        return Err(PyTypeError::new_err(format!("{name}() takes no arguments")));
    }
    Ok(())
}

#[pymethods]
impl EventLoop {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*args, **keywords))]
    fn new(
        class: &Bound<'_, PyType>,
        args: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = class.py();
        if !args.is_empty() || keywords.is_some() {
            check_init(class)?;
        }
        let poller = Epoll::new().map_err(|error| errors::os_error(&error))?;
        let core = Core::with_parts(poller, Monotonic, Switch::default());
        let parts = Parts {
            running: running::Running::default(),
            debugging: debugging::Debugging::new(py)?,
            exceptions: exceptions::ExceptionHandler::default(),
            task_factory: task_factory::TaskFactory::default(),
            current_task: CurrentTask::default(),
            executor: executor::DefaultExecutor::default(),
            asyncgens: asyncgens::AsyncGenerators::new(py)?,
            signals: signals::Signals::new(py),
            replaced: replaced::Replaced::default(),
            resolution: turn_parts::Resolution::default(),
            selector: PyOnceLock::new(),
            other_selector: RefCell::default(),
            written: RefCell::default(),
            flushed: Cell::default(),
            scratch: RefCell::new(vec![0; SCRATCH_SIZE].into_boxed_slice()),
            spares: SpareBytes::default(),
            expected: Cell::default(),
            senders: Senders::default(),
            record: PyOnceLock::new(),
            recording: recorded::Recorded::default(),
        };
        parts.replaced.look_up(class, false)?;
        Ok(Self { core: GilBound::new(core), parts: GilBound::new(parts) })
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (py, this) = (slf.py(), slf.get());
        let name = slf.get_type().name()?;
        let word = |value| if value { "True" } else { "False" };
        let running = word(this.parts(py).running.is_running());
        let closed = word(this.parts(py).running.is_closed());
        let debug = word(this.is_debug(py));
        Ok(format!("<{name} running={running} closed={closed} debug={debug}>"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let parts = self.parts.visit();
        parts.exceptions.traverse(visit)?;
        parts.task_factory.traverse(visit)?;
        parts.executor.traverse(visit)?;
        parts.asyncgens.traverse(visit)?;
        parts.signals.traverse(visit)?;
        parts.recording.traverse(visit)?;
        parts.other_selector.try_borrow().map_or(Ok(()), |selector| visit.call(&*selector))?;
        let mut outcome = Ok(());
        self.core.visit().for_each(|held| {
            if outcome.is_ok() {
                outcome = host::traverse(held, visit);
            }
        });
        outcome
    }

    fn __clear__(&self) {
        let parts = self.parts.visit();
        self.core.visit().clear();
        parts.exceptions.clear();
        parts.task_factory.clear();
        parts.executor.clear();
        drop(parts.other_selector.take());
        parts.recording.clear();
    }
}
