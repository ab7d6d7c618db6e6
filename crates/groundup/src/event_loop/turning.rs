//! A turn: poll, expire timers, resume what is ready.

use std::io;
use std::time::Duration;

use super::prefetching::MANY;
use super::{Entry, EventLoop, Host};
use crate::clock::{Clock, Timestamp};
use crate::poller::{Event, Poller};
use crate::recorder::Recorder;

// The turn is one function, although `parts.rs` has other uses for what it is made of.
impl<H: Host, P: Poller, C: Clock, R: Recorder> EventLoop<H, P, C, R> {
    /// Polls, expires timers, and resumes what is ready then.
    ///
    /// # Errors
    ///
    /// The first error of the host or the poller; what was not resumed stays ready.
    pub fn turn(&self, scope: H::Scope<'_>) -> Result<(), H::Error> {
        let outcome = self.gather(scope).and_then(|now| {
            now.into_iter().for_each(|now| self.expire_until(now));
            self.resume_ready(scope)
        });
        H::end_turn(scope);
        outcome
    }

    /// Makes ready what other threads have brought, and I/O if this turn polls. Tells the time by
    /// which timers are due, if any is set.
    #[inline(always)]
    fn gather(&self, scope: H::Scope<'_>) -> Result<Option<Timestamp>, H::Error> {
        let now = self.time_for_timers();
        if !self.is_busy(now) {
            self.pace.hurry();
            H::before_sleep(scope)?;
            self.poll(scope, self.fall_asleep())?;
            return Ok(self.time_for_timers());
        }
        if self.stopping.get() || self.pace.is_due(|| now.unwrap_or_else(|| self.clock.recently()))
        {
            self.poll(scope, Some(Duration::ZERO))?;
        } else {
            self.admit_arrivals();
        }
        Ok(now)
    }

    /// The time, unless there is no timer that it could be compared with. A timer that was due at the last
    /// look at the clock needs no other look; those that are due since then have the next turn.
    #[inline(always)]
    fn time_for_timers(&self) -> Option<Timestamp> {
        let (mut timers, latest) = (self.timers.borrow_mut(), self.latest.get());
        (!timers.is_empty()).then(|| if timers.is_due(latest) { latest } else { self.time() })
    }

    /// Whether there is something to do at once.
    #[inline(always)]
    fn is_busy(&self, now: Option<Timestamp>) -> bool {
        self.stopping.get()
            || !self.ready.borrow().is_empty()
            || now.is_some_and(|now| self.timers.borrow_mut().is_due(now))
    }

    #[inline(always)]
    pub(super) fn poll(
        &self,
        scope: H::Scope<'_>,
        timeout: Option<Duration>,
    ) -> Result<(), H::Error> {
        self.recorder.poll_begin(self.ready.borrow().len(), timeout);
        let mut events = self.events.take();
        let outcome = self.with_poller(|poller| match timeout {
            Some(Duration::ZERO) => poller.poll(timeout, &mut events),
            _ => H::sleep(scope, || poller.poll(timeout, &mut events)),
        });
        self.inbox.wake_up();
        self.polls.set(self.polls.get().wrapping_add(1));
        self.recorder.poll_end(events.len());
        self.admit_arrivals();
        if events.is_empty() {
            self.pace.found_nothing(|| self.clock.now());
        } else {
            self.pace.hurry();
            self.ready.borrow_mut().extend(events.drain(..).map(Entry::Event));
        }
        self.events.set(events);
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error.into()),
            _ => H::polled(scope),
        }
    }

    #[inline]
    pub(super) fn with_poller<T>(&self, act: impl FnOnce(&P) -> io::Result<T>) -> io::Result<T> {
        match &*self.poller.borrow() {
            Some(poller) => act(poller),
            None => Err(rustix::io::Errno::BADF.into()),
        }
    }

    /// How long the poll may sleep: not at all when an entry has come meanwhile.
    fn fall_asleep(&self) -> Option<Duration> {
        if self.stopping.get() || !self.ready.borrow().is_empty() || !self.inbox.fall_asleep() {
            return Some(Duration::ZERO);
        }
        let deadline = self.timers.borrow_mut().next_deadline();
        self.clock.sleep_until(deadline)
    }

    #[inline(always)]
    pub(super) fn admit_arrivals(&self) {
        if self.inbox.is_occupied() {
            self.drain_inbox();
        }
    }

    fn drain_inbox(&self) {
        let mut arrivals = self.arrivals.take();
        self.inbox.drain(&mut arrivals);
        self.recorder.arrive(arrivals.len());
        for task in arrivals.drain(..) {
            self.enqueue(task);
        }
        self.arrivals.set(arrivals);
    }

    pub(super) fn expire_until(&self, now: Timestamp) {
        loop {
            let Some(task) = self.timers.borrow_mut().expire(now) else { return };
            self.recorder.timer_expire(H::task_id(&task));
            self.wake(task);
        }
    }

    #[inline(always)]
    pub(super) fn resume_ready(&self, scope: H::Scope<'_>) -> Result<(), H::Error> {
        let count = self.ready.borrow().len();
        for behind in (0..count).rev() {
            let Some(entry) = self.ready.borrow_mut().pop() else { break };
            if behind > MANY {
                self.prefetch(scope);
            }
            self.go_on(scope, entry)?;
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn go_on(&self, scope: H::Scope<'_>, entry: Entry<H::Task>) -> Result<(), H::Error> {
        match entry {
            Entry::Task(task) => self.resume(scope, task),
            Entry::Event(event) => self.dispatch(scope, event),
        }
    }

    #[inline(always)]
    fn resume(&self, scope: H::Scope<'_>, task: H::Task) -> Result<(), H::Error> {
        self.recorder.step_begin(H::task_id(&task));
        let outcome = H::resume(scope, task);
        self.recorder.step_end();
        outcome
    }

    fn dispatch(&self, scope: H::Scope<'_>, event: Event) -> Result<(), H::Error> {
        // The source may have gone, or lost interest, since the poll.
        let watch = self.sources.borrow().find(event.token).cloned();
        let Some(watch) = watch else { return Ok(()) };
        let readiness = event.readiness & watch.interest_before(self.polls.get());
        if readiness.is_none() {
            return Ok(());
        }
        self.recorder.dispatch_begin(event.token.descriptor);
        let outcome = H::dispatch(scope, watch.source, readiness);
        self.recorder.dispatch_end();
        outcome
    }
}
