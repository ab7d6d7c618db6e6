//! A recording as Python has it: a file, and the loop that is recorded into it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use groundup::clock::{Clock, Monotonic};
use groundup::recorder::recording::Head;
use groundup::recorder::{FlightRecorder, RECORD_SIZE};
use memmap2::MmapMut;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::collections::CollectionListener;
use super::memory::{HEAD, RecordingFile};
use super::narrator::{Flight, Narrator};
use super::reports::limit_of;
use super::watchdog::{self, Watched};
use crate::errors;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;

/// The least that a recording has room for, in bytes.
const LEAST: u64 = 1 << 16;
/// The most: names are numbered by their places.
const MOST: u64 = 1 << 34;
/// Names take an eighth of a recording, and at most so many bytes.
const MOST_NAMES: u64 = 1 << 30;

/// A recording of one event loop, in a file.
#[pyclass(frozen, weakref, module = "groundup._groundup")]
pub struct Recording {
    narrator: GilBound<Rc<Narrator>>,
    file: RecordingFile,
    /// The file that is written into, until the recording ends.
    open_file: GilBound<RefCell<Option<File>>>,
    /// A weak reference to the loop: that it is recorded does not keep it alive.
    recorded: GilBound<RefCell<Option<Py<PyWeakrefReference>>>>,
    collections: GilBound<RefCell<Option<Py<CollectionListener>>>>,
    pub(super) watched: GilBound<RefCell<Option<Arc<Watched>>>>,
    /// Who hears of late steps and of exceptions that nobody has handled.
    pub(super) listener: GilBound<RefCell<Option<Py<PyAny>>>>,
    /// Whether the file is a ring to its end.
    is_box: bool,
    is_finished: GilBound<Cell<bool>>,
}

impl Recording {
    /// The one who tells what happens.
    pub fn narrator<'a>(&'a self, py: Python<'a>) -> &'a Rc<Narrator> {
        self.narrator.get(py)
    }

    /// The loop that is recorded, if it lives.
    pub(super) fn event_loop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, EventLoop>> {
        let recorded = self.recorded.get(py).borrow();
        recorded.as_ref()?.bind(py).upgrade()?.cast_into().ok()
    }

    /// Lets go of the file: whoever is telling something at this moment tells it to the end.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.open_file.get(py).take());
        let nowhere = || MmapMut::map_anon(1).map_err(|error| errors::os_error(&error));
        self.narrator(py).flight.move_to(nowhere()?, nowhere()?);
        Ok(())
    }

    /// Records nothing more; returns whether it did.
    fn end(slf: &Bound<'_, Self>) -> bool {
        let (py, this) = (slf.py(), slf.get());
        if this.is_finished.get(py).replace(true) {
            return false;
        }
        Self::report_late(slf);
        drop(this.listener.get(py).take());
        if let Some(watched) = this.watched.get(py).take() {
            watchdog::forget(py, &watched);
        }
        if let Some(event_loop) = this.event_loop(py) {
            EventLoop::forget_recording(&event_loop, slf);
        }
        if let Some(listener) = this.collections.get(py).take() {
            // A program that has emptied the list has taken it out already.
            let _ = CollectionListener::end(&listener, py);
        }
        true
    }

    /// Writes what is kept to a file of this name.
    fn write(&self, py: Python<'_>, path: &Path) -> io::Result<()> {
        self.narrator(py).flight.look(|ring, names| {
            let records = ring.count().min(ring.capacity()) as usize * RECORD_SIZE;
            // When the file was let go of, there is nothing.
            let records = ring.memory().get(..records).unwrap_or_default();
            self.file.write(path, &names.memory()[..names.used()], records)
        })
    }
}

/// The head of a recording that begins now, with so many bytes for all of it.
fn head(size: u64) -> Head {
    let page = u64::from(HEAD);
    let names = (size / 8).min(MOST_NAMES) / page * page;
    // The ring has a power of two of records.
    let places = ((size - names) / RECORD_SIZE as u64).ilog2();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Head {
        length: HEAD,
        names,
        records: (RECORD_SIZE as u64) << places,
        process: process::id().into(),
        monotonic: Monotonic.now(),
        wall: i64::try_from(wall.as_nanos()).unwrap_or(i64::MAX),
    }
}

#[pymethods]
impl Recording {
    /// Make a file for a recording; one that is there is replaced.
    ///
    /// Args:
    ///     path: Its name.
    ///     size: How large it may become, in bytes; the oldest records go then.
    ///     is_box: Whether it is a black box. Its file is not made shorter at the end, and can be copied
    ///         until it is abandoned.
    ///
    /// Raises:
    ///     ValueError: The size is less than 64 KiB, or more than 16 GiB.
    ///     OSError: The file cannot be made, or the disk has no room for it.
    #[new]
    #[pyo3(signature = (path, size, *, is_box=false))]
    fn new(py: Python<'_>, path: PathBuf, size: u64, is_box: bool) -> PyResult<Self> {
        if !(LEAST..=MOST).contains(&size) {
            let message = format!("size must be {LEAST} to {MOST} bytes, got {size}");
            return Err(PyValueError::new_err(message));
        }
        let failed = |error| errors::os_error_of(&error, &path);
        let (file, open_file) = RecordingFile::create(&path, head(size)).map_err(failed)?;
        let (names, records) = file.map(&open_file).map_err(failed)?;
        let flight: Flight = FlightRecorder::new(records, names, Monotonic);
        let narrator = GilBound::new(Rc::new(Narrator::new(py, flight)?));
        Ok(Self {
            narrator,
            file,
            open_file: GilBound::new(RefCell::new(Some(open_file))),
            recorded: GilBound::default(),
            collections: GilBound::default(),
            watched: GilBound::default(),
            listener: GilBound::default(),
            is_box,
            is_finished: GilBound::default(),
        })
    }

    /// Record a loop from now on.
    ///
    /// Args:
    ///     event_loop: The loop.
    ///     facts: What is true of the recording as a whole, by name.
    ///     step_limit: How many seconds a step may take; the stack of one that takes longer is noted.
    ///         None: any time.
    ///
    /// Raises:
    ///     RuntimeError: The recording is of another loop or has ended, or the loop is being recorded.
    ///     ValueError: The limit is less than a millisecond.
    ///     OSError: There can be no thread that looks at steps.
    fn begin(
        slf: &Bound<'_, Self>,
        event_loop: &Bound<'_, EventLoop>,
        facts: Vec<(String, String)>,
        step_limit: Option<f64>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let limit = step_limit.map(limit_of).transpose()?;
        if this.is_finished.get(py).get() || this.recorded.get(py).borrow().is_some() {
            return Err(PyRuntimeError::new_err("a recording is of one loop, once"));
        }
        let reference = PyWeakrefReference::new(event_loop.as_any())?.unbind();
        EventLoop::record(event_loop, slf)?;
        this.recorded.get(py).replace(Some(reference));
        this.collections.get(py).replace(Some(CollectionListener::begin(slf)?));
        this.narrator(py).begin(event_loop, facts);
        event_loop.get().tell_of_ready(py);
        limit.map_or(Ok(()), |limit| Self::watch(slf, limit))
    }

    /// End the recording, and let go of the part of the file that is not used. Where that cannot be
    /// done, for the disk is full, the file stays as it is, and can be read.
    ///
    /// Nothing happens when it has ended.
    pub fn finish(slf: &Bound<'_, Self>) {
        let this = slf.get();
        if Self::end(slf) && !this.is_box {
            let _ = this.write(slf.py(), &this.file.path);
            let _ = this.close(slf.py());
        }
    }

    /// Record nothing more, and leave the file as it is: it is another process's, which this one is a
    /// copy of.
    fn abandon(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().narrator(slf.py()).late.ended.take();
        Self::end(slf);
        slf.get().close(slf.py())
    }

    /// Have a callable hear, at the end of the turn, of steps that were late, and of exceptions that come
    /// to the loop's exception handler.
    ///
    /// Args:
    ///     listener: A callable of this recording, "step" or "exception", and what happened in words.
    fn listen(&self, py: Python<'_>, listener: Py<PyAny>) {
        drop(self.listener.get(py).replace(Some(listener)));
    }

    /// Write what is kept to another file, which has its name only when it is whole.
    ///
    /// Raises:
    ///     OSError: The file cannot be written.
    fn copy_to(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.write(py, &path).map_err(|error| errors::os_error_of(&error, &path))
    }

    /// Note something at this moment, to be seen in the picture.
    fn mark(&self, py: Python<'_>, text: &str) {
        self.narrator(py).mark(text);
    }

    /// The file's whole name.
    #[getter]
    fn path(&self) -> PathBuf {
        self.file.path.clone()
    }

    /// How many records there were.
    #[getter]
    fn count(&self, py: Python<'_>) -> u64 {
        self.narrator(py).flight.look(|ring, _| ring.count())
    }

    /// How many of them had to make room for newer ones.
    #[getter]
    fn lost(&self, py: Python<'_>) -> u64 {
        self.narrator(py).flight.look(|ring, _| ring.lost())
    }

    /// Whether the recording has ended.
    #[getter]
    fn finished(&self, py: Python<'_>) -> bool {
        self.is_finished.get(py).get()
    }

    /// The number of the descriptor of the file that the loop writes into; -1 once the recording has ended.
    fn fileno(&self, py: Python<'_>) -> RawFd {
        self.open_file.get(py).borrow().as_ref().map_or(-1, File::as_raw_fd)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.recorded.visit().try_borrow().map_or(Ok(()), |it| visit.call(&*it))?;
        self.listener.visit().try_borrow().map_or(Ok(()), |it| visit.call(&*it))?;
        self.collections.visit().try_borrow().map_or(Ok(()), |it| visit.call(&*it))
    }

    fn __clear__(&self) {
        drop(self.recorded.visit().take());
        drop(self.listener.visit().take());
        drop(self.collections.visit().take());
    }
}
