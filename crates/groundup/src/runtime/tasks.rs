//! The tasks of a runtime: futures in a slab, named by keys that are never used twice.
//!
//! The ready queue and the wakers hold keys, not futures, so a waker that outlives its task, or
//! goes to another thread, finds nothing and harms nothing.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{AcqRel, Acquire, Release},
};
use std::task::{Wake, Waker};

use slab::Slab;

use super::host::{self, Ready, RuntimeInbox};
use super::origin::Origin;
use crate::recorder::TaskId;

/// Names one task of one runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TaskKey {
    slot: usize,
    sequence: u64,
}

impl TaskKey {
    /// The future that [`block_on`](super::block_on) runs, which lies on its stack.
    pub const ROOT: Self = Self { slot: usize::MAX, sequence: u64::MAX };

    /// How many tasks there have been, this one included; the root is the first.
    pub fn number(self) -> u64 {
        self.sequence.wrapping_add(2)
    }

    /// The task's name for the recorder.
    pub fn id(self) -> TaskId {
        TaskId(self.number() << 1)
    }

    /// A place for each task in a list of those that live, the root's first.
    pub fn place(self) -> usize {
        self.slot.wrapping_add(1)
    }
}

type BoxedFuture = Pin<Box<dyn Future<Output = ()>>>;

/// What it takes to poll a task.
pub(super) struct Pollable {
    pub future: BoxedFuture,
    pub waker: Waker,
}

struct Task {
    sequence: u64,
    origin: Origin,
    /// What the waker points to.
    state: Arc<TaskWaker>,
    /// Absent while it is being polled.
    pollable: Option<Pollable>,
}

impl Task {
    fn waits(&self) -> bool {
        self.pollable.is_some() && !self.state.is_queued()
    }
}

/// The tasks that have not finished.
#[derive(Default)]
pub(super) struct Tasks {
    slots: RefCell<(Slab<Task>, u64)>,
}

impl Tasks {
    /// Takes in a task that is to be put on the ready queue next.
    pub fn insert(&self, future: BoxedFuture, origin: Origin, inbox: Arc<RuntimeInbox>) -> TaskKey {
        let (slots, next_sequence) = &mut *self.slots.borrow_mut();
        let sequence = *next_sequence;
        *next_sequence += 1;
        let vacant = slots.vacant_entry();
        let key = TaskKey { slot: vacant.key(), sequence };
        let state = TaskWaker::new(key, inbox);
        state.queued.store(true, Release);
        let pollable = Some(Pollable { future, waker: state.clone().into() });
        vacant.insert(Task { sequence, origin, state, pollable });
        key
    }

    /// Lends out a task to be polled, which can be woken again from then on; [`Tasks::give_back`]
    /// follows, unless it is done.
    pub fn lend(&self, key: TaskKey) -> Option<Pollable> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        let task = slots.get_mut(key.slot).filter(|task| task.sequence == key.sequence)?;
        let pollable = task.pollable.take()?;
        task.state.begin_step();
        Some(pollable)
    }

    /// Takes back a task that was lent; gives it back when it was cancelled meanwhile.
    pub fn give_back(&self, key: TaskKey, pollable: Pollable) -> Option<Pollable> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        match slots.get_mut(key.slot).filter(|task| task.sequence == key.sequence) {
            Some(task) => task.pollable.replace(pollable),
            None => Some(pollable),
        }
    }

    /// Takes a task out, if it is there; if it is not lent, it is for the caller to drop.
    pub fn remove(&self, key: TaskKey) -> Option<Option<Pollable>> {
        let (slots, _) = &mut *self.slots.borrow_mut();
        let stands = slots.get(key.slot).is_some_and(|task| task.sequence == key.sequence);
        stands.then(|| slots.remove(key.slot).pollable)
    }

    /// Any one task.
    pub fn any(&self) -> Option<TaskKey> {
        let (slots, _) = &*self.slots.borrow();
        slots.iter().next().map(|(slot, task)| TaskKey { slot, sequence: task.sequence })
    }

    /// The task that is being polled.
    pub fn lent(&self) -> Option<TaskKey> {
        let (slots, _) = &*self.slots.borrow();
        let (slot, task) = slots.iter().find(|(_, task)| task.pollable.is_none())?;
        Some(TaskKey { slot, sequence: task.sequence })
    }

    /// Where a task comes from, if it is there.
    pub fn origin(&self, key: TaskKey) -> Option<Origin> {
        let (slots, _) = &*self.slots.borrow();
        let task = slots.get(key.slot).filter(|task| task.sequence == key.sequence)?;
        Some(task.origin)
    }

    /// Whether a task is there, and has not been woken since its last step.
    pub fn waits(&self, key: TaskKey) -> bool {
        let (slots, _) = &*self.slots.borrow();
        slots.get(key.slot).is_some_and(|task| task.sequence == key.sequence && task.waits())
    }

    /// Calls `visit` with each task, where it comes from, and whether it waits.
    pub fn for_each(&self, mut visit: impl FnMut(TaskKey, Origin, bool)) {
        let (slots, _) = &*self.slots.borrow();
        for (slot, task) in slots {
            visit(TaskKey { slot, sequence: task.sequence }, task.origin, task.waits());
        }
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

    /// Whether the task has been woken since its last step began.
    pub fn is_queued(&self) -> bool {
        self.queued.load(Acquire)
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
        let is_here = host::with_current(|here| {
            let is_here = here.owns(&self.inbox);
            if is_here {
                here.events.wake(Ready::Task(self.key));
            }
            is_here
        });
        if is_here != Some(true) {
            self.inbox.push(Ready::Task(self.key));
        }
    }
}
