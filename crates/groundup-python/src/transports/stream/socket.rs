//! The socket of a stream: a descriptor, until Python asks for a socket object.

use std::os::fd::{IntoRawFd, OwnedFd};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::imports;

/// Who owns the descriptor of a stream.
#[derive(Debug)]
pub enum StreamSocket {
    /// A Python socket, as create_connection makes or is given.
    Python(Py<PyAny>),
    /// The stream itself, as of an accepted connection.
    Owned(OwnedFd),
}

impl StreamSocket {
    /// Makes the owner a Python socket, if it is not one yet, and returns it.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Python(socket) => Ok(socket),
            Self::Owned(fd) => {
                let keywords = PyDict::new(py);
                keywords.set_item("fileno", fd.into_raw_fd())?;
                let socket = imports::socket(py)?.call((), Some(&keywords))?;
                socket.call_method1("setblocking", (false,))?;
                Ok(socket.unbind())
            }
        }
    }

    /// A Python socket that is closed, to stand for one that is gone.
    pub fn closed(py: Python<'_>) -> PyResult<Py<PyAny>> {
        let socket = imports::socket(py)?.call0()?;
        socket.call_method0("close")?;
        Ok(socket.unbind())
    }

    /// Closes the descriptor.
    ///
    /// # Errors
    ///
    /// Those of the Python socket's close().
    pub fn close(self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Python(socket) => socket.call_method0(py, "close").map(drop),
            Self::Owned(fd) => {
                drop(fd);
                Ok(())
            }
        }
    }
}
