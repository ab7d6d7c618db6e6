//! The pulse of a loop: since when a step of it goes on, for another thread to see.
//!
//! It must not know what the step is, nor who looks.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use groundup::clock::Timestamp;

/// No step goes on, or none is late.
const NONE: i64 = i64::MIN;

/// Since when a step goes on. The loop's thread writes it, and any thread may look.
#[derive(Debug)]
pub struct Pulse {
    began: AtomicI64,
    /// When the step began that was last found to take too long.
    late: AtomicI64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { began: AtomicI64::new(NONE), late: AtomicI64::new(NONE) }
    }
}

/// The step in which another one begins, if there is one.
#[derive(Debug)]
pub struct Outer(i64);

impl Pulse {
    /// A step begins.
    #[inline]
    pub fn begin(&self, time: Timestamp) -> Outer {
        let outer = Outer(self.began.load(Relaxed));
        self.began.store(time.0, Relaxed);
        outer
    }

    /// It ends, and the one in which it began goes on; returns when it began if it was late.
    #[inline]
    pub fn end(&self, outer: Outer) -> Option<Timestamp> {
        let began = self.began.load(Relaxed);
        self.began.store(outer.0, Relaxed);
        (self.late.load(Relaxed) == began).then_some(Timestamp(began))
    }

    /// When the step began that goes on.
    pub fn began(&self) -> Option<Timestamp> {
        let began = self.began.load(Relaxed);
        (began != NONE).then_some(Timestamp(began))
    }

    /// When the step began that goes on, unless it was found to be late before.
    pub fn began_in_time(&self) -> Option<Timestamp> {
        self.began().filter(|began| began.0 != self.late.load(Relaxed))
    }

    /// The step that began then takes too long.
    pub fn find_late(&self, began: Timestamp) {
        self.late.store(began.0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_late_when_it_was_found_to_be() {
        let pulse = Pulse::default();
        let outer = pulse.begin(Timestamp(1));
        pulse.find_late(Timestamp(1));
        assert_eq!((pulse.began(), pulse.began_in_time()), (Some(Timestamp(1)), None));
        assert_eq!(pulse.end(outer), Some(Timestamp(1)));
        let outer = pulse.begin(Timestamp(2));
        assert_eq!(pulse.end(outer), None);
        assert_eq!(pulse.began(), None);
    }

    #[test]
    fn the_step_around_another_goes_on_when_that_ends() {
        let pulse = Pulse::default();
        let nothing = pulse.begin(Timestamp(1));
        let outer = pulse.begin(Timestamp(2));
        assert_eq!(pulse.began(), Some(Timestamp(2)));
        pulse.end(outer);
        assert_eq!(pulse.began_in_time(), Some(Timestamp(1)));
        pulse.end(nothing);
        assert_eq!(pulse.began(), None);
    }
}
