//! What watches which descriptor.
//!
//! Descriptors are small numbers, used again as soon as they are free, so the table is a plain
//! vector with a descriptor for its index. Each watch gets a generation: an event that was meant for
//! a source that is gone finds another generation here and is dropped.

use std::os::fd::RawFd;

use crate::poller::{Readiness, Token};

/// One descriptor's watch.
#[derive(Clone, Copy, Debug)]
pub struct Watch<S> {
    /// The name of the registration.
    pub token: Token,
    /// The directions the source wants to hear of.
    pub interest: Readiness,
    /// Who hears of them.
    pub source: S,
    /// The directions that were added since the poll of this number.
    added: (Readiness, u32),
}

impl<S> Watch<S> {
    /// A watch that begins with a registration of its own.
    pub const fn new(token: Token, interest: Readiness, source: S) -> Self {
        Self { token, interest, source, added: (Readiness::NONE, 0) }
    }

    /// Changes what the source wants to hear of, after the poll of a number.
    pub fn set_interest(&mut self, interest: Readiness, poll: u32) {
        let earlier = self.interest_before(poll);
        self.interest = interest;
        self.added = (interest.without(earlier), poll);
    }

    /// What the source wants to hear of an event that the poll of this number brought: of the
    /// directions that it has watched since before it, without a break.
    pub fn interest_before(&self, poll: u32) -> Readiness {
        let (added, since) = self.added;
        if since == poll { self.interest.without(added) } else { self.interest }
    }
}

/// The watches of a loop, by descriptor.
#[derive(Debug)]
pub struct Sources<S> {
    watches: Vec<Option<Watch<S>>>,
    generation: u32,
}

impl<S> Sources<S> {
    /// No watches.
    pub const fn new() -> Self {
        Self { watches: Vec::new(), generation: 0 }
    }

    /// A token for a new watch of `descriptor`, which must not be negative.
    pub fn next_token(&mut self, descriptor: RawFd) -> Token {
        assert!(descriptor >= 0, "negative descriptor");
        self.generation = self.generation.wrapping_add(1);
        Token { descriptor, generation: self.generation }
    }

    /// Enters a watch and gives back the one it replaces.
    pub fn insert(&mut self, watch: Watch<S>) -> Option<Watch<S>> {
        let index = watch.token.descriptor as usize;
        if index >= self.watches.len() {
            self.watches.resize_with(index + 1, || None);
        }
        self.watches[index].replace(watch)
    }

    /// The watch of a descriptor.
    pub fn get(&self, descriptor: RawFd) -> Option<&Watch<S>> {
        self.watches.get(usize::try_from(descriptor).ok()?)?.as_ref()
    }

    /// The watch of a descriptor, to change it.
    pub fn get_mut(&mut self, descriptor: RawFd) -> Option<&mut Watch<S>> {
        self.watches.get_mut(usize::try_from(descriptor).ok()?)?.as_mut()
    }

    /// The watch an event was meant for, if it still stands.
    pub fn find(&self, token: Token) -> Option<&Watch<S>> {
        self.get(token.descriptor).filter(|watch| watch.token == token)
    }

    /// Takes the watch of a descriptor out.
    pub fn remove(&mut self, descriptor: RawFd) -> Option<Watch<S>> {
        self.watches.get_mut(usize::try_from(descriptor).ok()?)?.take()
    }

    /// All watches, by descriptor.
    pub fn iter(&self) -> impl Iterator<Item = &Watch<S>> {
        self.watches.iter().flatten()
    }
}

impl<S> Default for Sources<S> {
    fn default() -> Self {
        Self::new()
    }
}
