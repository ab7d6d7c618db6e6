//! Recording a loop: what the crate's flight recorder is told about Python's objects, and the file that
//! it writes into.
//!
//! The loop's own verbs (steps, wake-ups, polls, timers) are the crate's. What a task is called and waits
//! for, which function is called, what goes over which socket is told here, by a [`Narrator`], and only
//! while somebody records. It must not change what a program does, nor fail it.

mod callables;
mod callbacks;
mod chains;
mod codes;
mod collections;
mod connections;
mod jobs;
mod lookout;
mod memory;
mod narrator;
mod pulse;
#[expect(clippy::module_inception, reason = "the object that Python has")]
mod recording;
mod reports;
mod runs;
mod sight;
mod stacks;
mod task_view;
mod tasks;
mod things;
mod transfers;
mod waits;
mod watchdog;

pub use connections::Connection;
pub use lookout::Lookout;
pub use narrator::{Flight, Narrator};
pub use recording::Recording;
pub use runs::{announce, watch_runs};
pub use tasks::summary;
