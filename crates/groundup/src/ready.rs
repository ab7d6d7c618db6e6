//! The ready queue: what can go on now, first in, first out.
//!
//! [`interweave`](mod@crate::interweave) and the [event loop](crate::event_loop) both run on it. It
//! is the only place that decides order; it must not know what its entries are.

use std::collections::VecDeque;

/// A first-in, first-out queue of what is ready to be resumed.
#[derive(Debug, Clone)]
pub struct ReadyQueue<T> {
    entries: VecDeque<T>,
}

impl<T> ReadyQueue<T> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { entries: VecDeque::new() }
    }

    /// Puts an entry at the end.
    pub fn push(&mut self, entry: T) {
        self.entries.push_back(entry);
    }

    /// Puts entries at the end, in their order.
    pub fn extend(&mut self, entries: impl Iterator<Item = T>) {
        self.entries.extend(entries);
    }

    /// Puts an entry before all others.
    pub fn push_first(&mut self, entry: T) {
        self.entries.push_front(entry);
    }

    /// Takes the entry that has waited longest.
    pub fn pop(&mut self) -> Option<T> {
        self.entries.pop_front()
    }

    /// Takes the entry at a place, counted from the oldest.
    pub fn remove(&mut self, place: usize) -> Option<T> {
        self.entries.remove(place)
    }

    /// The entry at a place, counted from the oldest.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        self.entries.get(place)
    }

    /// How many entries are ready.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is ready.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }
}

impl<T> Default for ReadyQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> FromIterator<T> for ReadyQueue<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}
