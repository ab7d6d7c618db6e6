//! Chains of awaits, as columns have them.

use std::collections::HashMap;

use crate::recorder::recording::Recording;
use crate::recorder::{Name, Verb, halves};

/// The chains of awaits, numbered from 1 on in the order in which the recording tells of them.
pub(super) struct Chains {
    /// Who awaits, and the number of the chain that it awaits; the first is none.
    pub links: Vec<(Name, u32)>,
    /// The numbers of chains, by those that they have in the recording.
    numbers: HashMap<u64, u32>,
}

impl Chains {
    pub fn of(recording: &Recording) -> Self {
        let mut chains = Self { links: vec![(0, 0)], numbers: HashMap::new() };
        for link in recording.of(Verb::Link) {
            let (name, rest) = halves(link.detail);
            // What is awaited is told first.
            let rest = chains.number(rest);
            chains.numbers.insert(link.subject, chains.links.len() as u32);
            chains.links.push((name, rest));
        }
        chains
    }

    /// The number of a chain; 0, which is none, if the records that told of it are lost.
    pub fn number(&self, chain: u32) -> u32 {
        self.numbers.get(&u64::from(chain)).copied().unwrap_or(0)
    }
}
