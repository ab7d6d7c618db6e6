//! The host: what the event loop resumes is a task's future, or a waker whose timer expired.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::origin::Origin;
use super::tape;
use super::tasks::{TaskKey, TaskWaker, Tasks};
use super::waiters::Waiters;
use super::witness::Witness;
use crate::clock::Monotonic;
use crate::event_loop::{EventLoop, Host};
use crate::inbox::Inbox;
use crate::poller::{Epoll, EventFd, Readiness};
use crate::recorder::{Switch, TaskId};

/// What stands on a runtime's ready queue.
#[derive(Debug)]
pub(super) enum Ready {
    /// A task to be polled.
    Task(TaskKey),
    /// Somebody to be woken, because a timer expired.
    Waker(Waker),
}

pub(super) type RuntimeInbox = Inbox<Ready, EventFd>;

/// A loop and the tasks that run on it.
pub(super) struct Runtime {
    pub events: EventLoop<Futures, Epoll, Monotonic, Switch<Witness>>,
    pub tasks: Tasks,
    /// What wakes the future that [`block_on`](super::block_on) runs, and where that comes from.
    pub root: (Arc<TaskWaker>, Origin),
}

/// Futures as the host of an event loop.
pub(super) struct Futures;

impl Host for Futures {
    type Task = Ready;
    type Source = Rc<Waiters>;
    type Error = io::Error;
    type Scope<'a> = &'a Runtime;

    fn task_id(ready: &Ready) -> TaskId {
        match ready {
            Ready::Task(key) => key.id(),
            Ready::Waker(waker) => TaskId::of_callback(waker.data().addr() as u64),
        }
    }

    fn resume(runtime: &Runtime, ready: Ready) -> io::Result<()> {
        match ready {
            // The root's owner polls it when the turn has ended.
            Ready::Task(TaskKey::ROOT) => runtime.events.stop(),
            Ready::Task(key) => runtime.resume(key),
            Ready::Waker(waker) => {
                runtime.tell(|witness| witness.expire(waker.data().addr(), runtime));
                waker.wake();
            }
        }
        Ok(())
    }

    fn dispatch(_: &Runtime, waiters: Rc<Waiters>, readiness: Readiness) -> io::Result<()> {
        waiters.wake(readiness);
        Ok(())
    }

    fn end_turn(runtime: &Runtime) {
        runtime.tell(|witness| witness.end_turn(runtime));
    }
}

impl Runtime {
    /// A runtime for a root that comes from there.
    pub fn new(origin: Origin) -> io::Result<Self> {
        let events = EventLoop::with_parts(Epoll::new()?, Monotonic, Switch::default());
        let root = (TaskWaker::new(TaskKey::ROOT, events.inbox().clone()), origin);
        Ok(Self { events, tasks: Tasks::default(), root })
    }

    /// Tells who records this runtime, if somebody does.
    #[inline(always)]
    pub fn tell(&self, what: impl FnOnce(&Witness)) {
        self.events.recorder().tell(what);
    }

    /// Whether a task is there, and has not been woken since its last step.
    pub fn waits(&self, key: TaskKey) -> bool {
        if key == TaskKey::ROOT { !self.root.0.is_queued() } else { self.tasks.waits(key) }
    }

    /// Calls `visit` with each task, the root too, where it comes from, and whether it waits.
    pub fn for_each_task(&self, mut visit: impl FnMut(TaskKey, Origin, bool)) {
        visit(TaskKey::ROOT, self.root.1, self.waits(TaskKey::ROOT));
        self.tasks.for_each(visit);
    }

    /// Whether `inbox` is the one of this runtime's loop.
    pub fn owns(&self, inbox: &Arc<RuntimeInbox>) -> bool {
        Arc::ptr_eq(self.events.inbox(), inbox)
    }

    fn resume(&self, key: TaskKey) {
        let Some(mut task) = self.tasks.lend(key) else { return };
        self.tell(|witness| witness.begin_step(key));
        if task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready() {
            if self.tasks.remove(key).is_some() {
                self.tell(|witness| witness.finish(key));
            }
            return;
        }
        drop(self.tasks.give_back(key, task));
        self.tell(|witness| {
            if self.waits(key) {
                witness.wait(key);
            }
        });
    }

    /// Drops a task, if it has not finished.
    pub fn cancel(&self, key: TaskKey) {
        let Some(future) = self.tasks.remove(key) else { return };
        self.tell(|witness| witness.cancel(key));
        drop(future);
        self.tell(|witness| witness.finish_cancelled(key));
    }

    /// Drops all tasks, those too that their destructors spawn.
    pub fn cancel_all(&self) {
        while let Some(key) = self.tasks.any() {
            self.cancel(key);
        }
        self.events.clear();
    }
}

/// What who needs a runtime, and has none, is told.
pub(super) const OUTSIDE: &str = "this works only inside block_on";

thread_local! {
    static CURRENT: RefCell<Option<Rc<Runtime>>> = const { RefCell::new(None) };
}

/// The runtime of this thread, if one runs.
pub(super) fn current() -> Option<Rc<Runtime>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Calls `act` with the runtime of this thread, if one runs; it must not make or end one.
#[inline]
pub(super) fn with_current<T>(act: impl FnOnce(&Rc<Runtime>) -> T) -> Option<T> {
    CURRENT.try_with(|current| current.borrow().as_ref().map(act)).ok().flatten()
}

/// Tells who records the runtime of this thread, if one runs and somebody does.
#[inline]
pub(super) fn tell(what: impl FnOnce(&Witness)) {
    with_current(|runtime| runtime.tell(what));
}

/// Who records the runtime of this thread, if one runs and somebody does.
pub(super) fn witness() -> Option<Rc<Witness>> {
    with_current(|runtime| runtime.events.recorder().listener()).flatten()
}

/// The runtime of this thread.
///
/// # Panics
///
/// When none runs.
pub(super) fn expect_current() -> Rc<Runtime> {
    current().expect(OUTSIDE)
}

/// Makes a runtime this thread's current one until it is dropped.
pub(super) struct Entered(Rc<Runtime>);

impl Entered {
    /// # Panics
    ///
    /// When a runtime runs on this thread already.
    pub fn new(runtime: Rc<Runtime>) -> Self {
        CURRENT.with(|current| {
            let mut current = current.borrow_mut();
            assert!(current.is_none(), "block_on called inside block_on");
            *current = Some(runtime.clone());
        });
        if let Some(witness) = tape::witness() {
            runtime.events.recorder().set(Some(witness));
            runtime.tell(|witness| witness.begin_run(runtime.root.1));
        }
        Self(runtime)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // Also if the destructor of a task panics.
        let _leave = Leave;
        self.0.cancel_all();
    }
}

/// Leaves this thread without a runtime when it is dropped.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        CURRENT.with(|current| current.borrow_mut().take());
    }
}
