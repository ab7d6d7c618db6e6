//! The parts of a turn, one by one: for programs that take a turn apart, or put one together.

use std::cell::{Ref, RefMut};
use std::time::Duration;

use super::{Entry, EventLoop, Host};
use crate::clock::{Clock, Timestamp};
use crate::poller::Poller;
use crate::ready::ReadyQueue;
use crate::recorder::Recorder;
use crate::timers::Timers;

impl<H: Host, P: Poller, C: Clock, R: Recorder> EventLoop<H, P, C, R> {
    /// Polls, once: sleeps for at most `limit`, without one until there is something to do.
    ///
    /// Timers are left alone. What other threads have brought, and I/O, is ready afterwards. What a
    /// program has resumed by itself since the last poll was a turn, which ends here.
    ///
    /// # Errors
    ///
    /// The first error of the host or the poller.
    pub fn poll_within(
        &self,
        scope: H::Scope<'_>,
        limit: Option<Duration>,
    ) -> Result<(), H::Error> {
        H::end_turn(scope);
        let rests = limit != Some(Duration::ZERO) && self.inbox.fall_asleep();
        self.poll(scope, if rests { limit } else { Some(Duration::ZERO) })
    }

    /// Makes ready what is due at `now`, whatever the clock says.
    pub fn expire_at(&self, now: Timestamp) {
        self.expire_until(now);
    }

    /// Resumes what is ready now, and ends the turn.
    ///
    /// # Errors
    ///
    /// The first error of the host; what was not resumed stays ready.
    pub fn finish_turn(&self, scope: H::Scope<'_>) -> Result<(), H::Error> {
        let outcome = self.resume_ready(scope);
        H::end_turn(scope);
        outcome
    }

    /// Resumes, or dispatches, what stood on the ready queue.
    ///
    /// # Errors
    ///
    /// That of the host.
    pub fn resume_entry(&self, scope: H::Scope<'_>, entry: Entry<H::Task>) -> Result<(), H::Error> {
        self.go_on(scope, entry)
    }

    /// The ready queue, behind it what other threads have left in the inbox.
    ///
    /// Nothing of it may be dropped while it is borrowed.
    pub fn ready(&self) -> RefMut<'_, ReadyQueue<Entry<H::Task>>> {
        self.admit_arrivals();
        self.ready.borrow_mut()
    }

    /// The timers that are set.
    pub fn timers(&self) -> Ref<'_, Timers<H::Task>> {
        self.timers.borrow()
    }

    /// When the first timer is due.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.borrow_mut().next_deadline()
    }
}
