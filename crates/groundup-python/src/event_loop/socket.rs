//! A socket that the sock_ methods work on: what is checked of it, and how it is waited for.

use std::os::fd::RawFd;

use groundup::poller::Readiness;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use rustix::io::Errno;

use super::EventLoop;
use super::socket_waits::Wait;
use crate::native_coroutine::{Awaiter, Goal};
use crate::recording::Connection;
use crate::{errors, imports};

/// A socket that a sock_ method works on.
pub struct Socket {
    pub event_loop: Py<EventLoop>,
    pub socket: Py<PyAny>,
    descriptor: RawFd,
}

impl Socket {
    /// A socket, of which nothing is known yet.
    pub fn unchecked(event_loop: Py<EventLoop>, socket: Py<PyAny>) -> Self {
        Self { event_loop, socket, descriptor: -1 }
    }

    /// A socket that can be worked on.
    ///
    /// # Errors
    ///
    /// Those of [`Socket::check`].
    pub fn checked(event_loop: &Py<EventLoop>, socket: &Py<PyAny>) -> PyResult<Self> {
        Python::attach(|py| {
            let mut checked = Self::unchecked(event_loop.clone_ref(py), socket.clone_ref(py));
            checked.check(py).map(|()| checked)
        })
    }

    /// Checks that the socket can be worked on, and finds out its descriptor.
    ///
    /// # Errors
    ///
    /// `TypeError` for a TLS socket, `ValueError` in debug mode for one that blocks, `OSError` for one
    /// that is closed.
    pub fn check(&mut self, py: Python<'_>) -> PyResult<()> {
        let socket = self.socket.bind(py);
        check_no_tls(socket)?;
        let blocks = || socket.call_method0("gettimeout")?.ne(0);
        if self.event_loop.get().is_debug(py) && blocks()? {
            return Err(PyValueError::new_err("the socket must be non-blocking"));
        }
        self.descriptor = socket.call_method0(intern!(py, "fileno"))?.extract()?;
        if self.descriptor < 0 {
            return Err(errors::os_error(&Errno::BADF.into()));
        }
        Ok(())
    }

    /// Whether it is known that the socket can be worked on.
    pub fn is_checked(&self) -> bool {
        self.descriptor >= 0
    }

    /// The socket's descriptor.
    pub fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    /// Says that a connection of the program's own was opened, if anybody records.
    pub fn tell_open(&self, py: Python<'_>, descriptor: RawFd) {
        self.event_loop.get().tell_open(py, descriptor, || Connection::of_stream(descriptor));
    }

    /// Waits until the socket is writable, which it may be all the time.
    ///
    /// # Errors
    ///
    /// What is thrown into the coroutine meanwhile.
    pub async fn wait_writable(&self, awaiter: &Awaiter) -> PyResult<()> {
        let wait = Python::attach(|py| Wait::begin_anew(py, self, Readiness::WRITABLE))?;
        let ready = Python::attach(|py| wait.future().clone_ref(py));
        let goal = Goal::Socket(self.descriptor, Readiness::WRITABLE);
        awaiter.wait_for(goal, ready).await.map(drop)
    }
}

/// What an operation came to: a result, `None` when the socket is not ready, or an exception.
pub type Attempt<T> = PyResult<Option<T>>;

/// The outcome of a system call, `None` if it would have blocked.
pub fn unless_would_block<T>(outcome: rustix::io::Result<T>) -> Attempt<T> {
    match outcome {
        Ok(result) => Ok(Some(result)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(errors::os_error(&error.into())),
    }
}

/// The outcome of a socket's method, `None` if it would have blocked.
pub fn unless_blocked<T>(outcome: PyResult<T>) -> Attempt<T> {
    Python::attach(|py| match outcome {
        Err(error) if errors::would_block(py, &error) => Ok(None),
        outcome => outcome.map(Some),
    })
}

/// Says that a socket is a TLS socket, if it is: asyncio does TLS by itself.
pub fn check_no_tls(socket: &Bound<'_, PyAny>) -> PyResult<()> {
    if imports::socket(socket.py()).is_ok_and(|class| socket.get_type().is(class)) {
        return Ok(());
    }
    // Without the module `ssl` there are none.
    if let Ok(class) = imports::ssl_socket(socket.py())
        && socket.is_instance(class)?
    {
        return Err(PyTypeError::new_err("Socket cannot be of type SSLSocket"));
    }
    Ok(())
}
