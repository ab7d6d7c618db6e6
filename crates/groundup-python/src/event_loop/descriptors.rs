//! Watching descriptors: add_reader, add_writer; and who waits for one inside a sock_ method.

use std::cell::RefCell;
use std::os::fd::RawFd;

use groundup::event_loop::Held;
use groundup::poller::Readiness;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::socket_waits::{self, Kept};
use super::{EventLoop, Source};
use crate::call::Call;
use crate::gil::GilBound;
use crate::handle::Handle;
use crate::transports::{DatagramTransport, StreamTransport};
use crate::{errors, ffi};

/// Who watches a descriptor that no transport has.
#[pyclass(frozen, module = "groundup._groundup")]
#[derive(Default)]
pub struct Watchers {
    reader: GilBound<RefCell<Option<Watcher>>>,
    writer: GilBound<RefCell<Option<Watcher>>>,
    /// The object that add_reader or add_writer was given first.
    file: GilBound<RefCell<Option<GivenFile>>>,
    /// Set where the registration is kept while nobody waits; then nobody watches by a callback.
    kept: GilBound<RefCell<Option<Kept>>>,
}

/// An object with a descriptor, and its descriptor when it was given.
type GivenFile = (Py<PyAny>, RawFd);

/// Who watches one direction of a descriptor.
#[derive(Clone)]
pub enum Watcher {
    /// A callback, called each time the direction is ready.
    Callback(Py<Handle>),
    /// A future that is given `None` when the direction is ready.
    Waiter(Py<PyAny>),
}

impl Watchers {
    /// Those of a registration that is kept.
    pub fn keeping(kept: Kept) -> Self {
        Self { kept: GilBound::new(RefCell::new(Some(kept))), ..Self::default() }
    }

    /// Whose registration is kept, if it is.
    pub fn kept<'a>(&'a self, py: Python<'a>) -> &'a RefCell<Option<Kept>> {
        self.kept.get(py)
    }

    /// The directions that somebody watches.
    pub fn directions(&self, py: Python<'_>) -> Readiness {
        let watched = |direction| match &*self.slot(py, direction).borrow() {
            Some(_) => direction,
            None => Readiness::NONE,
        };
        watched(Readiness::READABLE) | watched(Readiness::WRITABLE)
    }

    /// Whether somebody watches.
    pub fn is_used(&self, py: Python<'_>) -> bool {
        !self.directions(py).is_none()
    }

    /// Whether the one who waits for a direction does so through this future.
    pub fn is_waited_for(&self, py: Python<'_>, direction: Readiness, future: &Py<PyAny>) -> bool {
        matches!(&*self.slot(py, direction).borrow(), Some(Watcher::Waiter(own)) if own.is(future))
    }

    /// Has a future wait for a direction, in place of the one that has.
    pub fn set_waiter(&self, py: Python<'_>, direction: Readiness, future: &Py<PyAny>) {
        drop(self.slot(py, direction).replace(Some(Watcher::Waiter(future.clone_ref(py)))));
    }

    /// Takes out who watches a direction.
    pub fn take(&self, py: Python<'_>, direction: Readiness) -> Option<Watcher> {
        self.slot(py, direction).take()
    }

    fn slot<'a>(&'a self, py: Python<'a>, direction: Readiness) -> &'a RefCell<Option<Watcher>> {
        if direction.readable() { self.reader.get(py) } else { self.writer.get(py) }
    }

    /// Remembers the object that was given first, so that it is known even when it is closed.
    fn set_file(&self, file: &Bound<'_, PyAny>, descriptor: RawFd) {
        let cell = self.file.get(file.py());
        if cell.borrow().is_none() {
            cell.replace(Some((file.clone().unbind(), descriptor)));
        }
    }

    /// The descriptor that this object had when it was given.
    fn descriptor_of(&self, file: &Bound<'_, PyAny>) -> Option<RawFd> {
        let given = self.file.get(file.py()).borrow();
        given.as_ref().filter(|(given, _)| given.is(file)).map(|(_, descriptor)| *descriptor)
    }

    /// The handles of reader and writer, where callbacks watch.
    pub fn handles(&self, py: Python<'_>) -> (Option<Py<Handle>>, Option<Py<Handle>>) {
        let handle = |direction| match &*self.slot(py, direction).borrow() {
            Some(Watcher::Callback(handle)) => Some(handle.clone_ref(py)),
            _ => None,
        };
        (handle(Readiness::READABLE), handle(Readiness::WRITABLE))
    }

    /// Calls, or wakes, who watches a direction that is ready.
    ///
    /// # Errors
    ///
    /// `SystemExit` and `KeyboardInterrupt` of a callback.
    pub fn dispatch(
        event_loop: &Bound<'_, EventLoop>,
        watchers: &Self,
        readiness: Readiness,
    ) -> PyResult<()> {
        let py = event_loop.py();
        let mut is_missed = true;
        for direction in [Readiness::READABLE, Readiness::WRITABLE] {
            if (readiness & direction).is_none() {
                continue;
            }
            let watcher = watchers.slot(py, direction).borrow().clone();
            is_missed &= watcher.is_none();
            match watcher {
                Some(Watcher::Callback(handle)) => Handle::run(handle.bind(py))?,
                Some(Watcher::Waiter(future)) => socket_waits::wake(future.bind(py))?,
                None => {}
            }
        }
        if is_missed { Self::miss(event_loop, watchers, readiness) } else { Ok(()) }
    }
}

#[pymethods]
impl Watchers {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for slot in [self.reader.visit(), self.writer.visit()] {
            let Ok(watcher) = slot.try_borrow() else { continue };
            match &*watcher {
                Some(Watcher::Callback(handle)) => visit.call(handle)?,
                Some(Watcher::Waiter(future)) => visit.call(future)?,
                None => {}
            }
        }
        let kept = self.kept.visit().try_borrow();
        kept.map_or(Ok(()), |kept| visit.call(kept.as_ref().map(|kept| &kept.socket)))?;
        let file = self.file.visit().try_borrow();
        file.map_or(Ok(()), |file| visit.call(file.as_ref().map(|(file, _)| file)))
    }

    fn __clear__(&self) {
        drop(self.file.visit().take());
        drop(self.reader.visit().take());
        drop(self.writer.visit().take());
    }
}

impl EventLoop {
    /// Watches one direction of a descriptor; who watched it before is cancelled.
    pub fn add_watcher(
        event_loop: &Bound<'_, Self>,
        descriptor: RawFd,
        direction: Readiness,
        watcher: Watcher,
    ) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        this.check_open(py)?;
        let fd = ffi::borrow_descriptor(descriptor);
        let core = this.core(py);
        let (watchers, interest) = match core.source(descriptor) {
            Some(Source::Watchers(watchers)) => {
                // A callback is called for as long as there is something, and others wait with it.
                let was_kept = watchers.get().kept(py).take().is_some();
                let interest = watchers.get().directions(py);
                if was_kept {
                    drop(core.unwatch(fd));
                }
                (watchers, interest)
            }
            // Nobody, or a transport that is closed but not yet gone.
            _ => (Py::new(py, Watchers::default())?, Readiness::NONE),
        };
        let outcome = if interest.is_none() || interest == interest | direction {
            // Watched anew even if it is watched: its number may have a new owner, of whom the
            // poller does not know.
            drop(core.unwatch(fd));
            core.watch(fd, Source::Watchers(watchers.clone_ref(py)), interest | direction)
        } else {
            core.set_interest(fd, interest | direction)
        };
        outcome.map_err(|error| errors::os_error(&error))?;
        match watchers.get().slot(py, direction).replace(Some(watcher)) {
            Some(Watcher::Callback(handle)) => Handle::cancel_call(handle.bind(py)),
            _ => Ok(()),
        }
    }

    /// Stops watching one direction of a descriptor; false if nobody watched it.
    pub fn remove_watcher(
        &self,
        py: Python<'_>,
        descriptor: RawFd,
        direction: Readiness,
    ) -> PyResult<bool> {
        let core = self.core(py);
        let Some(Source::Watchers(watchers)) = core.source(descriptor) else { return Ok(false) };
        let fd = ffi::borrow_descriptor(descriptor);
        let rest = watchers.get().directions(py).without(direction);
        let outcome = if rest.is_none() { Ok(()) } else { core.set_interest(fd, rest) };
        if rest.is_none() || outcome.is_err() {
            drop(core.unwatch(fd));
        }
        outcome.map_err(|error| errors::os_error(&error))?;
        match watchers.get().slot(py, direction).take() {
            Some(Watcher::Callback(handle)) => {
                Handle::cancel_call(handle.bind(py))?;
                Ok(true)
            }
            watcher => Ok(watcher.is_some()),
        }
    }

    /// Says that a transport has the descriptor, if one has.
    pub fn check_no_transport(&self, file: &Bound<'_, PyAny>, descriptor: RawFd) -> PyResult<()> {
        let py = file.py();
        let (transport, is_closing) = match self.core(py).source(descriptor) {
            Some(Source::Stream(stream)) => {
                let stream = stream.into_bound(py);
                let is_closing = StreamTransport::is_closing(&stream);
                (stream.into_any(), is_closing)
            }
            Some(Source::Datagram(transport)) => {
                let transport = transport.into_bound(py);
                let is_closing = DatagramTransport::is_closing(&transport);
                (transport.into_any(), is_closing)
            }
            _ => return Ok(()),
        };
        if is_closing {
            return Ok(());
        }
        let (file, transport) = (file.repr()?, transport.repr()?);
        let message = format!("File descriptor {file} is used by transport {transport}");
        Err(PyRuntimeError::new_err(message))
    }

    fn add_callback(
        event_loop: &Bound<'_, Self>,
        file: &Bound<'_, PyAny>,
        direction: Readiness,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<Py<Handle>> {
        let py = event_loop.py();
        let descriptor = descriptor_of(file)?;
        event_loop.get().check_no_transport(file, descriptor)?;
        event_loop.get().check_open(py)?;
        let handle = Handle::new(event_loop, Call::new(callback, args), None)?;
        let handle = handle.unbind();
        let watcher = Watcher::Callback(handle.clone_ref(py));
        Self::add_watcher(event_loop, descriptor, direction, watcher)?;
        if let Some(Source::Watchers(watchers)) = event_loop.get().core(py).source(descriptor) {
            watchers.get().set_file(file, descriptor);
        }
        Ok(handle)
    }

    fn remove_callback(&self, file: &Bound<'_, PyAny>, direction: Readiness) -> PyResult<bool> {
        let descriptor =
            descriptor_of(file).or_else(|error| self.former_descriptor(file, error))?;
        self.check_no_transport(file, descriptor)?;
        self.remove_watcher(file.py(), descriptor, direction)
    }

    /// The descriptor that a file had when it began to be watched, before it was closed.
    fn former_descriptor(&self, file: &Bound<'_, PyAny>, error: PyErr) -> PyResult<RawFd> {
        let mut former = None;
        self.core(file.py()).for_each(|held| {
            if let Held::Source(Source::Watchers(watchers)) = held {
                former = former.or(watchers.get().descriptor_of(file));
            }
        });
        former.ok_or(error)
    }
}

#[pymethods]
impl EventLoop {
    /// Call a callback with arguments each time a descriptor is readable.
    ///
    /// The descriptor is an int or an object with fileno(). Raise ValueError if it is neither,
    /// RuntimeError if a transport uses it, OSError if it cannot be polled.
    #[pyo3(signature = (fd, callback, *args))]
    fn add_reader(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        Self::add_callback(slf, fd, Readiness::READABLE, callback, args).map(drop)
    }

    /// Do what add_reader() does, and return the handle.
    #[pyo3(signature = (fd, callback, *args))]
    fn _add_reader(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<Py<Handle>> {
        Self::add_callback(slf, fd, Readiness::READABLE, callback, args)
    }

    fn _remove_reader(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove_callback(fd, Readiness::READABLE)
    }

    /// Stop calling back when a descriptor is readable; return False if nothing was to be called.
    fn remove_reader(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove_callback(fd, Readiness::READABLE)
    }

    /// Call a callback with arguments each time a descriptor is writable.
    ///
    /// The descriptor is an int or an object with fileno(). Raise ValueError if it is neither,
    /// RuntimeError if a transport uses it, OSError if it cannot be polled.
    #[pyo3(signature = (fd, callback, *args))]
    fn add_writer(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        Self::add_callback(slf, fd, Readiness::WRITABLE, callback, args).map(drop)
    }

    /// Do what add_writer() does, and return the handle.
    #[pyo3(signature = (fd, callback, *args))]
    fn _add_writer(
        slf: &Bound<'_, Self>,
        fd: &Bound<'_, PyAny>,
        callback: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
    ) -> PyResult<Py<Handle>> {
        Self::add_callback(slf, fd, Readiness::WRITABLE, callback, args)
    }

    fn _remove_writer(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove_callback(fd, Readiness::WRITABLE)
    }

    /// Stop calling back when a descriptor is writable; return False if nothing was to be called.
    fn remove_writer(&self, fd: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.remove_callback(fd, Readiness::WRITABLE)
    }
}

/// The descriptor that an int or an object with `fileno()` means.
///
/// # Errors
///
/// `ValueError` when it means none.
pub fn descriptor_of(file: &Bound<'_, PyAny>) -> PyResult<RawFd> {
    let py = file.py();
    let number = file.extract::<RawFd>().or_else(|_| {
        let fileno = file.call_method0(intern!(py, "fileno")).and_then(|fileno| fileno.extract());
        fileno.map_err(|_| match file.repr() {
            Ok(repr) => PyValueError::new_err(format!("Invalid file object: {repr}")),
            Err(error) => error,
        })
    })?;
    if number < 0 {
        return Err(PyValueError::new_err(format!("Invalid file descriptor: {number}")));
    }
    Ok(number)
}
