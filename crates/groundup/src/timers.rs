//! Timers: what is to become ready at a deadline.
//!
//! A binary heap ordered by deadline and, among equal deadlines, by the order they were set in. The
//! entries themselves lie in a slab, so that cancelling frees one at once; its place in the heap is
//! passed over later, when it comes to the top, or swept out when such places are the majority.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use slab::Slab;

use crate::clock::Timestamp;

/// Below this many places, a heap is not worth sweeping.
const SWEEP_MINIMUM: usize = 64;

/// Names one timer of a [`Timers`]; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    slot: usize,
    sequence: u64,
}

/// Entries waiting for their deadlines.
#[derive(Debug)]
pub struct Timers<T> {
    heap: BinaryHeap<Reverse<Place>>,
    entries: Slab<Entry<T>>,
    next_sequence: u64,
}

#[derive(Debug)]
struct Entry<T> {
    sequence: u64,
    value: T,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    deadline: Timestamp,
    key: TimerKey,
}

impl<T> Timers<T> {
    /// No timers.
    pub const fn new() -> Self {
        Self { heap: BinaryHeap::new(), entries: Slab::new(), next_sequence: 0 }
    }

    /// Sets a timer: `value` is due at `deadline`.
    pub fn insert(&mut self, deadline: Timestamp, value: T) -> TimerKey {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let slot = self.entries.insert(Entry { sequence, value });
        let key = TimerKey { slot, sequence };
        self.heap.push(Reverse(Place { deadline, key }));
        key
    }

    /// Cancels a timer and gives its value back; `None` when it has expired or was cancelled before.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        let value = self.take(key)?;
        if self.heap.len() > SWEEP_MINIMUM && self.heap.len() > 2 * self.entries.len() {
            self.sweep();
        }
        Some(value)
    }

    /// The earliest deadline.
    pub fn next_deadline(&mut self) -> Option<Timestamp> {
        while let Some(Reverse(place)) = self.heap.peek() {
            if self.holds(place.key) {
                return Some(place.deadline);
            }
            self.heap.pop();
        }
        None
    }

    /// Whether a value is due at `now`.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        self.next_deadline().is_some_and(|deadline| deadline <= now && deadline != Timestamp::NEVER)
    }

    /// Takes the value that is due first, if one is due at `now`.
    pub fn expire(&mut self, now: Timestamp) -> Option<T> {
        while let Some(Reverse(place)) = self.heap.peek().copied() {
            if place.deadline > now || place.deadline == Timestamp::NEVER {
                return None;
            }
            self.heap.pop();
            if let Some(value) = self.take(place.key) {
                return Some(value);
            }
        }
        None
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The values of the timers that are set, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, entry)| &entry.value)
    }

    /// The values of the timers that are set, those first that are due first.
    pub fn sorted(&self) -> impl Iterator<Item = &T> {
        let mut places: Vec<_> = self.heap.iter().map(|Reverse(place)| *place).collect();
        places.retain(|place| self.holds(place.key));
        places.sort_unstable();
        places.into_iter().map(|place| &self.entries[place.key.slot].value)
    }

    fn holds(&self, key: TimerKey) -> bool {
        self.entries.get(key.slot).is_some_and(|entry| entry.sequence == key.sequence)
    }

    fn take(&mut self, key: TimerKey) -> Option<T> {
        self.holds(key).then(|| self.entries.remove(key.slot).value)
    }

    fn sweep(&mut self) {
        let entries = &self.entries;
        self.heap.retain(|Reverse(place)| {
            entries.get(place.key.slot).is_some_and(|entry| entry.sequence == place.key.sequence)
        });
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.deadline, self.key.sequence).cmp(&(other.deadline, other.key.sequence))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}
