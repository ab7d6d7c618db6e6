//! The tasks of a runtime: futures in a slab, named by keys that are never used twice.
//!
//! The ready queue and the wakers hold keys, not futures, so a waker that outlives its task, or
//! goes to another thread, finds nothing and harms nothing.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Release};
use std::task::{Wake, Waker};

use slab::Slab;

use super::host::{self, Ready, RuntimeInbox};
use crate::recorder::TaskId;

/// Names one task of one runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskKey {
    slot: usize,
    sequence: u64,
}

impl TaskKey {
    /// The future that [`block_on`](super::block_on) runs, which lies on its stack.
    pub const ROOT: Self = Self { slot: usize::MAX, sequence: u64::MAX };

    /// The task's name for the recorder.
    pub fn id(self) -> TaskId {
        TaskId(self.sequence << 1)
    }
}

type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    sequence: u64,
    /// Absent while it is being polled.
    future: Option<BoxedFuture>,
    waker: Arc<TaskWaker>,
}

/// The tasks that have not finished.
#[derive(Default)]
pub(super) struct Tasks {
    slots: RefCell<(Slab<Task>, u64)>,
}

impl Tasks {
    pub fn insert(&self, future: BoxedFuture, inbox: Arc<RuntimeInbox>) -> Arc<TaskWaker> {
        let (slots, next_sequence) = &mut *self.slots.borrow_mut();
        let sequence = *next_sequence;
        *next_sequence += 1;
        let vacant = slots.vacant_entry();
        let waker = TaskWaker::new(TaskKey { slot: vacant.key(), sequence }, inbox);
        vacant.insert(Task { sequence, future: Some(future), waker: waker.clone() });
        waker
    }

    /// Lends out a task's future to be polled; [`Tasks::give_back`] follows, unless it is done.
    pub fn lend(&self, key: TaskKey) -> Option<(BoxedFuture, Arc<TaskWaker>)> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        let task = slots.get_mut(key.slot).filter(|task| task.sequence == key.sequence)?;
        Some((task.future.take()?, task.waker.clone()))
    }

    /// Takes back a future that was lent; gives it back when the task was cancelled meanwhile.
    pub fn give_back(&self, key: TaskKey, future: BoxedFuture) -> Option<BoxedFuture> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        match slots.get_mut(key.slot).filter(|task| task.sequence == key.sequence) {
            Some(task) => task.future.replace(future),
            None => Some(future),
        }
    }

    /// Takes a task out; its future, if not lent, is for the caller to drop.
    pub fn remove(&self, key: TaskKey) -> Option<BoxedFuture> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        let stands = slots.get(key.slot).is_some_and(|task| task.sequence == key.sequence);
        if stands { slots.remove(key.slot).future } else { None }
    }

    /// Takes any one task out.
    pub fn remove_any(&self) -> Option<Option<BoxedFuture>> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        let slot = slots.iter().next()?.0;
        Some(slots.remove(slot).future)
    }
}

/// Wakes one task, from any thread, once until it is polled.
pub(super) struct TaskWaker {
    pub key: TaskKey,
    queued: AtomicBool,
    inbox: Arc<RuntimeInbox>,
}

impl TaskWaker {
    pub fn new(key: TaskKey, inbox: Arc<RuntimeInbox>) -> Arc<Self> {
        Arc::new(Self { key, queued: AtomicBool::new(false), inbox })
    }

    /// Called before the task is polled: from here on it can be woken again.
    pub fn begin_step(&self) {
        self.queued.store(false, Release);
    }

    pub fn waker(self: &Arc<Self>) -> Waker {
        self.clone().into()
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, AcqRel) {
            return;
        }
        if let Some(runtime) = host::current().filter(|here| here.owns(&self.inbox)) {
            runtime.events.wake(Ready::Task(self.key));
        } else {
            self.inbox.push(Ready::Task(self.key));
        }
    }
}
