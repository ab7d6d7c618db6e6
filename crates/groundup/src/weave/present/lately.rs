//! What comes together between two looks at a loop.

use std::time::Duration;

use super::{ByNumber, PresentTask};
use crate::clock::Timestamp;
use crate::recorder::Name;

/// Steps, and the time they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How many steps ended.
    pub steps: u64,
    /// How long steps took, also those that go on.
    pub running: Duration,
}

/// What a loop did since a moment.
#[derive(Clone, Debug, Default)]
pub struct Lately {
    /// Since when.
    pub began: Timestamp,
    /// How many steps ended.
    pub steps: u64,
    /// How long it was in steps.
    pub running: Duration,
    /// How long it asked for events, and slept.
    pub sleeping: Duration,
    /// How long it collected garbage.
    pub collecting: Duration,
    /// How long the longest of the steps that ended took.
    pub longest: Duration,
    /// Whose it was.
    pub longest_of: Who,
    /// How many steps began of which it is known when they were due.
    pub lags: u64,
    /// How much later than they were due these began, together.
    pub lag: Duration,
    /// How much later the latest of them began.
    pub longest_lag: Duration,
    /// How many entries were ready when it last asked for events.
    pub ready: u64,
    /// How many bytes came.
    pub came: u64,
    /// How many bytes went.
    pub went: u64,
    /// How many tasks came into being.
    pub spawned: u64,
    /// How many tasks ended.
    pub finished: u64,
    /// What functions took that the loop called, by the names of each and of its place, as a pair.
    pub functions: ByNumber<u64, Ran>,
    /// What it took to tell sources that their descriptors are ready.
    pub descriptors: Ran,
}

/// Whose a step was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Who {
    /// Nobody's, or nobody knows.
    #[default]
    Unknown,
    /// A task's.
    Task {
        /// What it is called.
        name: Name,
        /// Its number, which names it if nothing else does.
        number: u64,
        /// What it runs.
        coroutine: Name,
    },
    /// A function's, with its name and that of its place as a pair.
    Function(u64),
    /// A descriptor's.
    Descriptor(u64),
}

impl Who {
    pub(super) fn of_task(task: &PresentTask) -> Self {
        Self::Task { name: task.name, number: task.number, coroutine: task.coroutine }
    }
}

impl Lately {
    pub(super) fn add_lag(&mut self, lag: Duration) {
        self.lags += 1;
        self.lag += lag;
        self.longest_lag = self.longest_lag.max(lag);
    }
}
