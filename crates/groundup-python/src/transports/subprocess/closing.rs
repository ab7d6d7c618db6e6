//! The end of a subprocess transport.

use pyo3::exceptions::{PyPermissionError, PyProcessLookupError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{PIPES, Stage, SubprocessTransport};
use crate::imports;
use crate::warnings::warn_unclosed;

impl SubprocessTransport {
    /// A pipe is lost; the protocol hears of it.
    pub(super) fn pipe_lost(
        process: &Bound<'_, Self>,
        fd: usize,
        reason: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let told = process.get().tell_protocol(process.py(), "pipe_connection_lost", (fd, reason));
        Self::try_to_finish(process)?;
        told
    }

    /// Calls `connection_lost`, if the child has exited and all pipes are lost.
    pub(super) fn try_to_finish(process: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (process.py(), process.get());
        let state = this.state(py);
        let all_lost = state.pipes.borrow().iter().flatten().all(|pipe| pipe.get().is_lost(py));
        if state.returncode.get().is_none() || !all_lost || state.is_finished.replace(true) {
            return Ok(());
        }
        let callback = process.getattr(intern!(py, "_call_connection_lost"))?;
        this.call(callback, PyTuple::new(py, [py.None()])?)
    }

    /// Closes the pipes, and kills the child if it runs.
    pub(super) fn close_process(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state(py);
        if state.is_closed.replace(true) {
            return Ok(());
        }
        let closed = self.close_pipes(py);
        self.kill_if_running(py)?;
        closed
    }

    fn close_pipes(&self, py: Python<'_>) -> PyResult<()> {
        // On a closed loop nobody would hear of it; the files are closed with the transports.
        if self.event_loop.get().check_open(py).is_err() {
            return Ok(());
        }
        for fd in 0..PIPES.len() {
            if let Some(transport) = self.pipe(py, fd).and_then(|pipe| pipe.get().transport(py)) {
                transport.call_method0(py, intern!(py, "close"))?;
            }
        }
        Ok(())
    }

    fn kill_if_running(&self, py: Python<'_>) -> PyResult<()> {
        let popen = self.popen.bind(py);
        let is_known = self.state(py).returncode.get().is_some()
            || !popen.getattr(intern!(py, "returncode"))?.is_none();
        if is_known || !self.child.is_running(py) {
            return Ok(());
        }
        if self.event_loop.get().is_debug(py) {
            let message = "Close running child process: kill <%s>";
            imports::logger(py)?.call_method1("warning", (message, self.describe(py)?))?;
        }
        match popen.call_method0(intern!(py, "kill")) {
            // It has just exited, or runs as another user.
            Err(error)
                if error.is_instance_of::<PyProcessLookupError>(py)
                    || error.is_instance_of::<PyPermissionError>(py) =>
            {
                Ok(())
            }
            outcome => outcome.map(drop),
        }
    }

    /// Closes a transport whose pipes could not all be connected; unless it has heard of the process
    /// already, the protocol hears nothing.
    ///
    /// # Errors
    ///
    /// What closing the files raises.
    pub fn abandon(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.state(py);
        if state.stage.get() == Stage::Connecting {
            state.stage.set(Stage::Abandoned);
            drop(state.pending.take());
        }
        let closed = self.close_unconnected(py);
        self.close_process(py)?;
        closed
    }

    fn close_unconnected(&self, py: Python<'_>) -> PyResult<()> {
        for (fd, name) in PIPES.into_iter().enumerate() {
            if let Some(pipe) = self.pipe(py, fd)
                && pipe.get().transport(py).is_none()
            {
                self.popen.getattr(py, name)?.call_method0(py, intern!(py, "close"))?;
            }
        }
        Ok(())
    }
}

#[pymethods]
impl SubprocessTransport {
    fn _call_connection_lost(&self, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = exc.py();
        let state = self.state(py);
        let protocol = state.protocol.borrow().as_ref().map(|protocol| protocol.clone_ref(py));
        let told = match protocol {
            Some(protocol) => protocol.call_method1(py, intern!(py, "connection_lost"), (exc,)),
            None => Ok(py.None()),
        };
        drop(state.protocol.take());
        state.has_ended.set(true);
        self.settle_waiters(py)?;
        told.map(drop)
    }
}

impl Drop for SubprocessTransport {
    fn drop(&mut self) {
        Python::attach(|py| {
            if self.state(py).is_closed.get() {
                return;
            }
            let description = self.describe(py).unwrap_or_else(|_| "SubprocessTransport".into());
            warn_unclosed(py, &format!("<{description}>"), || self.close_process(py));
        });
    }
}
