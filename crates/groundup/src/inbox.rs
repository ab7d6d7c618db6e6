//! The inbox: the one door through which other threads reach a loop.
//!
//! Anyone may put an entry in; the loop takes them all out once a turn. The loop is notified, which
//! costs a system call, only when it sleeps. Each side leaves its own mark before it asks for the
//! other's, and both swap SLEEPING. Of two swaps one is first, and the second sees what went before
//! it; so at least one side sees the other's mark, and no entry is slept over:
//!
//! ```text
//! other thread: entry in, OCCUPIED := true,  then swaps SLEEPING: was it true? → notify
//! the loop:               SLEEPING swapped,  then reads OCCUPIED: is it true?  → do not sleep
//! ```

#[cfg(not(loom))]
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Release},
};

#[cfg(loom)]
use loom::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Release},
};

/// Ends a loop's sleep, from any thread.
pub trait Notify: Send + Sync {
    /// Makes the poll that sleeps now, or else the next one, return at once.
    fn notify(&self);
}

/// Entries for a loop from other threads.
#[derive(Debug)]
pub struct Inbox<T, N> {
    entries: Mutex<Vec<T>>,
    /// Whether there are entries; written only under their lock.
    occupied: AtomicBool,
    sleeping: AtomicBool,
    notifier: N,
}

impl<T, N: Notify> Inbox<T, N> {
    /// An empty inbox whose loop is woken through `notifier`.
    pub fn new(notifier: N) -> Self {
        Self {
            entries: Mutex::new(Vec::new()),
            occupied: AtomicBool::new(false),
            sleeping: AtomicBool::new(false),
            notifier,
        }
    }

    /// Puts an entry in and ends the loop's sleep; tells how many there are now.
    pub fn push(&self, entry: T) -> usize {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        let count = entries.len();
        self.occupied.store(true, Release);
        drop(entries);
        self.rouse();
        count
    }

    /// Ends the loop's sleep, if it sleeps, without an entry.
    pub fn rouse(&self) {
        if self.sleeping.swap(false, AcqRel) {
            self.notifier.notify();
        }
    }

    /// Says that the loop is about to sleep; false when it must not, because an entry is here.
    pub fn fall_asleep(&self) -> bool {
        self.sleeping.swap(true, AcqRel);
        if self.is_occupied() {
            self.wake_up();
            return false;
        }
        true
    }

    /// Says that the loop no longer sleeps.
    pub fn wake_up(&self) {
        // Not a plain store: that would hide what a pusher left before its swap. Who finds it false
        // already has been woken by a pusher, and sees what that left, or has not slept.
        if self.sleeping.load(Acquire) {
            self.sleeping.swap(false, AcqRel);
        }
    }

    /// Whether there are entries.
    pub fn is_occupied(&self) -> bool {
        self.occupied.load(Acquire)
    }

    /// Moves all entries, oldest first, to the end of `into`.
    pub fn drain(&self, into: &mut Vec<T>) {
        if !self.is_occupied() {
            return;
        }
        let mut entries = self.entries.lock().unwrap();
        into.append(&mut entries);
        self.occupied.store(false, Release);
    }
}
