//! The exit of a child: noticed through its descriptor, or by a thread where there is none.

use groundup::poller::Readiness;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rustix::io::Errno;

use super::{Stage, SubprocessTransport};
use crate::imports;
use crate::transports::calls;

/// What the return code is said to be when somebody else has taken the status.
const UNKNOWN: i32 = 255;

impl SubprocessTransport {
    /// Has the loop notice the exit of the child.
    pub(super) fn watch_exit(process: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (process.py(), process.get());
        let descriptor = match this.child.open(py) {
            Ok(descriptor) => descriptor,
            // It was reaped already, as it is where SIGCHLD is ignored.
            Err(Errno::SRCH) => {
                let reap = process.getattr(intern!(py, "_reap"))?;
                return this.call_soon(reap, PyTuple::empty(py));
            }
            Err(_) => return Self::wait_in_thread(process),
        };
        let callback = process.getattr(intern!(py, "_exit_ready"))?;
        let event_loop = this.event_loop.bind(py);
        calls::call_when_ready(event_loop, descriptor, Readiness::READABLE, callback)
    }

    /// Starts a thread that waits for the exit.
    fn wait_in_thread(process: &Bound<'_, Self>) -> PyResult<()> {
        let py = process.py();
        let keywords = PyDict::new(py);
        keywords.set_item("target", process.getattr("_await_exit")?)?;
        keywords.set_item("name", format!("groundup-waitpid-{}", process.get().child.pid()))?;
        keywords.set_item("daemon", true)?;
        imports::thread(py)?.call((), Some(&keywords))?.call_method0("start").map(drop)
    }

    /// The return code of the child, which has exited; none if somebody else has taken the status.
    fn take_status(&self, py: Python<'_>) -> PyResult<Option<i32>> {
        let popen = self.popen.bind(py);
        // A thread that waits through Popen holds this until it has said what it found.
        let Some(lock) = popen.getattr_opt(intern!(py, "_waitpid_lock"))? else {
            return self.take_status_locked(popen);
        };
        lock.call_method0(intern!(py, "acquire"))?;
        let outcome = self.take_status_locked(popen);
        lock.call_method0(intern!(py, "release"))?;
        outcome
    }

    fn take_status_locked(&self, popen: &Bound<'_, PyAny>) -> PyResult<Option<i32>> {
        let py = popen.py();
        let known = popen.getattr(intern!(py, "returncode"))?;
        if !known.is_none() {
            return known.extract();
        }
        let returncode = self.child.reap(py).ok();
        popen.setattr(intern!(py, "returncode"), returncode.unwrap_or(UNKNOWN))?;
        Ok(returncode)
    }

    fn warn_unknown(&self, py: Python<'_>) -> PyResult<()> {
        let message = "child process pid %d exit status already read: will report returncode 255";
        imports::logger(py)?.call_method1("warning", (message, self.child.pid())).map(drop)
    }

    /// Tells everybody that the child has exited.
    fn exited(process: &Bound<'_, Self>, returncode: i32) -> PyResult<()> {
        let (py, this) = (process.py(), process.get());
        if this.event_loop.get().is_debug(py) {
            let args = ("%r exited with return code %r", process, returncode);
            imports::logger(py)?.call_method1("info", args)?;
        }
        let state = this.state(py);
        state.returncode.set(Some(returncode));
        let told = this.tell_protocol(py, "process_exited", ());
        if tells_of_exit_at_once(py) || state.stage.get() == Stage::Abandoned {
            this.settle_waiters(py)?;
        }
        Self::try_to_finish(process)?;
        told
    }

    /// Wakes who waits for the exit.
    pub(super) fn settle_waiters(&self, py: Python<'_>) -> PyResult<()> {
        let returncode = self.state(py).returncode.get();
        for waiter in self.state(py).waiters.take() {
            let waiter = waiter.bind(py);
            if !waiter.call_method0(intern!(py, "done"))?.is_truthy()? {
                waiter.call_method1(intern!(py, "set_result"), (returncode,))?;
            }
        }
        Ok(())
    }
}

#[pymethods]
impl SubprocessTransport {
    fn _exit_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if let Some(descriptor) = this.child.descriptor(py) {
            this.event_loop.get().remove_watcher(py, descriptor, Readiness::READABLE)?;
        }
        if tells_of_exit_at_once(py) {
            return Self::_reap(slf);
        }
        this.call_soon(slf.getattr(intern!(py, "_reap"))?, PyTuple::empty(py))
    }

    /// Takes the status of the child, which has exited, and says so in the same breath, so that
    /// nobody sends a signal to a number that has become free.
    fn _reap(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let returncode = this.take_status(py)?;
        this.child.close(py);
        let logged = returncode.map_or_else(|| this.warn_unknown(py), |_| Ok(()));
        Self::exited(slf, returncode.unwrap_or(UNKNOWN)).and(logged)
    }

    /// What the thread does that waits for the exit.
    fn _await_exit(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        this.child.await_exit(py);
        let reap = slf.getattr("_reap")?;
        if this.event_loop.call_method1(py, "call_soon_threadsafe", (reap,)).is_ok() {
            return Ok(());
        }
        // The loop is closed: the child must not stay a zombie.
        this.take_status(py)?;
        let message = "Loop %r that handles pid %r is closed";
        let args = (message, &this.event_loop, this.child.pid());
        imports::logger(py)?.call_method1("warning", args).map(drop)
    }
}

/// Whether who waits hears of the exit at once, as from Python 3.14 on; before, the exit took another
/// turn, and waiting included the loss of all pipes.
fn tells_of_exit_at_once(py: Python<'_>) -> bool {
    py.version_info() >= (3, 14)
}
