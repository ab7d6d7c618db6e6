//! A recorder that can be put in and taken out while the loop runs.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use super::{Recorder, TaskId};
use crate::clock::Timestamp;

/// Passes on what it hears, if there is somebody who listens; otherwise each verb costs one look at
/// a flag.
#[derive(Debug)]
pub struct Switch<R> {
    is_on: Cell<bool>,
    listener: RefCell<Option<Rc<R>>>,
}

impl<R> Default for Switch<R> {
    fn default() -> Self {
        Self { is_on: Cell::new(false), listener: RefCell::new(None) }
    }
}

impl<R> Switch<R> {
    /// Has `listener` hear what happens from now on, or nobody; returns who did before.
    pub fn set(&self, listener: Option<Rc<R>>) -> Option<Rc<R>> {
        self.is_on.set(listener.is_some());
        self.listener.replace(listener)
    }

    /// Whether somebody listens.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        self.is_on.get()
    }

    /// Who listens.
    #[inline]
    pub fn listener(&self) -> Option<Rc<R>> {
        self.is_on.get().then(|| self.listener.borrow().clone()).flatten()
    }

    /// Tells whoever listens; nobody may be put in or taken out meanwhile.
    #[inline(always)]
    pub fn tell(&self, verb: impl FnOnce(&R)) {
        if self.is_on.get() {
            self.pass_on(verb);
        }
    }

    #[cold]
    fn pass_on(&self, verb: impl FnOnce(&R)) {
        if let Some(listener) = &*self.listener.borrow() {
            verb(listener);
        }
    }
}

impl<R: Recorder> Recorder for Switch<R> {
    #[inline(always)]
    fn spawn(&self, task: TaskId) {
        self.tell(|it| it.spawn(task));
    }

    #[inline(always)]
    fn wake(&self, task: TaskId) {
        self.tell(|it| it.wake(task));
    }

    #[inline(always)]
    fn step_begin(&self, task: TaskId) {
        self.tell(|it| it.step_begin(task));
    }

    #[inline(always)]
    fn step_end(&self) {
        self.tell(R::step_end);
    }

    #[inline(always)]
    fn dispatch_begin(&self, descriptor: RawFd) {
        self.tell(|it| it.dispatch_begin(descriptor));
    }

    #[inline(always)]
    fn dispatch_end(&self) {
        self.tell(R::dispatch_end);
    }

    #[inline(always)]
    fn arrive(&self, count: usize) {
        self.tell(|it| it.arrive(count));
    }

    #[inline(always)]
    fn poll_begin(&self, ready: usize, timeout: Option<Duration>) {
        self.tell(|it| it.poll_begin(ready, timeout));
    }

    #[inline(always)]
    fn poll_end(&self, events: usize) {
        self.tell(|it| it.poll_end(events));
    }

    #[inline(always)]
    fn timer_set(&self, task: TaskId, deadline: Timestamp) {
        self.tell(|it| it.timer_set(task, deadline));
    }

    #[inline(always)]
    fn timer_cancel(&self, task: TaskId) {
        self.tell(|it| it.timer_cancel(task));
    }

    #[inline(always)]
    fn timer_expire(&self, task: TaskId) {
        self.tell(|it| it.timer_expire(task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counter(Cell<usize>);

    impl Recorder for Counter {
        fn step_end(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn only_who_is_put_in_hears() {
        let (switch, counter) = (Switch::default(), Rc::new(Counter::default()));
        switch.step_end();
        assert!(switch.set(Some(Rc::clone(&counter))).is_none());
        switch.step_end();
        assert!(switch.set(None).is_some());
        switch.step_end();
        assert_eq!((counter.0.get(), switch.is_on()), (1, false));
    }
}
