//! One receive from a stream: a little is copied out of the scratch buffer, much goes to where it stays.

use std::cell::Cell;
use std::os::fd::{AsRawFd, BorrowedFd};

use pyo3::prelude::*;
use rustix::net::RecvFlags;

use crate::event_loop::EventLoop;
use crate::spare_bytes::Served;

/// So much and more is received without a copy, in bytes.
pub const LARGE: usize = 32 * 1024;

/// Receives what is there, `most` bytes of it at most; `expected` is how much the last read brought.
///
/// # Errors
///
/// Those of `recv`, `AGAIN` among them; `NOMEM`.
pub fn receive<'py>(
    py: Python<'py>,
    event_loop: &EventLoop,
    fd: BorrowedFd<'_>,
    expected: &Cell<usize>,
    most: usize,
) -> rustix::io::Result<Served<'py>> {
    let spares = event_loop.spares(py);
    let waiting = if expected.get() >= LARGE { waiting(fd).min(most) } else { 0 };
    let receive = |buffer: &mut [u8]| take(py, event_loop, fd, buffer);
    let data = if waiting >= LARGE {
        spares.receive(py, waiting, most, receive)?
    } else {
        event_loop.with_scratch(py, |scratch| {
            let count = receive(&mut scratch[..most])?;
            Ok(spares.copy(py, &scratch[..count]))
        })?
    };
    expected.set(data.len());
    Ok(data)
}

/// Receives what is there, `most` bytes of it at most, for one that keeps nothing of it.
///
/// # Errors
///
/// Those of `recv`, `AGAIN` among them; `NOMEM`.
pub fn receive_for_now<'py>(
    py: Python<'py>,
    event_loop: &EventLoop,
    fd: BorrowedFd<'_>,
    most: usize,
) -> rustix::io::Result<Served<'py>> {
    event_loop.spares(py).fill(py, most, |buffer| take(py, event_loop, fd, buffer))
}

fn take(
    py: Python<'_>,
    event_loop: &EventLoop,
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> rustix::io::Result<usize> {
    event_loop.read_with(py, fd.as_raw_fd(), || {
        rustix::net::recv(fd, buffer, RecvFlags::DONTWAIT).map(|(count, _)| count)
    })
}

/// How much can be received now, as far as the kernel tells: asking costs less than copying would.
fn waiting(fd: BorrowedFd<'_>) -> usize {
    rustix::io::ioctl_fionread(fd).map_or(0, |count| count as usize)
}
