//! Where time comes from: the system's monotonic clock, or a virtual one that tests turn by hand.
//!
//! The event loop asks its clock for the time and for how long it may sleep, and nothing else.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A point in time: nanoseconds on the clock that gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later than any other: a timer set for it never expires.
    pub const NEVER: Self = Self(i64::MAX);

    /// This point in time, `duration` later, at most [`Timestamp::NEVER`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add_unsigned(nanoseconds))
    }

    /// How long it is from `earlier` to this; zero when this is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let nanoseconds = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_nanos(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX))
    }
}

/// A source of time for an event loop.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// A time that was not long ago, if it can be told more quickly than the time now.
    fn recently(&self) -> Timestamp {
        self.now()
    }

    /// How long a loop with nothing to do may sleep before `deadline`; `None` means until an event.
    fn sleep_until(&self, deadline: Option<Timestamp>) -> Option<Duration>;
}

/// The system's monotonic clock (`CLOCK_MONOTONIC`), the one Python's `time.monotonic()` reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

impl Monotonic {
    fn read(id: ClockId) -> Timestamp {
        let time = clock_gettime(id);
        Timestamp(time.tv_sec * 1_000_000_000 + time.tv_nsec)
    }
}

impl Clock for Monotonic {
    fn now(&self) -> Timestamp {
        Self::read(ClockId::Monotonic)
    }

    /// The time of the system's last tick, some milliseconds ago at most.
    fn recently(&self) -> Timestamp {
        Self::read(ClockId::MonotonicCoarse)
    }

    fn sleep_until(&self, deadline: Option<Timestamp>) -> Option<Duration> {
        match deadline {
            None | Some(Timestamp::NEVER) => None,
            Some(deadline) => Some(deadline.since(self.now())),
        }
    }
}

/// A clock that stands still until the loop has nothing to do, and then jumps to the next deadline.
///
/// Hours of timers pass in no time, and always in the same order.
#[derive(Debug, Default)]
pub struct Virtual {
    now: Cell<Timestamp>,
}

impl Virtual {
    /// A virtual clock that shows `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { now: Cell::new(start) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.now.set(self.now.get().after(duration));
    }
}

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn sleep_until(&self, deadline: Option<Timestamp>) -> Option<Duration> {
        match deadline {
            None | Some(Timestamp::NEVER) => None,
            Some(deadline) => {
                self.now.set(self.now.get().max(deadline));
                Some(Duration::ZERO)
            }
        }
    }
}
