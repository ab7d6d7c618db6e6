//! A child process as the kernel knows it: its number, and a descriptor that stands for it.
//!
//! The descriptor cannot come to mean another process, as a number does when the child was reaped.
//! Where there is none (old kernels, sandboxes), the number has to do.

use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

use pyo3::prelude::*;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::errors;
use crate::gil::GilBound;

/// A child process that was not waited for yet, or was by somebody else.
pub struct Child {
    pid: Pid,
    pidfd: GilBound<RefCell<Option<Rc<OwnedFd>>>>,
}

impl Child {
    /// The child with a number.
    ///
    /// # Errors
    ///
    /// `ProcessLookupError` when it is not positive.
    pub fn new(pid: i32) -> PyResult<Self> {
        let pid = (pid > 0).then(|| Pid::from_raw(pid)).flatten();
        let pid = pid.ok_or_else(|| errors::os_error(&Errno::SRCH.into()))?;
        Ok(Self { pid, pidfd: GilBound::default() })
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Opens the descriptor, which is readable once the child has exited.
    ///
    /// # Errors
    ///
    /// `SRCH` when the child was reaped already; `NOSYS`, `PERM` and others where there is no such
    /// descriptor.
    pub fn open(&self, py: Python<'_>) -> rustix::io::Result<RawFd> {
        let pidfd = pidfd_open(self.pid, PidfdFlags::empty())?;
        let descriptor = pidfd.as_raw_fd();
        self.pidfd.get(py).replace(Some(Rc::new(pidfd)));
        Ok(descriptor)
    }

    /// The descriptor, if it is open.
    pub fn descriptor(&self, py: Python<'_>) -> Option<RawFd> {
        self.pidfd.get(py).borrow().as_ref().map(|pidfd| pidfd.as_raw_fd())
    }

    /// Closes the descriptor.
    pub fn close(&self, py: Python<'_>) {
        drop(self.pidfd.get(py).take());
    }

    /// Whether it has not exited; nobody's waiting for it is disturbed.
    pub fn is_running(&self, py: Python<'_>) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.with_id(py, |id| matches!(waitid(id, options), Ok(None)))
    }

    /// Waits for the exit without taking the status.
    pub fn await_exit(&self, py: Python<'_>) {
        // An error means that there is nothing to wait for.
        let _ = self.wait(py, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }

    /// Takes the status of the child, which has exited, as Popen numbers it: the exit code, or the
    /// negative number of a signal.
    ///
    /// # Errors
    ///
    /// `CHILD` when somebody else has taken it.
    pub fn reap(&self, py: Python<'_>) -> rustix::io::Result<i32> {
        self.wait(py, WaitIdOptions::EXITED)
    }

    fn wait(&self, py: Python<'_>, options: WaitIdOptions) -> rustix::io::Result<i32> {
        self.with_id(py, |id| {
            py.detach(|| {
                loop {
                    match waitid(id.clone(), options) {
                        Err(Errno::INTR) | Ok(None) => {}
                        Err(error) => return Err(error),
                        Ok(Some(status)) => {
                            let signal = status.terminating_signal().map(|signal| -signal);
                            return signal.or(status.exit_status()).ok_or(Errno::CHILD);
                        }
                    }
                }
            })
        })
    }

    fn with_id<T>(&self, py: Python<'_>, body: impl FnOnce(WaitId<'_>) -> T) -> T {
        let pidfd = self.pidfd.get(py).borrow().clone();
        let pidfd: Option<BorrowedFd<'_>> = pidfd.as_ref().map(|pidfd| pidfd.as_fd());
        body(pidfd.map_or(WaitId::Pid(self.pid), WaitId::PidFd))
    }
}
