//! What is told of sockets: they are opened and closed, and bytes come and go.

use std::collections::BTreeMap;
use std::os::fd::RawFd;

use super::Witness;
use crate::clock::Timestamp;
use crate::recorder::{Verb, pair};

/// What is open: its kind, and who is at the other end.
pub(super) type Sockets = BTreeMap<RawFd, (&'static str, String)>;

impl Witness {
    pub fn open(&self, descriptor: RawFd, kind: &'static str, peer: String) {
        self.note_open(descriptor, kind, &peer);
        self.sockets.borrow_mut().insert(descriptor, (kind, peer));
    }

    /// Says again what is open.
    pub(super) fn say_what_is_open(&self) {
        for (descriptor, (kind, peer)) in &*self.sockets.borrow() {
            self.note_open(*descriptor, kind, peer);
        }
    }

    fn note_open(&self, descriptor: RawFd, kind: &str, peer: &str) {
        let [kind, peer] = [kind, peer].map(|text| self.recorder.name(text));
        self.recorder.note(Verb::Open, number(descriptor), pair(kind, peer));
    }

    pub fn close(&self, descriptor: RawFd) {
        self.sockets.borrow_mut().remove(&descriptor);
        self.recorder.note(Verb::Close, number(descriptor), 0);
    }

    /// So many bytes were read or written since then.
    pub fn transfer(&self, verb: Verb, descriptor: RawFd, bytes: usize, began: Timestamp) {
        let now = self.now();
        let took = u32::try_from(now.since(began).as_nanos()).unwrap_or(u32::MAX);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.recorder.note_at(now, verb, number(descriptor), pair(bytes, took));
    }
}

fn number(descriptor: RawFd) -> u64 {
    u64::from(descriptor.cast_unsigned())
}
