//! Files that the kernel sends, without their bytes passing through the program.

use std::os::fd::RawFd;

use pyo3::exceptions::PyConnectionError;
use pyo3::prelude::*;
use rustix::io::Errno;

use super::part::Part;
use crate::event_loop::EventLoop;
use crate::event_loop::socket::Socket;
use crate::native_coroutine::Awaiter;
use crate::transports::{FileSending, StreamTransport};
use crate::{errors, ffi, imports};

/// How much one call of the kernel is asked to send, in bytes; it takes no more (sendfile(2)).
const MOST: u64 = 0x7fff_f000;

/// A part of a file, and how far sending it has come.
struct Progress<'a> {
    part: &'a Part,
    file: RawFd,
    sent: u64,
}

impl<'a> Progress<'a> {
    /// # Errors
    ///
    /// `SendfileNotAvailableError` when it is no file of the system's.
    fn begin(part: &'a Part) -> PyResult<Self> {
        Python::attach(|py| {
            let number = part.file.call_method0(py, "fileno");
            match number.and_then(|number| number.extract(py)) {
                Ok(file) if rustix::fs::fstat(ffi::borrow_descriptor(file)).is_ok() => {
                    Ok(Self { part, file, sent: 0 })
                }
                _ => Err(not_available(py, "not a regular file")),
            }
        })
    }

    /// Has the kernel send some of it; true when all is sent.
    fn send(&mut self, event_loop: &Py<EventLoop>, socket: RawFd) -> PyResult<bool> {
        let left = self.part.left(self.sent, MOST);
        if left == 0 {
            return Ok(true);
        }
        let (to, file) = (ffi::borrow_descriptor(socket), ffi::borrow_descriptor(self.file));
        let mut position = self.part.offset + self.sent;
        let send = || rustix::fs::sendfile(to, file, Some(&mut position), left as usize);
        match Python::attach(|py| event_loop.get().write_with(py, socket, send)) {
            Ok(0) => Ok(true),
            Ok(count) => {
                self.sent += count as u64;
                Ok(false)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(self.explain(error)),
        }
    }

    fn explain(&self, error: Errno) -> PyErr {
        if self.sent == 0 {
            return Python::attach(|py| not_available(py, "os.sendfile call failed"));
        }
        match error {
            Errno::NOTCONN => PyConnectionError::new_err((
                "socket is not connected",
                Errno::NOTCONN.raw_os_error(),
            )),
            error => errors::os_error(&error.into()),
        }
    }

    /// Moves the file's position behind what was sent, however that ended.
    fn settle(&self, outcome: PyResult<()>) -> PyResult<u64> {
        let position = rustix::fs::SeekFrom::Start(self.part.offset + self.sent);
        rustix::fs::seek(ffi::borrow_descriptor(self.file), position)
            .map_err(|error| errors::os_error(&error.into()))?;
        outcome.map(|()| self.sent)
    }
}

fn not_available(py: Python<'_>, message: &str) -> PyErr {
    match imports::sendfile_not_available(py).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Whether an exception says that the kernel cannot send this file there.
pub(super) fn is_not_available(error: &PyErr) -> bool {
    Python::attach(|py| {
        let class = imports::sendfile_not_available(py);
        class.and_then(|class| error.value(py).is_instance(class)).unwrap_or(false)
    })
}

/// Has the kernel send a file over a socket; gives how many bytes it sent.
///
/// # Errors
///
/// `SendfileNotAvailableError` when it cannot; `OSError` when it no longer can.
pub(super) async fn over_socket(awaiter: &Awaiter, socket: &Socket, part: &Part) -> PyResult<u64> {
    let mut progress = Progress::begin(part)?;
    let outcome = async {
        while !progress.send(&socket.event_loop, socket.descriptor())? {
            socket.wait_writable(awaiter).await?;
        }
        Ok(())
    }
    .await;
    progress.settle(outcome)
}

/// Has the kernel send a file over a stream, whose own bytes go first.
///
/// # Errors
///
/// As [`over_socket`].
pub(super) async fn over_stream(
    awaiter: &Awaiter,
    stream: &Py<StreamTransport>,
    part: &Part,
) -> PyResult<u64> {
    let mut progress = Progress::begin(part)?;
    let sending = Python::attach(|py| FileSending::begin(stream.bind(py)))?;
    let outcome = async {
        while !sending.is_drained() {
            sending.wait(awaiter).await?;
        }
        while !progress.send(sending.event_loop(), sending.descriptor())? {
            sending.wait(awaiter).await?;
        }
        Ok(())
    }
    .await;
    progress.settle(outcome)
}
