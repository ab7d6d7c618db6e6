//! The host: what the event loop resumes is a task's future, or a waker whose timer expired.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::async_io::Waiters;
use super::tasks::{TaskKey, Tasks};
use crate::event_loop::{EventLoop, Host};
use crate::inbox::Inbox;
use crate::poller::{EventFd, Readiness};
use crate::recorder::TaskId;

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
    pub events: EventLoop<Futures>,
    pub tasks: Tasks,
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
            Ready::Waker(waker) => waker.wake(),
        }
        Ok(())
    }

    fn dispatch(_: &Runtime, waiters: Rc<Waiters>, readiness: Readiness) -> io::Result<()> {
        waiters.wake(readiness);
        Ok(())
    }
}

impl Runtime {
    pub fn new() -> io::Result<Self> {
        Ok(Self { events: EventLoop::new()?, tasks: Tasks::default() })
    }

    /// Whether `inbox` is the one of this runtime's loop.
    pub fn owns(&self, inbox: &Arc<RuntimeInbox>) -> bool {
        Arc::ptr_eq(self.events.inbox(), inbox)
    }

    fn resume(&self, key: TaskKey) {
        let Some((mut future, waker)) = self.tasks.lend(key) else { return };
        waker.begin_step();
        match future.as_mut().poll(&mut Context::from_waker(&waker.waker())) {
            Poll::Pending => drop(self.tasks.give_back(key, future)),
            Poll::Ready(()) => drop(self.tasks.remove(key)),
        }
    }

    /// Drops all tasks, those too that their destructors spawn.
    pub fn cancel_all(&self) {
        while let Some(future) = self.tasks.remove_any() {
            drop(future);
        }
        self.events.clear();
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Runtime>>> = const { RefCell::new(None) };
}

/// The runtime of this thread, if one runs.
pub(super) fn current() -> Option<Rc<Runtime>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The runtime of this thread.
///
/// # Panics
///
/// When none runs.
pub(super) fn expect_current() -> Rc<Runtime> {
    current().expect("this works only inside block_on")
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
