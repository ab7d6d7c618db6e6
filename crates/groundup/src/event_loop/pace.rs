//! The pace: how often a loop polls while it has work that is ready.
//!
//! A poll costs more than many a callback, and while work is ready it finds mostly nothing. So polls
//! that found nothing for a while are made rarer, as long as the turns between them are short; they
//! are not further apart than [`SPAN`]. Should turns suddenly get long, that shows within a few of them. A
//! poll that finds something, a sleep, and whoever expects an event make the next turns poll again, each
//! of them.

use std::cell::Cell;
use std::time::Duration;

use crate::clock::Timestamp;

/// How many polls in a row have to find nothing before any is left out.
const PATIENCE: u32 = 32;

/// How many turns in a row may go by without a poll.
const LONGEST: u32 = 31;

/// How far apart polls may be, when turns take as long as they did.
const SPAN: Duration = Duration::from_micros(50);

/// How many turns in a row may go by without a look at the clock.
const UNTIMED: u32 = 8;

/// When to poll next.
#[derive(Debug, Default)]
pub struct Pace {
    /// How many polls in a row have found nothing, up to [`PATIENCE`].
    vain: Cell<u32>,
    /// How many turns go by between two polls.
    gap: Cell<u32>,
    /// How many turns are to go by before the next poll.
    left: Cell<u32>,
    /// When the last poll was, if it had to be known.
    last: Cell<Timestamp>,
}

impl Pace {
    /// Whether this turn is to poll; asked once by each turn that has work. `recently` tells a time
    /// that was not long ago.
    #[inline(always)]
    pub fn is_due(&self, recently: impl FnOnce() -> Timestamp) -> bool {
        let left = self.left.get();
        if left == 0 || left.is_multiple_of(UNTIMED) && recently().since(self.last.get()) > SPAN {
            self.left.set(0);
            return true;
        }
        self.left.set(left - 1);
        false
    }

    /// Has each of the next turns poll.
    #[inline(always)]
    pub fn hurry(&self) {
        self.vain.set(0);
        self.gap.set(0);
        self.left.set(0);
    }

    /// Hears of a poll that found nothing while there was work.
    #[inline(always)]
    pub fn found_nothing(&self, now: impl FnOnce() -> Timestamp) {
        if self.vain.get() < PATIENCE {
            self.vain.set(self.vain.get() + 1);
        } else {
            self.widen(now());
        }
    }

    fn widen(&self, now: Timestamp) {
        let taken = now.since(self.last.replace(now));
        if taken > SPAN {
            self.gap.set(0);
        } else if 2 * taken < SPAN {
            self.gap.set((2 * self.gap.get() + 1).min(LONGEST));
        }
        self.left.set(self.gap.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns that take `nanoseconds` each, and what poll: the turns between two polls, one by one.
    fn gaps(pace: &Pace, nanoseconds: i64, turns: i64) -> Vec<i64> {
        let start = pace.last.get().0.max(1_000_000_000) + nanoseconds;
        let polls = (0..turns).filter(|turn| {
            let now = || Timestamp(start + turn * nanoseconds);
            let is_due = pace.is_due(now);
            if is_due {
                pace.found_nothing(now);
            }
            is_due
        });
        let polls: Vec<_> = polls.collect();
        polls.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn every_turn_polls_until_polls_have_found_nothing_for_a_while() {
        let gaps = gaps(&Pace::default(), 100, 200);
        assert!(gaps[..PATIENCE as usize].iter().all(|gap| *gap == 1), "{gaps:?}");
        assert!(gaps.last().unwrap() > &1, "{gaps:?}");
    }

    #[test]
    fn short_turns_poll_as_rarely_as_is_allowed() {
        let gaps = gaps(&Pace::default(), 100, 2000);
        assert_eq!(*gaps.iter().max().unwrap(), i64::from(LONGEST) + 1);
        assert_eq!(*gaps.last().unwrap(), i64::from(LONGEST) + 1);
    }

    #[test]
    fn polls_are_no_further_apart_than_the_span() {
        for nanoseconds in [300, 1_000, 7_000, 20_000] {
            let widest = gaps(&Pace::default(), nanoseconds, 2000).into_iter().max().unwrap();
            assert!(widest > 1, "{nanoseconds} ns");
            assert!(widest * nanoseconds <= SPAN.as_nanos() as i64, "{nanoseconds} ns: {widest}");
        }
    }

    #[test]
    fn long_turns_poll_every_time() {
        let gaps = gaps(&Pace::default(), SPAN.as_nanos() as i64 + 1, 500);
        assert!(gaps.iter().all(|gap| *gap == 1), "{gaps:?}");
    }

    #[test]
    fn turns_that_get_long_poll_every_time_after_a_few() {
        for before in 2000..2000 + i64::from(LONGEST) {
            let pace = Pace::default();
            gaps(&pace, 100, before);
            let left = i64::from(pace.left.get());
            let polls = gaps(&pace, 1_000_000, 100);
            assert!(polls.iter().all(|gap| *gap == 1), "{before}: {polls:?}");
            assert!(polls.len() as i64 >= 99 - left.min(i64::from(UNTIMED)), "{before}: {left}");
        }
    }

    #[test]
    fn who_expects_an_event_has_each_turn_poll_again() {
        let pace = Pace::default();
        gaps(&pace, 100, 2000);
        pace.hurry();
        let gaps = gaps(&pace, 100, 200);
        assert!(gaps[..PATIENCE as usize].iter().all(|gap| *gap == 1), "{gaps:?}");
    }
}
