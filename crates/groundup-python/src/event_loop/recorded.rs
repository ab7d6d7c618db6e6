//! What is told of this loop, while it is recorded.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::rc::Rc;

use groundup::event_loop::{Entry, Held, Host};
use groundup::recorder::Recorder;
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::{Asyncio, EventLoop, Source};
use crate::recording::{Connection, Narrator, Recording, summary};
use crate::transports::StreamTransport;

/// The recording of a loop, if there is one.
#[derive(Default)]
pub struct Recorded {
    recording: RefCell<Option<Py<Recording>>>,
}

impl Recorded {
    pub fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.recording.try_borrow().map_or(Ok(()), |recording| visit.call(&*recording))
    }

    pub fn clear(&self) {
        drop(self.recording.take());
    }

    fn get(&self, py: Python<'_>) -> Option<Py<Recording>> {
        self.recording.borrow().as_ref().map(|recording| recording.clone_ref(py))
    }
}

impl EventLoop {
    /// Whether anybody records what happens.
    #[inline(always)]
    pub fn is_recorded(&self, py: Python<'_>) -> bool {
        self.core(py).recorder().is_on()
    }

    /// Whom to tell what happens, if anybody records it.
    #[inline(always)]
    pub fn narrator(&self, py: Python<'_>) -> Option<Rc<Narrator>> {
        if self.is_recorded(py) { self.find_narrator(py) } else { None }
    }

    #[cold]
    fn find_narrator(&self, py: Python<'_>) -> Option<Rc<Narrator>> {
        let recording = self.parts(py).recording.recording.borrow();
        recording.as_ref().map(|recording| Rc::clone(recording.get().narrator(py)))
    }

    /// Tells something, if anybody records it.
    #[inline(always)]
    pub fn tell(&self, py: Python<'_>, tell: impl FnOnce(&Narrator)) {
        if let Some(narrator) = self.narrator(py) {
            tell(&narrator);
        }
    }

    /// The connections that are watched: their descriptors, and what is known of them.
    pub fn connections(&self, py: Python<'_>) -> Vec<(RawFd, Connection)> {
        let mut all = Vec::new();
        self.core(py).for_each(|held| {
            all.extend(match held {
                Held::Source(Source::Stream(stream)) => {
                    Some((stream.get().descriptor(), StreamTransport::connection(stream.bind(py))))
                }
                Held::Source(Source::Datagram(transport)) => {
                    let descriptor = transport.get().descriptor();
                    Some((descriptor, Connection::of_datagrams(descriptor)))
                }
                Held::Source(Source::Listener(listener)) => {
                    let descriptor = listener.get().descriptor();
                    Some((descriptor, Connection::of_listener(descriptor)))
                }
                _ => None,
            });
        });
        all
    }

    /// Has a recording hear what happens.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when another one does.
    pub fn record(event_loop: &Bound<'_, Self>, recording: &Bound<'_, Recording>) -> PyResult<()> {
        let (py, this) = (event_loop.py(), event_loop.get());
        if this.parts(py).recording.get(py).is_some() {
            return Err(PyRuntimeError::new_err("the loop is being recorded"));
        }
        let flight = Rc::clone(&recording.get().narrator(py).flight);
        this.parts(py).recording.recording.replace(Some(recording.clone().unbind()));
        drop(this.core(py).recorder().set(Some(flight)));
        Ok(())
    }

    /// Tells what is ready already.
    pub fn tell_of_ready(&self, py: Python<'_>) {
        let core = self.core(py);
        for entry in core.ready().iter() {
            if let Entry::Task(ready) = entry {
                core.recorder().wake(Asyncio::task_id(ready));
            }
        }
    }

    /// The recording hears nothing more.
    pub fn forget_recording(event_loop: &Bound<'_, Self>, recording: &Bound<'_, Recording>) {
        let (py, this) = (event_loop.py(), event_loop.get());
        if this.parts(py).recording.get(py).is_some_and(|it| it.is(recording)) {
            drop(this.core(py).recorder().set(None));
            this.parts(py).recording.clear();
        }
    }

    /// Tells who listens to the recording of the late step that has ended, if there was one.
    pub fn report_late(event_loop: &Bound<'_, Self>, narrator: &Narrator) {
        if narrator.late.ended.get().is_none() {
            return;
        }
        let py = event_loop.py();
        if let Some(recording) = event_loop.get().parts(py).recording.get(py) {
            Recording::report_late(recording.bind(py));
        }
    }

    /// Tells who listens to the recording of an exception that comes to the exception handler.
    pub fn report_exception(event_loop: &Bound<'_, Self>, context: &Bound<'_, PyAny>) {
        let py = event_loop.py();
        let Some(recording) = event_loop.get().parts(py).recording.get(py) else { return };
        let Ok(context) = context.cast::<PyDict>() else { return };
        if let Ok(Some(exception)) = context.get_item(intern!(py, "exception"))
            && exception.is_instance_of::<PyException>()
        {
            Recording::report(recording.bind(py), "exception", &summary(&exception));
        }
    }

    /// Ends the recording, for the loop is closed.
    pub fn finish_recording(event_loop: &Bound<'_, Self>) {
        let py = event_loop.py();
        if let Some(recording) = event_loop.get().parts(py).recording.get(py) {
            Recording::finish(recording.bind(py));
        }
    }
}
