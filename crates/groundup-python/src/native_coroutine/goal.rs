//! What a coroutine waits for, where its own code knows that best: for whoever wants to see it.

use std::fmt;
use std::os::fd::RawFd;

use groundup::poller::Readiness;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// That a socket, or a pipe, can be read or written.
    Socket(RawFd, Readiness),
    /// That a child process ends: its number.
    Child(i32),
    /// That a server has ended.
    Server,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(descriptor, direction) if direction.readable() => {
                write!(f, "socket {descriptor} readable")
            }
            Self::Socket(descriptor, _) => write!(f, "socket {descriptor} writable"),
            Self::Child(number) => write!(f, "child process {number}"),
            Self::Server => f.write_str("server"),
        }
    }
}
