//! The locks, queues and the like that tasks wait for: numbered, so that one can tell them apart.
//!
//! They are known by weak references, which keep nothing alive and are of one object only, whatever
//! comes to its address later.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::waits::Kind;

/// Things of one kind or several, by address.
#[derive(Default)]
pub struct Things {
    known: RefCell<HashMap<usize, Thing>>,
    counts: RefCell<HashMap<Kind, u32>>,
    /// How many there were when the dead were last left out.
    living: Cell<usize>,
}

struct Thing {
    reference: Py<PyWeakrefReference>,
    number: u32,
}

/// How many things there are at least before the dead are left out.
const FEW: usize = 1024;

impl Things {
    /// The number of a thing, which counts those of its kind in the order in which they were first seen;
    /// none for what cannot be referred to weakly.
    pub fn number(&self, kind: Kind, object: &Bound<'_, PyAny>) -> Option<u32> {
        let (py, address) = (object.py(), object.as_ptr().addr());
        if let Some(thing) = self.known.borrow().get(&address)
            && thing.reference.bind(py).upgrade().is_some_and(|it| it.is(object))
        {
            return Some(thing.number);
        }
        let reference = PyWeakrefReference::new(object).ok()?.unbind();
        let number = self.count(kind);
        self.forget_dead(py);
        let earlier = self.known.borrow_mut().insert(address, Thing { reference, number });
        drop(earlier);
        Some(number)
    }

    fn count(&self, kind: Kind) -> u32 {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(kind).or_default();
        *count += 1;
        *count
    }

    /// Leaves out what no longer lives, once there is twice as much as there was.
    fn forget_dead(&self, py: Python<'_>) {
        let mut known = self.known.borrow_mut();
        if known.len() < FEW.max(2 * self.living.get()) {
            return;
        }
        // To let go of a weak reference, or of what somebody else refers to, calls nobody.
        known.retain(|_, thing| thing.reference.bind(py).upgrade().is_some());
        self.living.set(known.len());
    }
}
