//! The subprocess transport: a child process, its pipes, and the protocol that hears of both.
//!
//! `subprocess.Popen` starts the child; a pidfd tells the loop of its exit, on whatever thread the loop
//! runs. The protocol's methods are called in the order of asyncio: each in a turn of its own, what
//! comes before `connection_made` is kept until then, and `connection_lost` is last, when the child
//! has exited and all its pipes are lost.

mod child;
mod closing;
mod exit;
mod methods;
mod pipe;

use std::cell::{Cell, RefCell};

use pyo3::exceptions::PyProcessLookupError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use self::child::Child;
use self::pipe::PipeProtocol;
use super::calls;
use crate::event_loop::EventLoop;
use crate::ffi;
use crate::gil::GilBound;

/// What Popen calls its ends of the pipes, by the descriptor that the child knows them by.
const PIPES: [&str; 3] = ["stdin", "stdout", "stderr"];

/// A child process and its pipes; stands for `asyncio.SubprocessTransport`.
#[pyclass(frozen, weakref, dict, module = "groundup._groundup")]
pub struct SubprocessTransport {
    event_loop: Py<EventLoop>,
    popen: Py<PyAny>,
    child: Child,
    state: GilBound<State>,
}

/// What changes in the life of a child process.
#[derive(Default)]
struct State {
    protocol: RefCell<Option<Py<PyAny>>>,
    /// The protocols of the pipes that there are.
    pipes: RefCell<[Option<Py<PipeProtocol>>; 3]>,
    stage: Cell<Stage>,
    /// Calls of the protocol that wait for `connection_made`.
    pending: RefCell<Vec<(Py<PyAny>, Py<PyTuple>)>>,
    /// Futures of who waits for the exit.
    waiters: RefCell<Vec<Py<PyAny>>>,
    returncode: Cell<Option<i32>>,
    is_closed: Cell<bool>,
    is_finished: Cell<bool>,
    has_ended: Cell<bool>,
}

/// Whether the protocol hears of what happens.
#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    /// Not yet: the pipes are being connected.
    #[default]
    Connecting,
    /// It does.
    Open,
    /// It never will: the pipes could not be connected.
    Abandoned,
}

impl SubprocessTransport {
    /// The transport of a process that a Popen object has started.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the exit of the child can be waited for in no way; the child is killed.
    pub fn begin<'py>(
        event_loop: &Bound<'py, EventLoop>,
        popen: &Bound<'py, PyAny>,
        protocol: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let py = event_loop.py();
        let process = Self {
            event_loop: event_loop.clone().unbind(),
            popen: popen.clone().unbind(),
            child: Child::new(popen.getattr(intern!(py, "pid"))?.extract()?)?,
            state: GilBound::default(),
        };
        let process = ffi::create(py, process)?;
        let state = process.get().state(py);
        drop(state.protocol.replace(Some(protocol.clone().unbind())));
        for (fd, name) in PIPES.into_iter().enumerate() {
            if !popen.getattr(name)?.is_none() {
                let pipe =
                    ffi::create(py, PipeProtocol::new(process.clone().unbind(), fd))?.unbind();
                state.pipes.borrow_mut()[fd] = Some(pipe);
            }
        }
        if let Err(error) = Self::watch_exit(&process) {
            process.get().abandon(py)?;
            // It was killed, and nobody else will wait for it: for a second at most, should it be
            // somebody else's by now.
            let _ = popen.call_method1(intern!(py, "wait"), (1,));
            return Err(error);
        }
        Ok(process)
    }

    fn state<'a>(&'a self, py: Python<'a>) -> &'a State {
        self.state.get(py)
    }

    fn pipe(&self, py: Python<'_>, fd: usize) -> Option<Py<PipeProtocol>> {
        let pipes = self.state(py).pipes.borrow();
        pipes.get(fd)?.as_ref().map(|pipe| pipe.clone_ref(py))
    }

    /// The coroutines that connect the pipes, to be awaited one after the other.
    ///
    /// # Errors
    ///
    /// What the loop's methods raise.
    pub fn connecting(&self, py: Python<'_>, fd: usize) -> PyResult<Option<Py<PyAny>>> {
        let Some(pipe) = self.pipe(py, fd) else { return Ok(None) };
        let factory = move |args: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
            pipe.clone_ref(args.py())
        };
        let factory = PyCFunction::new_closure(py, None, None, factory)?;
        let method = if fd == 0 { "connect_write_pipe" } else { "connect_read_pipe" };
        let arguments = (factory, self.popen.getattr(py, PIPES[fd])?);
        self.event_loop.call_method1(py, method, arguments).map(Some)
    }

    /// Has the protocol hear of the process, and of what has happened before.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when the loop is closed.
    pub fn open(process: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (process.py(), process.get());
        this.state(py).stage.set(Stage::Open);
        this.tell_protocol(py, "connection_made", (process,))?;
        for (callback, args) in this.state(py).pending.take() {
            this.call_soon(callback.into_bound(py), args.into_bound(py))?;
        }
        Ok(())
    }

    /// Calls a method of the protocol in a turn of its own.
    fn tell_protocol<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        args: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>,
    ) -> PyResult<()> {
        let protocol = self.state(py).protocol.borrow().as_ref().map(|p| p.clone_ref(py));
        let Some(protocol) = protocol else { return Ok(()) };
        let args = args.into_pyobject(py).map_err(Into::into)?;
        self.call(protocol.bind(py).getattr(method)?, args)
    }

    /// Calls back in a turn of its own, after `connection_made`.
    fn call<'py>(&self, callback: Bound<'py, PyAny>, args: Bound<'py, PyTuple>) -> PyResult<()> {
        let state = self.state(callback.py());
        match state.stage.get() {
            Stage::Connecting => {
                state.pending.borrow_mut().push((callback.unbind(), args.unbind()));
                Ok(())
            }
            Stage::Open => self.call_soon(callback, args),
            Stage::Abandoned => Ok(()),
        }
    }

    fn call_soon<'py>(
        &self,
        callback: Bound<'py, PyAny>,
        args: Bound<'py, PyTuple>,
    ) -> PyResult<()> {
        let py = callback.py();
        calls::call_soon(self.event_loop.bind(py), callback, args)
    }

    /// Says that the process is gone, once the protocol has heard so.
    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if self.state(py).has_ended.get() {
            return Err(PyProcessLookupError::new_err(()));
        }
        Ok(())
    }

    /// The transport in words.
    fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let state = self.state(py);
        let mut words = vec!["SubprocessTransport".to_owned()];
        if state.is_closed.get() {
            words.push("closed".to_owned());
        }
        words.push(format!("pid={}", self.child.pid()));
        words.push(match state.returncode.get() {
            Some(returncode) => format!("returncode={returncode}"),
            None => "running".to_owned(),
        });
        for (fd, name) in PIPES.into_iter().enumerate() {
            let transport = self.pipe(py, fd).and_then(|pipe| pipe.get().transport(py));
            if let Some(transport) = transport {
                words.push(format!("{name}={}", transport.bind(py).repr()?));
            }
        }
        Ok(words.join(" "))
    }

    fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let state = self.state.visit();
        visit.call(&self.event_loop)?;
        visit.call(&self.popen)?;
        state.protocol.try_borrow().map_or(Ok(()), |protocol| visit.call(&*protocol))?;
        let pipes = state.pipes.try_borrow();
        pipes.map_or(Ok(()), |pipes| pipes.iter().try_for_each(|pipe| visit.call(pipe)))?;
        let waiters = state.waiters.try_borrow();
        waiters.map_or(Ok(()), |waiters| waiters.iter().try_for_each(|w| visit.call(w)))?;
        let Ok(pending) = state.pending.try_borrow() else { return Ok(()) };
        pending.iter().try_for_each(|(callback, args)| {
            visit.call(callback)?;
            visit.call(args)
        })
    }

    /// Lets go of everything but what is to be closed.
    fn clear(&self) {
        let state = self.state.visit();
        drop(state.protocol.take());
        drop(state.pending.take());
        drop(state.waiters.take());
    }
}
