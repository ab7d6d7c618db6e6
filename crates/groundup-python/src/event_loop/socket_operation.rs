//! An operation on a socket as a coroutine: tried at once, and then each time the socket is ready.

use groundup::coroutine::Step;
use groundup::poller::Readiness;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::EventLoop;
use super::socket::{Attempt, Socket};
use super::socket_waits::Wait;
use crate::coroutine::Resume;
use crate::native_coroutine::{self, Goal, NativeCoroutine, NativeStep, Operation};
use crate::streams::waiter;

/// What is done with a socket.
pub trait Act: 'static {
    /// The direction in which the socket has to be ready.
    const DIRECTION: Readiness;

    /// Checks what the act was given, once, before it is first tried.
    ///
    /// # Errors
    ///
    /// Those of the method.
    fn prepare(&mut self, py: Python<'_>, socket: &Socket) -> PyResult<()> {
        let _ = (py, socket);
        Ok(())
    }

    /// Tries it.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn attempt(&mut self, py: Python<'_>, socket: &Socket) -> Attempt<Py<PyAny>>;

    /// Shows the garbage collector what the act was given.
    ///
    /// # Errors
    ///
    /// Those of `visit`.
    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let _ = visit;
        Ok(())
    }
}

/// An act, repeated until the socket is ready for it.
struct SocketOperation<A> {
    /// Ends before the socket is let go.
    wait: Option<Wait>,
    socket: Socket,
    act: A,
}

/// Makes a coroutine of an act.
///
/// # Errors
///
/// `MemoryError`.
pub fn coroutine<A: Act>(
    event_loop: &Bound<'_, EventLoop>,
    name: &'static str,
    socket: Py<PyAny>,
    act: A,
) -> PyResult<Py<NativeCoroutine>> {
    let socket = Socket::unchecked(event_loop.clone().unbind(), socket);
    let operation = SocketOperation { wait: None, socket, act };
    native_coroutine::of_operation(event_loop.py(), name, operation)
}

impl<A: Act> SocketOperation<A> {
    fn step(&mut self, py: Python<'_>) -> PyResult<NativeStep> {
        if !self.socket.is_checked() {
            self.socket.check(py)?;
            self.act.prepare(py, &self.socket)?;
        }
        if let Some(result) = self.act.attempt(py, &self.socket)? {
            return Ok(Step::Returned(Ok(result)));
        }
        let wait = Wait::begin(py, &self.socket, A::DIRECTION)?;
        let future = wait.future().bind(py).clone();
        waiter::mark_awaited(&future)?;
        self.wait = Some(wait);
        Ok(Step::Yielded(future.unbind()))
    }
}

impl<A: Act> Operation for SocketOperation<A> {
    fn resume(&mut self, py: Python<'_>, input: Resume) -> NativeStep {
        drop(self.wait.take());
        let outcome = match input {
            Resume::Throw(error) => Err(error),
            Resume::Send(_) | Resume::Next => self.step(py),
        };
        outcome.unwrap_or_else(|error| Step::Returned(Err(error)))
    }

    fn goal(&self) -> Option<Goal> {
        self.wait.as_ref().map(|_| Goal::Socket(self.socket.descriptor(), A::DIRECTION))
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.socket.event_loop)?;
        visit.call(&self.socket.socket)?;
        visit.call(self.wait.as_ref().map(Wait::future))?;
        self.act.traverse(visit)
    }
}
