//! The recorder that keeps what it hears, in a ring.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::time::Duration;

use super::names::{Name, Names};
use super::record::{Verb, pair};
use super::ring::Ring;
use super::{Recorder, TaskId};
use crate::clock::{Clock, Monotonic, Timestamp};

/// Keeps the last records of a loop, and the names in them.
///
/// Writing a record takes no lock and allocates nothing; a name that was not there before does.
#[derive(Debug)]
pub struct FlightRecorder<M, C = Monotonic> {
    ring: RefCell<Ring<M>>,
    names: RefCell<Names<M>>,
    clock: C,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>, C: Clock> FlightRecorder<M, C> {
    /// A recorder that has heard nothing, with this memory for records and for names, all zeros.
    ///
    /// # Panics
    ///
    /// When there is no room for a single record.
    pub fn new(records: M, names: M, clock: C) -> Self {
        let (ring, names) = (RefCell::new(Ring::new(records)), RefCell::new(Names::new(names)));
        Self { ring, names, clock }
    }

    /// Keeps a record of this moment.
    #[inline]
    pub fn note(&self, verb: Verb, subject: u64, detail: u64) {
        self.ring.borrow_mut().push(self.clock.now(), verb, subject, detail);
    }

    /// The number of a text, to refer to it in records.
    pub fn name(&self, text: &str) -> Name {
        self.names.borrow_mut().intern(text)
    }

    /// Says what a task is called, and where it was made.
    pub fn describe(&self, task: TaskId, name: Name, coroutine: Name, place: (Name, u32)) {
        self.note(Verb::Called, task.0, pair(name, coroutine));
        self.note(Verb::Place, task.0, pair(place.0, place.1));
    }

    /// The clock that records are timed by.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Calls `see` with the ring and the names as they are.
    pub fn look<T>(&self, see: impl FnOnce(&Ring<M>, &Names<M>) -> T) -> T {
        see(&self.ring.borrow(), &self.names.borrow())
    }
}

/// How many nanoseconds a poll may sleep, as a record has it.
fn nanoseconds(timeout: Option<Duration>) -> u64 {
    timeout.map_or(u64::MAX, |timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX - 1))
}

fn descriptor_number(descriptor: RawFd) -> u64 {
    u64::from(descriptor.cast_unsigned())
}

impl<M: AsRef<[u8]> + AsMut<[u8]>, C: Clock> Recorder for FlightRecorder<M, C> {
    fn spawn(&self, task: TaskId) {
        self.note(Verb::Spawn, task.0, 0);
    }

    #[inline]
    fn wake(&self, task: TaskId) {
        self.note(Verb::Wake, task.0, 0);
    }

    #[inline]
    fn step_begin(&self, task: TaskId) {
        self.note(Verb::StepBegin, task.0, 0);
    }

    #[inline]
    fn step_end(&self) {
        self.note(Verb::StepEnd, 0, 0);
    }

    #[inline]
    fn dispatch_begin(&self, descriptor: RawFd) {
        self.note(Verb::DispatchBegin, descriptor_number(descriptor), 0);
    }

    #[inline]
    fn dispatch_end(&self) {
        self.note(Verb::DispatchEnd, 0, 0);
    }

    #[inline]
    fn arrive(&self, count: usize) {
        self.note(Verb::Arrive, 0, count as u64);
    }

    #[inline]
    fn poll_begin(&self, ready: usize, timeout: Option<Duration>) {
        self.note(Verb::PollBegin, ready as u64, nanoseconds(timeout));
    }

    #[inline]
    fn poll_end(&self, events: usize) {
        self.note(Verb::PollEnd, 0, events as u64);
    }

    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        self.note(Verb::TimerSet, task.0, deadline.0.cast_unsigned());
    }

    fn timer_cancel(&self, task: TaskId) {
        self.note(Verb::TimerCancel, task.0, 0);
    }

    fn timer_expire(&self, task: TaskId) {
        self.note(Verb::TimerExpire, task.0, 0);
    }
}
