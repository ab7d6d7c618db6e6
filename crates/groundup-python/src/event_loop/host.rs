//! What runs on the loop: tasks, handles, transports and listeners.

use std::io;
use std::ptr;

use groundup::event_loop::{Held, Host};
use groundup::poller::Readiness;
use groundup::recorder::TaskId;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::descriptors::Watchers;
use super::signals;
use super::{EventLoop, prefetching};
use crate::errors::RunError;
use crate::handle::Handle;
use crate::tasks::{Awakening, DoneCallback, Task};
use crate::thread_safe_handle::ThreadSafeHandle;
use crate::transports::{DatagramTransport, Listener, Step, StreamTransport};

/// asyncio as a host of the crate's event loop.
pub struct Asyncio;

/// What stands on the loop's ready queue.
#[derive(Clone)]
pub enum Ready {
    /// A task that is to take a step: it begins, or has let others go first.
    Step(Py<Task>),
    /// A task whose wait is over.
    Wake(Py<Task>),
    /// A callback of a future that is done.
    Done(Box<DoneCallback>),
    /// A callback to be called.
    Handle(Py<Handle>),
    /// A callback that another thread may cancel.
    ThreadSafe(Py<ThreadSafeHandle>),
    /// A callback that may be called again: a signal's, or one that was put on the queue by hand.
    Repeatable(Py<Handle>),
    /// A handle of asyncio's own, or what behaves as one, that was put on the queue by hand.
    Foreign(Py<PyAny>),
    /// A stream whose protocol is to hear of the connection.
    Opened(Py<StreamTransport>),
    /// A stream whose protocol is to hear of the loss of the connection.
    Lost(Py<StreamTransport>),
    /// A datagram transport that is to take a step.
    Datagram(Py<DatagramTransport>, Step),
}

/// What watches a descriptor.
#[derive(Clone)]
pub enum Source {
    /// The callbacks of add_reader and add_writer, and who waits in a sock_ method.
    Watchers(Py<Watchers>),
    /// A stream transport.
    Stream(Py<StreamTransport>),
    /// A datagram transport.
    Datagram(Py<DatagramTransport>),
    /// A listening socket of a server.
    Listener(Py<Listener>),
    /// The reading end of the pair that signals are reported through.
    Signals,
}

impl Host for Asyncio {
    type Task = Ready;
    type Source = Source;
    type Error = RunError;
    type Scope<'a> = &'a Bound<'a, EventLoop>;

    #[inline]
    fn task_id(ready: &Ready) -> TaskId {
        let object = match ready {
            Ready::Step(task) | Ready::Wake(task) => return TaskId(task.as_ptr().addr() as u64),
            Ready::Handle(handle) | Ready::Repeatable(handle) => handle.as_ptr(),
            Ready::Foreign(handle) => handle.as_ptr(),
            // A future may have several.
            Ready::Done(callback) => return callback_id(ptr::from_ref(callback.as_ref())),
            Ready::ThreadSafe(handle) => handle.as_ptr(),
            Ready::Opened(stream) | Ready::Lost(stream) => stream.as_ptr(),
            Ready::Datagram(transport, _) => transport.as_ptr(),
        };
        callback_id(object)
    }

    #[inline(always)]
    fn prefetch(event_loop: &Bound<'_, EventLoop>, ready: &Ready, links: usize) {
        prefetching::prefetch(event_loop.py(), ready, links);
    }

    #[inline(always)]
    fn prefetch_source(event_loop: &Bound<'_, EventLoop>, source: &Source, links: usize) {
        prefetching::prefetch_source(event_loop.py(), source, links);
    }

    #[inline(always)]
    fn resume(event_loop: &Bound<'_, EventLoop>, ready: Ready) -> Result<(), RunError> {
        if event_loop.get().is_recorded(event_loop.py()) {
            return go_on_recorded(event_loop, ready);
        }
        go_on(event_loop, ready)
    }

    fn dispatch(
        event_loop: &Bound<'_, EventLoop>,
        source: Source,
        readiness: Readiness,
    ) -> Result<(), RunError> {
        match event_loop.get().narrator(event_loop.py()) {
            None => dispatch_to(event_loop, source, readiness),
            Some(narrator) => narrator.watch(|| dispatch_to(event_loop, source, readiness)),
        }
    }

    /// A signal that came while no Python code ran has been noted, and would wake nobody any more.
    fn before_sleep(event_loop: &Bound<'_, EventLoop>) -> Result<(), RunError> {
        EventLoop::leave_task(event_loop);
        Ok(event_loop.py().check_signals()?)
    }

    fn sleep(
        event_loop: &Bound<'_, EventLoop>,
        poll: impl FnOnce() -> io::Result<()> + Send,
    ) -> io::Result<()> {
        EventLoop::leave_task(event_loop);
        event_loop.py().detach(poll)
    }

    fn polled(event_loop: &Bound<'_, EventLoop>) -> Result<(), RunError> {
        EventLoop::leave_task(event_loop);
        Ok(event_loop.py().check_signals()?)
    }

    #[inline(always)]
    fn end_turn(event_loop: &Bound<'_, EventLoop>) {
        let (py, this) = (event_loop.py(), event_loop.get());
        if this.was_written_to(py) {
            flush(event_loop);
        }
        if this.is_recorded(py) {
            tell_end_of_turn(event_loop);
        }
    }
}

#[inline(never)]
fn flush(event_loop: &Bound<'_, EventLoop>) {
    EventLoop::leave_task(event_loop);
    event_loop.get().flush_written(event_loop.py());
}

#[cold]
fn tell_end_of_turn(event_loop: &Bound<'_, EventLoop>) {
    if let Some(narrator) = event_loop.get().narrator(event_loop.py()) {
        narrator.end_turn(event_loop.as_any());
        EventLoop::report_late(event_loop, &narrator);
    }
}

fn callback_id<T>(address: *const T) -> TaskId {
    TaskId::of_callback(address.addr() as u64)
}

/// Resumes what is ready, and tells of it.
#[cold]
fn go_on_recorded(event_loop: &Bound<'_, EventLoop>, ready: Ready) -> Result<(), RunError> {
    match event_loop.get().narrator(event_loop.py()) {
        None => go_on(event_loop, ready),
        Some(narrator) => narrator.resume(event_loop, ready, |ready| go_on(event_loop, ready)),
    }
}

/// Resumes what is ready.
#[inline(always)]
fn go_on(event_loop: &Bound<'_, EventLoop>, ready: Ready) -> Result<(), RunError> {
    let py = event_loop.py();
    // A handle does so by itself, unless nobody can look while it runs.
    if !matches!(ready, Ready::Step(_) | Ready::Wake(_) | Ready::Handle(_)) {
        EventLoop::leave_task(event_loop);
    }
    match ready {
        Ready::Step(task) => {
            EventLoop::resume_task(event_loop, &task.into_bound(py), Awakening::Step)?;
        }
        Ready::Wake(task) => {
            EventLoop::resume_task(event_loop, &task.into_bound(py), Awakening::Waited)?;
        }
        Ready::Done(callback) => EventLoop::make_callback(event_loop, *callback)?,
        Ready::Handle(handle) => Handle::run_once(handle.into_bound(py))?,
        Ready::ThreadSafe(handle) => ThreadSafeHandle::run_once(handle.into_bound(py))?,
        Ready::Repeatable(handle) => Handle::run(handle.bind(py))?,
        Ready::Foreign(handle) => run_foreign(handle.bind(py))?,
        Ready::Opened(stream) => StreamTransport::open(stream.bind(py))?,
        Ready::Lost(stream) => StreamTransport::finish(stream.bind(py))?,
        Ready::Datagram(transport, step) => {
            DatagramTransport::take_step(transport.bind(py), step)?;
        }
    }
    Ok(())
}

/// Tells a source that its descriptor is ready.
#[inline]
fn dispatch_to(
    event_loop: &Bound<'_, EventLoop>,
    source: Source,
    readiness: Readiness,
) -> Result<(), RunError> {
    let py = event_loop.py();
    EventLoop::leave_task(event_loop);
    match source {
        Source::Stream(stream) => {
            StreamTransport::dispatch(&stream.into_bound(py), readiness)?;
        }
        Source::Datagram(transport) => {
            DatagramTransport::dispatch(&transport.into_bound(py), readiness)?;
        }
        Source::Listener(listener) => Listener::accept(listener.bind(py))?,
        Source::Watchers(watchers) => {
            Watchers::dispatch(event_loop, watchers.get(), readiness)?;
        }
        Source::Signals => signals::dispatch(event_loop)?,
    }
    Ok(())
}

#[cold]
fn run_foreign(handle: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = handle.py();
    if handle.getattr(intern!(py, "_cancelled"))?.is_truthy()? {
        return Ok(());
    }
    handle.call_method0(intern!(py, "_run")).map(drop)
}

/// Gives a future an exception, or `None`, unless it is done, which it may be by cancellation.
pub fn settle_unless_done(
    future: &Bound<'_, PyAny>,
    exception: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match exception {
        Some(exception) => future.call_method1(intern!(py, "set_exception"), (exception,)),
        None => future.call_method1(intern!(py, "set_result"), (py.None(),)),
    }
    .map(drop)
}

/// Shows the garbage collector what the loop holds.
pub fn traverse(held: Held<'_, Asyncio>, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
    match held {
        Held::Task(Ready::Step(task) | Ready::Wake(task)) => visit.call(task),
        Held::Task(Ready::Handle(handle) | Ready::Repeatable(handle)) => visit.call(handle),
        Held::Task(Ready::Foreign(handle)) => visit.call(handle),
        Held::Task(Ready::Done(callback)) => callback.traverse(visit),
        Held::Task(Ready::ThreadSafe(handle)) => visit.call(handle),
        Held::Task(Ready::Opened(stream) | Ready::Lost(stream))
        | Held::Source(Source::Stream(stream)) => visit.call(stream),
        Held::Task(Ready::Datagram(transport, _)) | Held::Source(Source::Datagram(transport)) => {
            visit.call(transport)
        }
        Held::Source(Source::Listener(listener)) => visit.call(listener),
        Held::Source(Source::Watchers(watchers)) => visit.call(watchers),
        Held::Source(Source::Signals) => Ok(()),
    }
}
