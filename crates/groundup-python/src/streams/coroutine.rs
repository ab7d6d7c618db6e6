//! The coroutines of streams: objects that are made quickly, and often are done when first resumed.
//!
//! Python's own drive a frame, [`native_coroutine`](crate::native_coroutine)'s an `async` block; these
//! know the few things they can wait for. What they do stands in [`reading`](super::reading) and
//! [`writer`](super::writer).

use std::cell::RefCell;
use std::pin::Pin;

use groundup::coroutine::{Coroutine, Step};
use groundup::poller::Readiness;
use pyo3::exceptions::{
    PyGeneratorExit, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::flow::{Flow, WriterState};
use super::reader::ReaderState;
use super::reading::{Read, Reading};
use super::waiter;
use super::writer;
use crate::coroutine::{PyCoroutine, Resume, thrown};
use crate::ffi;
use crate::gil::GilBound;
use crate::native_coroutine::Goal;
use crate::transports;
use crate::warnings::warn_never_awaited;

/// A coroutine of a stream's reader or writer; a `collections.abc.Coroutine`.
#[pyclass(frozen, weakref, freelist = 256, name = "Coroutine", module = "groundup._groundup")]
pub struct StreamCoroutine {
    name: &'static str,
    state: GilBound<RefCell<State>>,
}

enum State {
    Unstarted(Work),
    /// For a future that says that more has arrived.
    Waiting(ReadWork, Py<PyAny>),
    /// For the loop's next turn.
    GivingWay(Py<WriterState>),
    /// For a coroutine of asyncio's, whose result follows what has been read.
    Delegating(PyCoroutine, Vec<u8>),
    Running,
    Finished,
}

/// What a coroutine is to do.
pub enum Work {
    /// Read.
    Read(ReadWork),
    /// Wait until a writer may go on.
    Drain(Py<PyAny>, Py<WriterState>),
    /// Wait until a protocol lets its writer go on.
    Unpause(Py<PyAny>, Py<Flow>),
}

/// What is to be read, and from which reader.
pub struct ReadWork {
    pub reader: Py<PyAny>,
    pub state: Py<ReaderState>,
    pub reading: Reading,
}

type Resumed = Step<Py<PyAny>, Py<PyAny>>;

/// A coroutine that does some work when it is resumed.
///
/// # Errors
///
/// `MemoryError`.
pub fn new<'py>(py: Python<'py>, name: &'static str, work: Work) -> PyResult<Bound<'py, PyAny>> {
    let state = GilBound::new(RefCell::new(State::Unstarted(work)));
    Ok(Bound::new(py, StreamCoroutine { name, state })?.into_any())
}

impl StreamCoroutine {
    /// What it awaits while it is suspended, if that is a coroutine.
    pub fn awaited(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &*self.state.get(py).try_borrow().ok()? {
            State::Delegating(inner, _) => Some(inner.object().clone_ref(py)),
            _ => None,
        }
    }

    /// What it waits for while it is suspended, if that is known.
    pub fn goal(&self, py: Python<'_>) -> Option<Goal> {
        let State::Waiting(work, _) = &*self.state.get(py).try_borrow().ok()? else { return None };
        let transport = ReaderState::held(py, &work.state.get().state(py).transport)?;
        Some(Goal::Socket(transports::descriptor_of(&transport)?, Readiness::READABLE))
    }

    fn resume(coroutine: &Bound<'_, Self>, input: Resume) -> PyResult<Resumed> {
        let (py, this) = (coroutine.py(), coroutine.get());
        let state = this.state.get(py).replace(State::Running);
        // Should anything panic, the coroutine must not stay "running".
        let finish = FinishOnDrop(this.state.get(py));
        let outcome = match (state, input) {
            (State::Running, _) => {
                std::mem::forget(finish);
                return Err(PyValueError::new_err("coroutine already executing"));
            }
            (State::Finished, _) => {
                let message = "cannot reuse already awaited coroutine";
                return Err(PyRuntimeError::new_err(message));
            }
            (State::Unstarted(work), Resume::Send(value)) if !value.is_none(py) => {
                finish.keep(State::Unstarted(work));
                let message = "can't send non-None value to a just-started coroutine";
                return Err(PyTypeError::new_err(message));
            }
            (State::Unstarted(_) | State::GivingWay(_), Resume::Throw(error)) => Err(error),
            (State::Unstarted(work), _) => work.start(py),
            (State::Waiting(work, waiter), input) => work.go_on(py, waiter.bind(py), input),
            (State::GivingWay(state), _) => {
                unpause(state.get().flow.get(), state.get().protocol.bind(py))
            }
            (State::Delegating(inner, earlier), input) => delegate(py, inner, earlier, input),
        };
        match outcome {
            Ok(Progress::Suspended(value, state)) => {
                ffi::track(coroutine);
                finish.keep(state);
                Ok(Step::Yielded(value))
            }
            Ok(Progress::Done(result)) => Ok(Step::Returned(result)),
            // To the caller it would look like a result (PEP 479).
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                let surprise = PyRuntimeError::new_err("coroutine raised StopIteration");
                surprise.set_cause(py, Some(error));
                Err(surprise)
            }
            Err(error) => Err(error),
        }
    }
}

/// Finishes a coroutine, unless it is told what else to do.
struct FinishOnDrop<'a>(&'a RefCell<State>);

impl FinishOnDrop<'_> {
    fn keep(self, state: State) {
        drop(self.0.replace(state));
        std::mem::forget(self);
    }
}

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.0.replace(State::Finished));
    }
}

/// How far a coroutine went.
enum Progress {
    Suspended(Py<PyAny>, State),
    Done(Py<PyAny>),
}

impl Work {
    fn start(self, py: Python<'_>) -> PyResult<Progress> {
        match self {
            Self::Read(work) => work.start(py),
            Self::Unpause(protocol, flow) => unpause(flow.get(), protocol.bind(py)),
            Self::Drain(writer, state) if !state.get().holds(py) => {
                let inner = PyCoroutine::of_awaitable(&writer::drain_in_python(writer.bind(py))?)?;
                delegate(py, inner, Vec::new(), Resume::Next)
            }
            Self::Drain(_, state) if writer::is_closing(py, state.get())? => {
                Ok(Progress::Suspended(py.None(), State::GivingWay(state)))
            }
            Self::Drain(_, state) => unpause(state.get().flow.get(), state.get().protocol.bind(py)),
        }
    }
}

fn unpause(flow: &Flow, protocol: &Bound<'_, PyAny>) -> PyResult<Progress> {
    match writer::obstacle(flow, protocol)? {
        None => Ok(Progress::Done(protocol.py().None())),
        Some(waiting) => {
            let inner = PyCoroutine::of_awaitable(&waiting)?;
            delegate(protocol.py(), inner, Vec::new(), Resume::Next)
        }
    }
}

impl ReadWork {
    fn start(mut self, py: Python<'_>) -> PyResult<Progress> {
        let state = self.state.bind(py).clone();
        if state.get().state(py).is_given_back.get() {
            return self.hand_over(py);
        }
        let read = self.reading.begin(py, state.get())?;
        self.proceed(py, read)
    }

    fn go_on(
        mut self,
        py: Python<'_>,
        waiter: &Bound<'_, PyAny>,
        input: Resume,
    ) -> PyResult<Progress> {
        let state = self.state.bind(py).clone();
        let is_given_back = state.get().state(py).is_given_back.get();
        if is_given_back {
            self.reader.bind(py).setattr(intern!(py, "_waiter"), py.None())?;
        } else {
            drop(state.get().state(py).waiter.take());
        }
        match input {
            Resume::Throw(error) => return Err(error),
            Resume::Send(_) | Resume::Next => waiter::check(waiter)?,
        }
        if is_given_back {
            return self.hand_over_awake(py);
        }
        let read = self.reading.go_on(py, state.get())?;
        self.proceed(py, read)
    }

    fn proceed(self, py: Python<'_>, read: Read<'_>) -> PyResult<Progress> {
        let method = match read {
            Read::Done(result) => return Ok(Progress::Done(result.unbind())),
            Read::Waits(method) => method,
        };
        let waiter = self.state.bind(py).get().wait(py, method)?.unbind();
        Ok(Progress::Suspended(waiter.clone_ref(py), State::Waiting(self, waiter)))
    }

    /// Leaves the rest to asyncio's own method.
    fn hand_over(self, py: Python<'_>) -> PyResult<Progress> {
        let (inner, earlier) = self.reading.in_python(self.reader.bind(py))?;
        delegate(py, PyCoroutine::of_awaitable(&inner)?, earlier, Resume::Next)
    }

    /// The same when more has arrived: an exception that was set meanwhile is for whoever reads next.
    fn hand_over_awake(mut self, py: Python<'_>) -> PyResult<Progress> {
        if let Some(result) = self.reading.take_block_in_python(self.reader.bind(py))? {
            return Ok(Progress::Done(result.unbind()));
        }
        if matches!(self.reading, Reading::All(_)) {
            return self.hand_over(py);
        }
        let (name, reader) = (intern!(py, "_exception"), self.reader.bind(py).clone());
        let exception = reader.getattr(name)?;
        reader.setattr(name, py.None())?;
        let progress = self.hand_over(py);
        reader.setattr(name, exception)?;
        progress
    }
}

/// Resumes a coroutine of asyncio's.
fn delegate(
    py: Python<'_>,
    mut inner: PyCoroutine,
    earlier: Vec<u8>,
    input: Resume,
) -> PyResult<Progress> {
    match Pin::new(&mut inner).resume(input) {
        Step::Yielded(value) => Ok(Progress::Suspended(value, State::Delegating(inner, earlier))),
        Step::Returned(result) if earlier.is_empty() => result.map(Progress::Done),
        Step::Returned(result) => {
            let rest = result?;
            let all = [&earlier, rest.bind(py).cast::<PyBytes>()?.as_bytes()].concat();
            Ok(Progress::Done(PyBytes::new(py, &all).into_any().unbind()))
        }
    }
}

#[pymethods]
impl StreamCoroutine {
    /// Resume with a value; raise StopIteration with the result when it returns.
    fn send(slf: &Bound<'_, Self>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        yielded(Self::resume(slf, Resume::Send(value))?)
    }

    /// Raise an exception where the coroutine waits.
    #[pyo3(signature = (typ, val=None, tb=None))]
    fn throw(
        slf: &Bound<'_, Self>,
        typ: &Bound<'_, PyAny>,
        val: Option<&Bound<'_, PyAny>>,
        tb: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        yielded(Self::resume(slf, Resume::Throw(thrown(typ, val, tb)?))?)
    }

    /// Raise GeneratorExit where the coroutine waits, so that it ends.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if matches!(&*slf.get().state.get(py).borrow(), State::Finished) {
            return Ok(());
        }
        match Self::resume(slf, Resume::Throw(PyGeneratorExit::new_err(()))) {
            Ok(Step::Yielded(_)) => Err(PyRuntimeError::new_err("coroutine ignored GeneratorExit")),
            Ok(Step::Returned(_)) => Ok(()),
            Err(error) if error.is_instance_of::<PyGeneratorExit>(py) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        match Self::resume(slf, Resume::Next)? {
            Step::Yielded(value) => Ok(Some(value)),
            Step::Returned(result) => {
                ffi::return_from_iterator(result.bind(slf.py()));
                Ok(None)
            }
        }
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    #[getter]
    fn __qualname__(&self) -> &'static str {
        self.name
    }

    #[getter]
    fn cr_running(&self, py: Python<'_>) -> bool {
        matches!(&*self.state.get(py).borrow(), State::Running)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<coroutine object {} at {:?}>", slf.get().name, slf.as_ptr())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.visit().try_borrow().map_or(Ok(()), |state| state.traverse(visit))
    }

    fn __clear__(&self) {
        drop(self.state.visit().replace(State::Finished));
    }
}

impl State {
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Unstarted(Work::Read(work)) => work.traverse(visit),
            Self::Unstarted(Work::Drain(object, _) | Work::Unpause(object, _)) => {
                visit.call(object)
            }
            Self::GivingWay(state) => visit.call(state),
            Self::Waiting(work, waiter) => {
                visit.call(waiter)?;
                work.traverse(visit)
            }
            Self::Delegating(inner, _) => visit.call(inner.object()),
            Self::Running | Self::Finished => Ok(()),
        }
    }
}

impl ReadWork {
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.reader)?;
        visit.call(&self.state)
    }
}

fn yielded(resumed: Resumed) -> PyResult<Py<PyAny>> {
    match resumed {
        Step::Yielded(value) => Ok(value),
        Step::Returned(result) => Err(PyStopIteration::new_err((result,))),
    }
}

impl Drop for StreamCoroutine {
    fn drop(&mut self) {
        Python::attach(|py| {
            if let State::Unstarted(_) = &*self.state.get(py).borrow() {
                warn_never_awaited(py, self.name);
            }
        });
    }
}
