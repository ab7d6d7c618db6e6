//! What is told of the system calls that move bytes: how many, and how long the kernel took.
//!
//! All of them go through here. While nobody records, that is a look at a flag.

use std::os::fd::RawFd;

use groundup::clock::{Clock, Monotonic, Timestamp};
use groundup::recorder::{Verb, pair};
use pyo3::prelude::*;

use super::connections::subject;
use super::narrator::Narrator;
use crate::event_loop::EventLoop;

/// What a system call gives that moves bytes.
pub trait Transferred {
    /// How many it moved; `None` if it was not made.
    fn length(&self) -> Option<usize>;
}

impl Transferred for usize {
    fn length(&self) -> Option<usize> {
        Some(*self)
    }
}

impl Transferred for Option<usize> {
    fn length(&self) -> Option<usize> {
        *self
    }
}

impl<A> Transferred for (usize, A) {
    fn length(&self) -> Option<usize> {
        Some(self.0)
    }
}

impl<A, B> Transferred for (usize, A, B) {
    fn length(&self) -> Option<usize> {
        Some(self.0)
    }
}

impl EventLoop {
    /// Makes a system call that takes bytes from a descriptor, and tells of it if anybody records.
    ///
    /// # Errors
    ///
    /// Those of the call, of which nothing is told.
    #[inline(always)]
    pub fn read_with<T: Transferred, E>(
        &self,
        py: Python<'_>,
        descriptor: RawFd,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.transfer(py, Verb::Read, descriptor, call)
    }

    /// Makes a system call that gives bytes to a descriptor, and tells of it if anybody records.
    ///
    /// # Errors
    ///
    /// Those of the call, of which nothing is told.
    #[inline(always)]
    pub fn write_with<T: Transferred, E>(
        &self,
        py: Python<'_>,
        descriptor: RawFd,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.transfer(py, Verb::Write, descriptor, call)
    }

    #[inline(always)]
    fn transfer<T: Transferred, E>(
        &self,
        py: Python<'_>,
        verb: Verb,
        descriptor: RawFd,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_recorded(py) {
            return self.transfer_recorded(py, verb, descriptor, call);
        }
        call()
    }

    #[cold]
    #[inline(never)]
    fn transfer_recorded<T: Transferred, E>(
        &self,
        py: Python<'_>,
        verb: Verb,
        descriptor: RawFd,
        call: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let began = Monotonic.now();
        let outcome = call();
        if let Ok(transferred) = &outcome
            && let Some(length) = transferred.length()
        {
            self.tell(py, |narrator| narrator.tell_transfer(verb, descriptor, length, began));
        }
        outcome
    }
}

impl Narrator {
    /// Says how many bytes have come or gone in a system call that has just ended.
    fn tell_transfer(&self, verb: Verb, descriptor: RawFd, length: usize, began: Timestamp) {
        let now = Monotonic.now();
        let most = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let took = most(now.0.abs_diff(began.0));
        self.flight.note_at(now, verb, subject(descriptor), pair(most(length as u64), took));
    }
}
