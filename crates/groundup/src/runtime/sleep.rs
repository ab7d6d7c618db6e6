//! Giving way: for one turn, or for a time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::host::{self, Ready};
use crate::clock::{Clock, Timestamp};
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
    timer: Option<(Timestamp, TimerKey)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let events = &host::expect_current().events;
        let now = events.clock().now();
        let deadline = match self.timer {
            None => now.after(self.duration),
            Some((deadline, _)) if deadline <= now => return Poll::Ready(()),
            // Polled early, perhaps by another task: the timer has to wake that one.
            Some((deadline, key)) => {
                drop(events.cancel_timer(key));
                deadline
            }
        };
        let key = events.wake_at(deadline, Ready::Waker(context.waker().clone()));
        self.timer = Some((deadline, key));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some((_, key)), Some(runtime)) = (self.timer, host::current()) {
            drop(runtime.events.cancel_timer(key));
        }
    }
}
