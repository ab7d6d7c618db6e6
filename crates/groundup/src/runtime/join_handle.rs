//! Spawning a task and waiting for it.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use super::awaited::Awaited;
use super::host::{self, Ready, Runtime};
use super::origin::Origin;
use super::tasks::TaskKey;

/// Starts a task on this thread's loop; it first runs in the loop's next turn.
///
/// The task lives as long as its handle: dropping the handle cancels it, [`JoinHandle::detach`] lets
/// it go on alone. A panic in the task surfaces where the handle is awaited.
///
/// # Panics
///
/// Outside [`block_on`](super::block_on).
///
/// # Examples
///
/// ```
/// use groundup::{block_on, spawn};
///
/// assert_eq!(block_on(async { spawn(async { 4 }).await }), 4);
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
{
    let runtime = host::expect_current();
    let origin = Origin::of::<F>(Location::caller());
    let outcome = Rc::new(RefCell::new(Outcome::Pending(None)));
    let task = Box::pin(settle(future, outcome.clone()));
    let key = runtime.tasks.insert(task, origin, runtime.events.inbox().clone());
    runtime.tell(|witness| witness.spawn(key, origin));
    runtime.events.wake(Ready::Task(key));
    JoinHandle { task: Some((Rc::downgrade(&runtime), key)), outcome }
}

/// Runs a future, stores what comes of it, and wakes whoever waits for that.
async fn settle<F: Future>(future: F, outcome: Rc<RefCell<Outcome<F::Output>>>) {
    let mut future = pin!(future);
    let result = std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    if let Err(panic) = &result {
        host::tell(|witness| witness.panic(&**panic));
    }
    let waiting = outcome.replace(Outcome::Settled(result));
    if let Outcome::Pending(Some(waker)) = waiting {
        waker.wake();
    }
}

enum Outcome<T> {
    /// Not there yet; who is to be woken when it is.
    Pending(Option<Waker>),
    Settled(Result<T, Box<dyn Any + Send>>),
    Taken,
}

/// A spawned task; awaiting it gives the task's output.
///
/// # Panics
///
/// Awaiting it panics when the task panicked, and when it was awaited to its end before.
#[must_use = "dropping the handle cancels the task; call detach() to let it run alone"]
pub struct JoinHandle<T> {
    task: Option<(Weak<Runtime>, TaskKey)>,
    outcome: Rc<RefCell<Outcome<T>>>,
}

impl<T> JoinHandle<T> {
    /// Gives the task a name, for a [recording](super::record); otherwise it goes by its number.
    ///
    /// The name is made only while this thread is recorded, and a recording that begins later does
    /// not know it.
    ///
    /// # Examples
    ///
    /// ```
    /// use groundup::{block_on, spawn};
    ///
    /// let url = "http://localhost/";
    /// block_on(spawn_fetch(url));
    ///
    /// async fn spawn_fetch(url: &str) {
    ///     spawn(async { /* … */ }).named(format_args!("fetch {url}")).await;
    /// }
    /// ```
    pub fn named(self, name: impl fmt::Display) -> Self {
        let Some((runtime, key)) = &self.task else { return self };
        if let Some(runtime) = runtime.upgrade().filter(|it| it.events.recorder().is_on())
            && let Some(origin) = runtime.tasks.origin(*key)
        {
            // A name may do anything while it is made.
            let name = name.to_string();
            runtime.tell(|witness| witness.rename(*key, origin, name));
        }
        self
    }

    /// Lets the task go on without a handle.
    pub fn detach(mut self) {
        self.task = None;
    }

    /// Whether the task has finished.
    pub fn is_finished(&self) -> bool {
        !matches!(*self.outcome.borrow(), Outcome::Pending(_))
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut outcome = self.outcome.borrow_mut();
        if let Outcome::Pending(waiting) = &mut *outcome {
            *waiting = Some(context.waker().clone());
            if let Some((_, key)) = &self.task {
                host::tell(|witness| witness.awaits(Awaited::Task(*key)));
            }
            return Poll::Pending;
        }
        match std::mem::replace(&mut *outcome, Outcome::Taken) {
            Outcome::Settled(Ok(output)) => Poll::Ready(output),
            Outcome::Settled(Err(panic)) => resume_unwind(panic),
            _ => panic!("JoinHandle awaited after it gave its output"),
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let Some((runtime, key)) = &self.task else { return };
        if self.is_finished() {
            return;
        }
        if let Some(runtime) = runtime.upgrade() {
            runtime.cancel(*key);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish()
    }
}
