//! The event loop: [`interweave`](mod@crate::interweave) that also knows how to wait.
//!
//! One turn is: poll, then expire timers, then resume what was ready when the resuming began. While
//! work is ready, and polls have found nothing for a while, some turns leave the poll out. What
//! an I/O event or a timer makes ready goes through the same queue as everything else, so there is
//! one order, first in first out. What is resumed, and how, is the [`Host`]'s affair; the loop must
//! not know it.
//!
//! A loop belongs to one thread. Its methods take `&self` because what it resumes calls back into
//! it; no borrow of its parts outlives the call it is made in.

mod pace;
mod parts;
mod prefetching;
mod turning;
mod watching;

use std::cell::{Cell, Ref, RefCell};
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;

use pace::Pace;

use crate::clock::{Clock, Monotonic, Timestamp};
use crate::inbox::Inbox;
use crate::poller::{Epoll, Event, Poller, Readiness};
use crate::ready::ReadyQueue;
use crate::recorder::{Off, Recorder, TaskId};
use crate::sources::Sources;
use crate::timers::{TimerKey, Timers};

/// Who runs on a loop: says what its tasks and sources are and how they go on.
pub trait Host: Sized {
    /// What stands on the ready queue and in the timers.
    type Task;
    /// What watches a descriptor.
    type Source: Clone;
    /// What ends a run from inside.
    type Error: From<io::Error>;
    /// What the host needs at hand during a run; the loop only passes it on.
    type Scope<'a>: Copy;

    /// Names a task for the recorder.
    fn task_id(task: &Self::Task) -> TaskId;

    /// Has the memory fetched that a task will need, which is to be resumed after a few others: its own first,
    /// then that of what it refers to, and so on, `links` references away from the task. A hint, which
    /// changes nothing; a queue that is long enough gives it for each task.
    fn prefetch(scope: Self::Scope<'_>, task: &Self::Task, links: usize) {
        let _ = (scope, task, links);
    }

    /// The same for a source that is to be told of an event.
    fn prefetch_source(scope: Self::Scope<'_>, source: &Self::Source, links: usize) {
        let _ = (scope, source, links);
    }

    /// Resumes a task that is ready.
    ///
    /// # Errors
    ///
    /// An error ends the run; what else was ready stays ready.
    fn resume(scope: Self::Scope<'_>, task: Self::Task) -> Result<(), Self::Error>;

    /// Tells a source that its descriptor is ready.
    ///
    /// # Errors
    ///
    /// As for [`Host::resume`].
    fn dispatch(
        scope: Self::Scope<'_>,
        source: Self::Source,
        readiness: Readiness,
    ) -> Result<(), Self::Error>;

    /// Called before the loop sleeps: what the host finds to do now does not wait for an event.
    ///
    /// # Errors
    ///
    /// As for [`Host::resume`].
    fn before_sleep(scope: Self::Scope<'_>) -> Result<(), Self::Error> {
        let _ = scope;
        Ok(())
    }

    /// Calls `poll`, which may sleep; a host that holds a lock lets go of it meanwhile.
    fn sleep(
        scope: Self::Scope<'_>,
        poll: impl FnOnce() -> io::Result<()> + Send,
    ) -> io::Result<()> {
        let _ = scope;
        poll()
    }

    /// Called after each poll, whether or not a signal cut it short.
    ///
    /// # Errors
    ///
    /// As for [`Host::resume`].
    fn polled(scope: Self::Scope<'_>) -> Result<(), Self::Error> {
        let _ = scope;
        Ok(())
    }

    /// Called at the end of each turn, also one that an error ends.
    fn end_turn(scope: Self::Scope<'_>) {
        let _ = scope;
    }
}

/// An event loop; the module's documentation tells how it turns.
pub struct EventLoop<H: Host, P: Poller = Epoll, C = Monotonic, R = Off> {
    ready: RefCell<ReadyQueue<Entry<H::Task>>>,
    timers: RefCell<Timers<H::Task>>,
    sources: RefCell<Sources<H::Source>>,
    inbox: Arc<Inbox<H::Task, P::Notifier>>,
    /// Absent once the loop is closed.
    poller: RefCell<Option<P>>,
    clock: C,
    /// When somebody looked at the clock.
    latest: Cell<Timestamp>,
    recorder: R,
    stopping: Cell<bool>,
    events: Cell<Vec<Event>>,
    arrivals: Cell<Vec<H::Task>>,
    /// How many polls there were.
    polls: Cell<u32>,
    pace: Pace,
}

/// An entry of a loop's ready queue.
#[derive(Clone, Debug)]
pub enum Entry<T> {
    /// A task that is to be resumed.
    Task(T),
    /// An I/O event that is to be dispatched.
    Event(Event),
}

impl<H: Host, P: Poller, C, R> fmt::Debug for EventLoop<H, P, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").finish_non_exhaustive()
    }
}

impl<H: Host> EventLoop<H> {
    /// A loop on epoll and the monotonic clock, with nothing to do.
    ///
    /// # Errors
    ///
    /// Those of [`Epoll::new`].
    pub fn new() -> io::Result<Self> {
        Ok(Self::with_parts(Epoll::new()?, Monotonic, Off))
    }
}

impl<H: Host, P: Poller, C: Clock, R: Recorder> EventLoop<H, P, C, R> {
    /// A loop of the given parts, with nothing to do.
    pub fn with_parts(poller: P, clock: C, recorder: R) -> Self {
        Self {
            ready: RefCell::default(),
            timers: RefCell::default(),
            sources: RefCell::default(),
            inbox: Arc::new(Inbox::new(poller.notifier())),
            poller: RefCell::new(Some(poller)),
            clock,
            latest: Cell::new(Timestamp(i64::MIN)),
            recorder,
            stopping: Cell::new(false),
            events: Cell::default(),
            arrivals: Cell::default(),
            polls: Cell::new(0),
            pace: Pace::default(),
        }
    }

    /// Turns until [`EventLoop::stop`] is called; the turn that it is called in is finished.
    ///
    /// # Errors
    ///
    /// The first error of the host or the poller. The loop can be run again.
    pub fn run(&self, scope: H::Scope<'_>) -> Result<(), H::Error> {
        loop {
            let outcome = self.turn(scope);
            if self.take_stop() || outcome.is_err() {
                return outcome;
            }
        }
    }

    /// Makes the run end with the turn it is in, or the next run after one turn.
    pub fn stop(&self) {
        self.stopping.set(true);
    }

    /// Whether the run ends with this turn.
    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Whether the run ends with this turn; the next one, then, does not.
    pub fn take_stop(&self) -> bool {
        let stops = self.stopping.take();
        if stops {
            self.pace.hurry();
        }
        stops
    }

    /// Has the next turns poll, each of them, although there may be work: an event is expected.
    pub fn expect_event(&self) {
        self.pace.hurry();
    }

    /// Puts a task on the ready queue, behind what other threads have left in the inbox before.
    #[inline(always)]
    pub fn wake(&self, task: H::Task) {
        self.admit_arrivals();
        self.enqueue(task);
    }

    #[inline(always)]
    fn enqueue(&self, task: H::Task) {
        self.recorder.wake(H::task_id(&task));
        self.ready.borrow_mut().push(Entry::Task(task));
    }

    /// Puts a task on the ready queue at `deadline`.
    pub fn wake_at(&self, deadline: Timestamp, task: H::Task) -> TimerKey {
        self.recorder.timer_set(H::task_id(&task), deadline);
        self.timers.borrow_mut().insert(deadline, task)
    }

    /// Cancels a timer and gives its task back; `None` when it has expired or was cancelled before.
    pub fn cancel_timer(&self, key: TimerKey) -> Option<H::Task> {
        let task = self.timers.borrow_mut().cancel(key)?;
        self.recorder.timer_cancel(H::task_id(&task));
        Some(task)
    }

    /// Drops all tasks, timers and sources, those too that their destructors add.
    ///
    /// Descriptors leave the poller when they are closed.
    pub fn clear(&self) {
        // Their destructors may call back, so nothing is borrowed while they run.
        loop {
            self.admit_arrivals();
            let ready = mem::take(&mut *self.ready.borrow_mut());
            let timers = mem::take(&mut *self.timers.borrow_mut());
            let sources = mem::take(&mut *self.sources.borrow_mut());
            if ready.is_empty() && timers.is_empty() && sources.iter().next().is_none() {
                return;
            }
        }
    }

    /// Calls `visit` with each task and each source that the loop holds.
    ///
    /// Nothing is visited that is being changed by a call further up the stack.
    pub fn for_each(&self, mut visit: impl FnMut(Held<'_, H>)) {
        if let Ok(ready) = self.ready.try_borrow() {
            for entry in ready.iter() {
                if let Entry::Task(task) = entry {
                    visit(Held::Task(task));
                }
            }
        }
        if let Ok(timers) = self.timers.try_borrow() {
            timers.iter().for_each(|task| visit(Held::Task(task)));
        }
        if let Ok(sources) = self.sources.try_borrow() {
            sources.iter().for_each(|watch| visit(Held::Source(&watch.source)));
        }
    }

    /// The door for other threads.
    pub fn inbox(&self) -> &Arc<Inbox<H::Task, P::Notifier>> {
        &self.inbox
    }

    /// Drops everything, and the poller too: its own descriptors are free, and the loop cannot be
    /// run or watch anything any more.
    ///
    /// # Panics
    ///
    /// When the loop is polling.
    pub fn close(&self) {
        self.clear();
        drop(self.poller.take());
    }

    /// The loop's poller.
    ///
    /// # Panics
    ///
    /// When the loop is closed.
    pub fn poller(&self) -> Ref<'_, P> {
        Ref::map(self.poller.borrow(), |poller| poller.as_ref().expect("the loop is closed"))
    }

    /// The time now, on the loop's clock.
    pub fn time(&self) -> Timestamp {
        let now = self.clock.now();
        self.latest.set(now);
        now
    }

    /// The loop's clock.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// The loop's recorder.
    pub fn recorder(&self) -> &R {
        &self.recorder
    }

    /// How many entries are ready.
    pub fn ready_len(&self) -> usize {
        self.ready.borrow().len()
    }
}

/// Something that a loop holds; see [`EventLoop::for_each`].
pub enum Held<'a, H: Host> {
    /// A task that is ready or waits for a timer.
    Task(&'a H::Task),
    /// What watches a descriptor.
    Source(&'a H::Source),
}
