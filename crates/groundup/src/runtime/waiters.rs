//! Who waits for a descriptor.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use crate::poller::Readiness;

/// The tasks that wait for one descriptor, one for each direction.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    reader: RefCell<Option<Waker>>,
    writer: RefCell<Option<Waker>>,
    /// The directions in which somebody waits, or has been woken and not gone on yet.
    pub taken: Cell<Readiness>,
}

impl Waiters {
    /// Wakes those whose direction is ready.
    pub fn wake(&self, readiness: Readiness) {
        for direction in [Readiness::READABLE, Readiness::WRITABLE] {
            if !(readiness & direction).is_none() {
                let waker = self.slot(direction).take();
                waker.into_iter().for_each(Waker::wake);
            }
        }
    }

    /// Who waits for a direction.
    pub fn slot(&self, direction: Readiness) -> &RefCell<Option<Waker>> {
        if direction.readable() { &self.reader } else { &self.writer }
    }

    /// The directions in which somebody waits.
    pub fn interest(&self) -> Readiness {
        let interest_of = |slot: &RefCell<Option<Waker>>, direction| {
            if slot.borrow().is_some() { direction } else { Readiness::NONE }
        };
        interest_of(&self.reader, Readiness::READABLE)
            | interest_of(&self.writer, Readiness::WRITABLE)
    }
}
