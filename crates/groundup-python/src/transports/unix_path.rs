//! The path of a listening Unix socket, which outlives the socket unless it is removed.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{errors, imports};

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
        match status(&path) {
            Ok(status) => Ok(Some(Self { path: path.unbind(), inode: status.ino() })),
            Err(error) if error.value(path.py()).is_instance_of::<PyFileNotFoundError>() => {
                Ok(None)
            }
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
        let outcome = remove_if(path, |status| status.ino() == self.inode);
        log_if_failed(path, outcome, "Unable to clean up listening UNIX socket %r: %r")
    }
}

/// Removes the socket that an earlier run left where a new one is to be bound.
///
/// # Errors
///
/// `ValueError` for what cannot be a path; what the system says is logged, since the directory may
/// let one make sockets only.
pub fn remove_stale(path: &Bound<'_, PyAny>) -> PyResult<()> {
    let outcome = remove_if(path, |status| status.file_type().is_socket());
    log_if_failed(path, outcome, "Unable to check or remove stale UNIX socket %r: %r")
}

/// Whether a name is abstract: it begins with NUL, or is empty.
pub fn is_abstract(path: &Bound<'_, PyAny>) -> PyResult<bool> {
    if path.is_empty()? {
        return Ok(true);
    }
    let first = path.get_item(0)?;
    Ok(first.eq(0)? || first.eq("\0")?)
}

fn remove_if(path: &Bound<'_, PyAny>, wanted: impl Fn(&Metadata) -> bool) -> PyResult<()> {
    match wanted(&status(path)?) {
        true => fs::remove_file(to_system(path)?).map_err(|error| errors::os_error(&error)),
        false => Ok(()),
    }
}

fn log_if_failed(path: &Bound<'_, PyAny>, outcome: PyResult<()>, format: &str) -> PyResult<()> {
    let py = path.py();
    match outcome {
        Err(error) if error.value(py).is_instance_of::<PyFileNotFoundError>() => Ok(()),
        Err(error) if error.value(py).is_instance_of::<PyOSError>() => {
            let record = (format, path, errors::exception(py, &error));
            imports::logger(py)?.call_method1("error", record).map(drop)
        }
        outcome => outcome,
    }
}

fn status(path: &Bound<'_, PyAny>) -> PyResult<Metadata> {
    fs::metadata(to_system(path)?).map_err(|error| match error.kind() {
        // No system call has refused it.
        io::ErrorKind::InvalidInput => PyValueError::new_err("embedded null character in path"),
        _ => errors::os_error(&error),
    })
}

fn to_system(path: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    match path.cast::<PyBytes>() {
        Ok(bytes) => Ok(OsStr::from_bytes(bytes.as_bytes()).into()),
        Err(_) => path.extract(),
    }
}
