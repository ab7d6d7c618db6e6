//! What a witness hears from the loop, and passes on.

use std::os::fd::RawFd;
use std::time::Duration;

use super::Witness;
use crate::clock::Timestamp;
use crate::recorder::{Recorder, TaskId};

impl Recorder for Witness {
    fn wake(&self, task: TaskId) {
        self.recorder.wake(task);
    }

    /// A task's entry may be left over; the steps of tasks are told by those who take them.
    fn step_begin(&self, task: TaskId) {
        if task.is_callback() {
            self.is_in_step.set(true);
            self.recorder.step_begin(task);
        }
    }

    fn step_end(&self) {
        if self.is_in_step.take() {
            self.recorder.step_end();
        }
    }

    fn dispatch_begin(&self, descriptor: RawFd) {
        self.recorder.dispatch_begin(descriptor);
    }

    fn dispatch_end(&self) {
        self.recorder.dispatch_end();
    }

    fn arrive(&self, count: usize) {
        self.recorder.arrive(count);
    }

    fn poll_begin(&self, ready: usize, timeout: Option<Duration>) {
        self.recorder.poll_begin(ready, timeout);
    }

    fn poll_end(&self, events: usize) {
        self.recorder.poll_end(events);
    }

    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        self.recorder.timer_set(task, deadline);
    }

    fn timer_cancel(&self, task: TaskId) {
        self.recorder.timer_cancel(task);
    }

    fn timer_expire(&self, task: TaskId) {
        self.recorder.timer_expire(task);
    }
}
