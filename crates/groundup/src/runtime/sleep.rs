//! Giving way: for one turn, or for a time.

use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::awaited::Awaited;
use super::host::{self, Ready, Runtime};
use crate::clock::Timestamp;
use crate::timers::TimerKey;

/// Lets everything else that is ready run first.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits for `duration` from now; the timer is set when it is first polled.
///
/// # Panics
///
/// When polled outside [`block_on`](super::block_on).
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { duration, timer: None }
}

/// The future of [`sleep`]; dropping it cancels the timer.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    duration: Duration,
    timer: Option<Timer>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let set = |runtime: &Rc<Runtime>| {
            let now = runtime.events.time();
            let deadline = match &self.timer {
                None => now.after(self.duration),
                Some(timer) if timer.deadline <= now => return None,
                // Polled early, perhaps by another task or on another loop: that one is to be woken.
                Some(timer) => timer.deadline,
            };
            Some(Timer::set(runtime, deadline, context.waker().clone()))
        };
        match host::with_current(set).expect(host::OUTSIDE) {
            None => Poll::Ready(()),
            timer => {
                self.timer = timer;
                Poll::Pending
            }
        }
    }
}

/// A timer on the loop where it was set; dropping it cancels it there.
#[derive(Debug)]
struct Timer {
    runtime: Weak<Runtime>,
    deadline: Timestamp,
    key: TimerKey,
}

impl Timer {
    fn set(runtime: &Rc<Runtime>, deadline: Timestamp, waker: Waker) -> Self {
        let address = waker.data().addr();
        let key = runtime.events.wake_at(deadline, Ready::Waker(waker));
        runtime.tell(|witness| witness.awaits_timer(key, address));
        Self { runtime: Rc::downgrade(runtime), deadline, key }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.upgrade() {
            let Some(waker) = runtime.events.cancel_timer(self.key) else { return };
            runtime.tell(|witness| witness.no_longer_awaits(Awaited::Timer(self.key)));
            drop(waker);
        }
    }
}
