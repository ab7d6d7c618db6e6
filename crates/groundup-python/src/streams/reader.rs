//! What a stream's reader holds, as long as nobody looks into it: what arrives, and who waits for it.
//!
//! It stands for the attributes of `asyncio.StreamReader`, and changes as they do. It must not know
//! which object of Python's it belongs to: that refers to it.

use std::cell::{Cell, RefCell};

use pyo3::exceptions::{PyAssertionError, PyNotImplementedError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::received::Received;
use super::waiter;
use crate::event_loop::EventLoop;
use crate::gil::GilBound;

/// The state of a reader.
#[pyclass(frozen, module = "groundup._groundup")]
pub struct ReaderState {
    event_loop: Py<EventLoop>,
    state: GilBound<State>,
}

/// What changes in the life of a reader.
pub struct State {
    pub received: RefCell<Received>,
    /// In bytes.
    pub limit: Cell<usize>,
    pub is_eof: Cell<bool>,
    pub is_paused: Cell<bool>,
    /// Python's attributes hold what this held, and count from now on.
    pub is_given_back: Cell<bool>,
    /// A future for when more has arrived.
    pub waiter: RefCell<Option<Py<PyAny>>>,
    pub exception: RefCell<Option<Py<PyAny>>>,
    pub transport: RefCell<Option<Py<PyAny>>>,
}

impl ReaderState {
    /// The state of a reader that has received nothing.
    pub fn new(event_loop: Py<EventLoop>, limit: usize, transport: Option<Py<PyAny>>) -> Self {
        let state = State {
            received: RefCell::default(),
            limit: Cell::new(limit),
            is_eof: Cell::default(),
            is_paused: Cell::default(),
            is_given_back: Cell::default(),
            waiter: RefCell::default(),
            exception: RefCell::default(),
            transport: RefCell::new(transport),
        };
        Self { event_loop, state: GilBound::new(state) }
    }

    /// Its loop.
    pub fn event_loop<'py>(&self, py: Python<'py>) -> &Bound<'py, EventLoop> {
        self.event_loop.bind(py)
    }

    /// What changes in its life.
    pub fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    /// A reference to one of the objects it holds.
    pub fn held<'py>(
        py: Python<'py>,
        cell: &RefCell<Option<Py<PyAny>>>,
    ) -> Option<Bound<'py, PyAny>> {
        cell.borrow().as_ref().map(|object| object.bind(py).clone())
    }

    /// Takes in what has arrived, and wakes who waits for it.
    ///
    /// # Errors
    ///
    /// `AssertionError` after the end; what the transport raises when it is to pause.
    pub fn feed(&self, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        let (py, state) = (data.py(), self.state(data.py()));
        if state.is_eof.get() {
            return Err(PyAssertionError::new_err("feed_data after feed_eof"));
        }
        if data.as_bytes().is_empty() {
            return Ok(());
        }
        state.received.borrow_mut().push(data);
        self.wake(py)?;
        let len = state.received.borrow().len(py);
        if len > 2 * state.limit.get() && !state.is_paused.get() { self.pause(py) } else { Ok(()) }
    }

    /// Takes so many bytes that have arrived, at most all there are.
    pub fn take<'py>(&self, py: Python<'py>, count: usize) -> Bound<'py, PyBytes> {
        let spares = self.event_loop.get().spares(py);
        self.state(py).received.borrow_mut().take(py, count, spares)
    }

    fn pause(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state(py);
        let Some(transport) = Self::held(py, &state.transport) else { return Ok(()) };
        match transport.call_method0(intern!(py, "pause_reading")) {
            Ok(_) => state.is_paused.set(true),
            // It cannot be paused: it is not to be asked again.
            Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => {
                drop(state.transport.take());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Says that no more will arrive.
    ///
    /// # Errors
    ///
    /// What the future of who waits raises.
    pub fn feed_eof(&self, py: Python<'_>) -> PyResult<()> {
        self.state(py).is_eof.set(true);
        self.wake(py)
    }

    /// Has all reading raise an exception from now on.
    ///
    /// # Errors
    ///
    /// What the future of who waits raises.
    pub fn fail(&self, exception: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, state) = (exception.py(), self.state(exception.py()));
        let kept = (!exception.is_none()).then(|| exception.clone().unbind());
        drop(state.exception.replace(kept));
        match state.waiter.take() {
            Some(waiter) if !waiter::is_cancelled(waiter.bind(py))? => {
                waiter.call_method1(py, intern!(py, "set_exception"), (exception,)).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn wake(&self, py: Python<'_>) -> PyResult<()> {
        let waiter = self.state(py).waiter.take();
        waiter.map_or(Ok(()), |waiter| waiter::wake(waiter.bind(py)))
    }

    /// A future for when more has arrived; `method` is what waits for it.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when somebody waits already; what the transport raises when it is to go on.
    pub fn wait<'py>(&self, py: Python<'py>, method: &str) -> PyResult<Bound<'py, PyAny>> {
        let state = self.state(py);
        if state.waiter.borrow().is_some() {
            let message = "called while another coroutine is already waiting for incoming data";
            return Err(PyRuntimeError::new_err(format!("{method}() {message}")));
        }
        if state.is_paused.replace(false) {
            self.resume_transport(py)?;
        }
        let waiter = waiter::create(self.event_loop.bind(py))?;
        drop(state.waiter.replace(Some(waiter.clone().unbind())));
        Ok(waiter)
    }

    /// Lets the transport go on, if it was paused and little enough is left.
    ///
    /// # Errors
    ///
    /// What the transport raises.
    pub fn go_on(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state(py);
        if !state.is_paused.get() || state.received.borrow().len(py) > state.limit.get() {
            return Ok(());
        }
        state.is_paused.set(false);
        self.resume_transport(py)
    }

    fn resume_transport(&self, py: Python<'_>) -> PyResult<()> {
        let transport = Self::held(py, &self.state(py).transport);
        let transport = transport.unwrap_or_else(|| py.None().into_bound(py));
        transport.call_method0(intern!(py, "resume_reading")).map(drop)
    }

    /// Raises the exception that was set.
    ///
    /// # Errors
    ///
    /// That exception.
    pub fn check(&self, py: Python<'_>) -> PyResult<()> {
        match Self::held(py, &self.state(py).exception) {
            Some(exception) => Err(PyErr::from_value(exception)),
            None => Ok(()),
        }
    }
}

#[pymethods]
impl ReaderState {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        visit.call(&self.event_loop)?;
        for cell in [&state.waiter, &state.exception, &state.transport] {
            cell.try_borrow().map_or(Ok(()), |object| visit.call(&*object))?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let state = self.state.visit();
        for cell in [&state.waiter, &state.exception, &state.transport] {
            drop(cell.take());
        }
    }
}
