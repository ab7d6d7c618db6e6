//! The path of a listening Unix socket, which outlives the socket unless it is removed.

use pyo3::exceptions::{PyFileNotFoundError, PyOSError};
use pyo3::prelude::*;

use crate::imports;

/// A path, and the inode that the socket made there.
pub struct UnixPath {
    path: Py<PyAny>,
    inode: u64,
}

impl UnixPath {
    /// The path of a bound Unix socket; none for an abstract name.
    ///
    /// # Errors
    ///
    /// Those of the socket and of `stat`, but for a path that is gone.
    pub fn of_socket(socket: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let path = socket.call_method0("getsockname")?;
        if is_abstract(&path)? {
            return Ok(None);
        }
        match inode(&path) {
            Ok(inode) => Ok(Some(Self { path: path.unbind(), inode })),
            Err(error) if error.is_instance_of::<PyFileNotFoundError>(path.py()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the path, unless another socket has taken it.
    ///
    /// # Errors
    ///
    /// Those of logging; what the system says is logged.
    pub fn remove(&self, py: Python<'_>) -> PyResult<()> {
        let path = self.path.bind(py);
        let outcome = inode(path).and_then(|inode| match inode == self.inode {
            true => py.import("os")?.call_method1("unlink", (path,)).map(drop),
            false => Ok(()),
        });
        match outcome {
            Err(error) if error.is_instance_of::<PyFileNotFoundError>(py) => Ok(()),
            Err(error) if error.is_instance_of::<PyOSError>(py) => {
                let format = "Unable to clean up listening UNIX socket %r: %r";
                let record = (format, path, error.value(py));
                imports::logger(py)?.call_method1("error", record).map(drop)
            }
            outcome => outcome,
        }
    }
}

/// Whether a name is abstract: it begins with NUL, or is empty.
pub fn is_abstract(path: &Bound<'_, PyAny>) -> PyResult<bool> {
    if path.is_empty()? {
        return Ok(true);
    }
    let first = path.get_item(0)?;
    Ok(first.eq(0)? || first.eq("\0")?)
}

fn inode(path: &Bound<'_, PyAny>) -> PyResult<u64> {
    path.py().import("os")?.call_method1("stat", (path,))?.getattr("st_ino")?.extract()
}
