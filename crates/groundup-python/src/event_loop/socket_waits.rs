//! Waiting inside sock_ methods: sockets stay registered between one wait and the next.
//!
//! A registration that is kept reports changes only, so that one that nobody waits for costs little,
//! and whoever waits has been refused by the system before. It belongs to one socket object: a number
//! that has got another owner is registered anew.

use std::cell::Cell;
use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::descriptors::{Watcher, Watchers};
use super::socket::Socket;
use super::{EventLoop, Source};
use crate::tasks::Future;
use crate::{errors, ffi, imports};

/// Whose registration is kept.
pub struct Kept {
    /// A weak reference to the socket.
    pub socket: Py<PyWeakrefReference>,
    descriptor: RawFd,
    /// The directions that have become ready once while nobody waited.
    missed: Cell<Readiness>,
}

impl Kept {
    /// For a socket; none for objects that may come by another descriptor.
    fn of(py: Python<'_>, socket: &Socket) -> PyResult<Option<Self>> {
        let object = socket.socket.bind(py);
        if !object.get_type().is(imports::socket(py)?) {
            return Ok(None);
        }
        Ok(Some(Self {
            socket: PyWeakrefReference::new(object)?.unbind(),
            descriptor: socket.descriptor(),
            missed: Cell::default(),
        }))
    }

    fn is_of(&self, socket: &Bound<'_, PyAny>) -> bool {
        self.socket.bind(socket.py()).upgrade().is_some_and(|owner| owner.is(socket))
    }
}

impl Watchers {
    /// Whether they are kept for this socket; notes that one direction is waited for.
    fn expect(&self, socket: &Bound<'_, PyAny>, direction: Readiness) -> bool {
        let kept = self.kept(socket.py()).borrow();
        let Some(kept) = kept.as_ref().filter(|kept| kept.is_of(socket)) else { return false };
        kept.missed.set(kept.missed.get().without(direction));
        true
    }

    /// Takes note that nobody has waited for what is ready; what is missed twice is not watched any
    /// more, as there seem to be others who use the socket.
    ///
    /// # Errors
    ///
    /// `OSError` when the poller refuses.
    pub fn miss(
        event_loop: &Bound<'_, EventLoop>,
        watchers: &Self,
        readiness: Readiness,
    ) -> PyResult<()> {
        let py = event_loop.py();
        let (descriptor, again) = match &*watchers.kept(py).borrow() {
            Some(kept) => {
                let missed = kept.missed.replace(kept.missed.get() | readiness);
                (kept.descriptor, missed & readiness)
            }
            None => return Ok(()),
        };
        if again.is_none() {
            return Ok(());
        }
        let core = event_loop.get().core(py);
        let fd = ffi::borrow_descriptor(descriptor);
        let rest = core.interest(descriptor).without(again);
        if rest.is_none() {
            drop(core.unwatch(fd));
            return Ok(());
        }
        core.set_interest(fd, rest).map_err(|error| errors::os_error(&error))
    }
}

/// A wait for a socket, which ends when this is dropped, in whatever way.
pub struct Wait {
    event_loop: Py<EventLoop>,
    descriptor: RawFd,
    direction: Readiness,
    future: Py<PyAny>,
}

impl Wait {
    /// Begins a wait for a socket that the system has just said is not ready.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when a transport has the socket, or the loop is closed; `OSError` when the
    /// poller refuses.
    pub fn begin(py: Python<'_>, socket: &Socket, direction: Readiness) -> PyResult<Self> {
        let wait = Self::new(py, socket, direction)?;
        let event_loop = socket.event_loop.bind(py);
        let (core, object) = (event_loop.get().core(py), socket.socket.bind(py));
        match core.source(wait.descriptor) {
            Some(Source::Watchers(watchers)) if watchers.get().expect(object, direction) => {
                let interest = core.interest(wait.descriptor) | direction | Readiness::EDGE;
                core.set_interest(ffi::borrow_descriptor(wait.descriptor), interest)
                    .map_err(|error| errors::os_error(&error))?;
                watchers.get().set_waiter(py, direction, &wait.future);
            }
            Some(Source::Watchers(watchers)) if watchers.get().is_used(py) => {
                wait.watch(py, socket)?;
            }
            _ => wait.keep(py, socket)?,
        }
        Ok(wait)
    }

    /// Begins a wait that ends at once if the socket is ready, whatever the system has said of it.
    ///
    /// # Errors
    ///
    /// Those of [`Wait::begin`].
    pub fn begin_anew(py: Python<'_>, socket: &Socket, direction: Readiness) -> PyResult<Self> {
        let wait = Self::new(py, socket, direction)?;
        wait.watch(py, socket).map(|()| wait)
    }

    fn new(py: Python<'_>, socket: &Socket, direction: Readiness) -> PyResult<Self> {
        let event_loop = &socket.event_loop;
        let future = EventLoop::create_future(event_loop.bind(py))?.unbind();
        let (event_loop, descriptor) = (event_loop.clone_ref(py), socket.descriptor());
        Ok(Self { event_loop, descriptor, direction, future })
    }

    /// The future that is done once the socket is ready.
    pub fn future(&self) -> &Py<PyAny> {
        &self.future
    }

    /// Registers the socket, to stay registered.
    fn keep(&self, py: Python<'_>, socket: &Socket) -> PyResult<()> {
        let Some(kept) = Kept::of(py, socket)? else { return self.watch(py, socket) };
        let this = self.event_loop.get();
        this.check_open(py)?;
        this.check_no_transport(socket.socket.bind(py), self.descriptor)?;
        let watchers = Py::new(py, Watchers::keeping(kept))?;
        watchers.get().set_waiter(py, self.direction, &self.future);
        let (core, fd) = (this.core(py), ffi::borrow_descriptor(self.descriptor));
        // What watched it before has watched what the descriptor was before.
        drop(core.unwatch(fd));
        core.watch(fd, Source::Watchers(watchers), self.direction | Readiness::EDGE)
            .map_err(|error| errors::os_error(&error))
    }

    /// Registers the socket, for this wait only.
    fn watch(&self, py: Python<'_>, socket: &Socket) -> PyResult<()> {
        let event_loop = self.event_loop.bind(py);
        event_loop.get().check_no_transport(socket.socket.bind(py), self.descriptor)?;
        let watcher = Watcher::Waiter(self.future.clone_ref(py));
        EventLoop::add_watcher(event_loop, self.descriptor, self.direction, watcher)
    }

    fn end(&self, py: Python<'_>) -> PyResult<()> {
        let this = self.event_loop.get();
        match this.core(py).source(self.descriptor) {
            Some(Source::Watchers(watchers))
                if watchers.get().is_waited_for(py, self.direction, &self.future) =>
            {
                if watchers.get().kept(py).borrow().is_some() {
                    watchers.get().take(py, self.direction);
                    return Ok(());
                }
                this.remove_watcher(py, self.descriptor, self.direction).map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        Python::attach(|py| {
            if let Err(error) = self.end(py) {
                error.write_unraisable(py, Some(self.event_loop.bind(py)));
            }
        });
    }
}

/// Wakes who waits through a future, unless it is done, which it may be by cancellation.
pub fn wake(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if let Some(future) = Future::of(future) {
        return match Future::is_pending(future) {
            true => Future::set_result(future, py.None().into_bound(py)),
            false => Ok(()),
        };
    }
    match future.call_method1(intern!(py, "set_result"), (py.None(),)) {
        Err(error) if !future.call_method0(intern!(py, "done"))?.is_truthy()? => Err(error),
        _ => Ok(()),
    }
}
