//! The ready queue as asyncio's `_ready`: a deque of handles.

use groundup::event_loop::{Entry, Host};
use groundup::recorder::Recorder;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::one_shot_handle::OneShotHandle;
use super::{Asyncio, EventLoop, Ready};
use crate::ffi;
use crate::handle::Handle;
use crate::tasks::{self, Awakening, Task};
use crate::thread_safe_handle::ThreadSafeHandle;
use crate::timer_handle::TimerHandle;

/// A loop's ready queue, as a `collections.deque` of handles.
///
/// What is ready and no callback, such as an I/O event, shows as a handle that resumes it.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct ReadyHandles {
    event_loop: Py<EventLoop>,
}

impl ReadyHandles {
    pub fn of(event_loop: &Bound<'_, EventLoop>) -> Self {
        Self { event_loop: event_loop.clone().unbind() }
    }

    /// Tells whoever records the loop what is put on its queue by hand.
    fn tell_wake(&self, py: Python<'_>, entry: &Entry<Ready>) {
        if let Entry::Task(ready) = entry {
            self.core(py).recorder().wake(Asyncio::task_id(ready));
        }
    }

    fn core<'a>(&'a self, py: Python<'a>) -> &'a super::Core {
        self.event_loop.get().core(py)
    }

    /// The handle that stands for an entry.
    fn handle(&self, py: Python<'_>, entry: Entry<Ready>) -> PyResult<Py<PyAny>> {
        let_leave(py, &entry);
        match entry {
            Entry::Task(Ready::Handle(handle) | Ready::Repeatable(handle)) => Ok(handle.into_any()),
            Entry::Task(Ready::ThreadSafe(handle)) => Ok(handle.into_any()),
            Entry::Task(Ready::Foreign(handle)) => Ok(handle),
            Entry::Task(Ready::Done(callback)) => {
                callback.handle(self.event_loop.bind(py)).map(|handle| handle.into_any().unbind())
            }
            Entry::Task(Ready::Step(task)) => self.handle_of(task.bind(py), Awakening::Step),
            Entry::Task(Ready::Wake(task)) => self.handle_of(task.bind(py), Awakening::Waited),
            entry => {
                let handle = OneShotHandle::new(self.event_loop.clone_ref(py), entry);
                Py::new(py, handle).map(Py::into_any)
            }
        }
    }

    fn handle_of<'py>(
        &self,
        task: &Bound<'py, Task>,
        awakening: Awakening<'py>,
    ) -> PyResult<Py<PyAny>> {
        let handle = tasks::handle_of(self.event_loop.bind(task.py()), task, awakening)?;
        Ok(handle.into_any().unbind())
    }

    /// Gives the callbacks of futures their handles, which stand on the queue from then on, so that
    /// they can be found again, and cancelled.
    fn show_callbacks(&self, py: Python<'_>) {
        let is_unseen = |entry: &Entry<Ready>| matches!(entry, Entry::Task(Ready::Done(_)));
        if !self.core(py).ready().iter().any(is_unseen) {
            return;
        }
        let entries = std::mem::take(&mut *self.core(py).ready());
        let shown = |entry: &Entry<Ready>| match entry {
            Entry::Task(Ready::Done(callback)) => callback
                .handle(self.event_loop.bind(py))
                .map_or_else(|_| entry.clone(), |it| Entry::Task(Ready::Handle(it.unbind()))),
            _ => entry.clone(),
        };
        // Making them may have run a finalizer that has made something ready.
        let shown: Vec<_> = entries.iter().map(shown).collect();
        let mut ready = self.core(py).ready();
        shown.into_iter().rev().for_each(|entry| ready.push_first(entry));
    }

    /// All handles, oldest first.
    fn handles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.show_callbacks(py);
        let entries: Vec<_> = self.core(py).ready().iter().cloned().collect();
        let handles: PyResult<Vec<_>> =
            entries.into_iter().map(|entry| self.handle(py, entry)).collect();
        PyList::new(py, handles?)
    }

    fn take(&self, py: Python<'_>, place: usize) -> PyResult<Py<PyAny>> {
        let entry = self.core(py).ready().remove(place);
        match entry {
            Some(entry) => self.handle(py, entry),
            None => Err(PyIndexError::new_err("pop from an empty deque")),
        }
    }
}

/// Shows the garbage collector a handle that leaves the queue, or is seen by others: where it goes
/// from here, only the collector may find it.
fn let_leave(py: Python<'_>, entry: &Entry<Ready>) {
    match entry {
        Entry::Task(Ready::Handle(handle) | Ready::Repeatable(handle)) => {
            ffi::track(handle.bind(py));
        }
        Entry::Task(Ready::ThreadSafe(handle)) => ffi::track(handle.bind(py)),
        _ => {}
    }
}

/// What stands on the ready queue for a handle.
///
/// # Errors
///
/// `TypeError` when it is no handle.
fn entry(handle: &Bound<'_, PyAny>) -> PyResult<Entry<Ready>> {
    if let Ok(handle) = handle.cast::<OneShotHandle>() {
        return Ok(handle.get().entry(handle.py()).unwrap_or_else(|| foreign(handle.as_any())));
    }
    if let Ok(timer) = handle.cast::<TimerHandle>() {
        TimerHandle::unset(timer);
    }
    if let Ok(handle) = handle.cast_exact::<ThreadSafeHandle>() {
        return Ok(Entry::Task(Ready::ThreadSafe(handle.clone().unbind())));
    }
    if let Ok(handle) = handle.cast::<Handle>() {
        return Ok(Entry::Task(Ready::Repeatable(handle.clone().unbind())));
    }
    if !handle.hasattr(intern!(handle.py(), "_run"))? {
        return Err(PyTypeError::new_err(format!("not a handle: {}", handle.repr()?)));
    }
    Ok(foreign(handle))
}

fn foreign(handle: &Bound<'_, PyAny>) -> Entry<Ready> {
    Entry::Task(Ready::Foreign(handle.clone().unbind()))
}

#[pymethods]
impl ReadyHandles {
    fn __len__(&self, py: Python<'_>) -> usize {
        self.core(py).ready().len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.handles(py)?.try_iter()
    }

    fn __getitem__<'py>(&self, place: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.handles(place.py())?.as_any().get_item(place)
    }

    fn __contains__(&self, handle: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.handles(handle.py())?.contains(handle)
    }

    /// Put a handle at the end; a timer handle is not due any more.
    pub fn append(&self, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        let entry = entry(handle)?;
        self.tell_wake(handle.py(), &entry);
        self.core(handle.py()).ready().push(entry);
        Ok(())
    }

    /// Put a handle before all others; a timer handle is not due any more.
    fn appendleft(&self, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        let entry = entry(handle)?;
        self.tell_wake(handle.py(), &entry);
        self.core(handle.py()).ready().push_first(entry);
        Ok(())
    }

    /// Put handles at the end, in their order.
    fn extend(&self, handles: &Bound<'_, PyAny>) -> PyResult<()> {
        handles.try_iter()?.try_for_each(|handle| self.append(&handle?))
    }

    /// Put handles before all others, one by one, so that the last of them is first.
    fn extendleft(&self, handles: &Bound<'_, PyAny>) -> PyResult<()> {
        handles.try_iter()?.try_for_each(|handle| self.appendleft(&handle?))
    }

    /// Take the handle that has waited longest; IndexError if there is none.
    fn popleft(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.take(py, 0)
    }

    /// Take the handle that has come last; IndexError if there is none.
    fn pop(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let count = self.__len__(py);
        self.take(py, count.saturating_sub(1))
    }

    /// Take a handle out; ValueError if it is not ready.
    fn remove(&self, handle: &Bound<'_, PyAny>) -> PyResult<()> {
        let place = self
            .handles(handle.py())?
            .index(handle)
            .map_err(|_| PyValueError::new_err("deque.remove(x): x not in deque"))?;
        self.take(handle.py(), place).map(drop)
    }

    /// Drop all handles.
    fn clear(&self, py: Python<'_>) {
        let dropped = std::mem::take(&mut *self.core(py).ready());
        dropped.iter().for_each(|entry| let_leave(py, entry));
        drop(dropped);
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("deque({})", self.handles(py)?.repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)
    }
}
