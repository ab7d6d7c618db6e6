//! The verbs of a loop, in the order a task lives through them.

use std::os::fd::RawFd;
use std::time::Duration;

use crate::clock::Timestamp;

/// Names a task, or something else that can be resumed, in what a recorder hears.
///
/// Its [`Host`](crate::event_loop::Host) gives it; no two that live at the same time share one.
/// Those of tasks are even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskId(pub u64);

impl TaskId {
    /// The name of something that is called once, and is no task.
    #[must_use]
    pub fn of_callback(number: u64) -> Self {
        Self(number | 1)
    }

    /// Whether this names something that is no task.
    #[must_use]
    pub fn is_callback(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Hears what happens in an event loop.
///
/// Each verb is called on the loop's own thread, at the moment it names. Every method does nothing
/// unless it is overridden. A recorder must not call back into the loop.
pub trait Recorder {
    /// A task came into being.
    fn spawn(&self, task: TaskId) {
        let _ = task;
    }

    /// A task was put on the ready queue.
    fn wake(&self, task: TaskId) {
        let _ = task;
    }

    /// A step begins: what was ready is resumed.
    fn step_begin(&self, task: TaskId) {
        let _ = task;
    }

    /// The step that began last ended.
    fn step_end(&self) {}

    /// An I/O event is about to be dispatched to the source that watches the descriptor.
    fn dispatch_begin(&self, descriptor: RawFd) {
        let _ = descriptor;
    }

    /// The dispatch that began last ended.
    fn dispatch_end(&self) {}

    /// What other threads have brought is put on the ready queue: so many of the next wakes.
    fn arrive(&self, count: usize) {
        let _ = count;
    }

    /// The loop asks the poller for events, while so many entries are ready; it may sleep for
    /// `timeout`, without end if `None`.
    fn poll_begin(&self, ready: usize, timeout: Option<Duration>) {
        let _ = (ready, timeout);
    }

    /// The poller gave this many events.
    fn poll_end(&self, events: usize) {
        let _ = events;
    }

    /// A timer was set.
    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        let _ = (task, deadline);
    }

    /// A timer was cancelled before its deadline.
    fn timer_cancel(&self, task: TaskId) {
        let _ = task;
    }

    /// A timer expired.
    fn timer_expire(&self, task: TaskId) {
        let _ = task;
    }
}
