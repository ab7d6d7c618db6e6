//! The weave: what a recording tells of the tasks of a loop, put together.
//!
//! A record says one thing: a step begins, a task is put on the ready queue. What one wants to see
//! is how they hang together: whose step it was, what the task had waited for, and who woke it.
//! That follows from the order of the records, for a loop does one thing at a time: whatever is
//! woken between the beginning and the end of a step was woken by that step.
//!
//! [`build`] puts together all of a recording. [`present`] is only what goes on at its end, and a [`Lookout`]
//! keeps up with that while the recording is written.

mod building;
pub mod columns;
mod lookout;
mod parts;
pub mod present;
mod tables;

#[cfg(test)]
mod tests;

pub use building::build;
pub use lookout::Lookout;
pub use parts::{
    Cancel, Cause, Collection, Job, Lane, LaneKind, Mark, Outcome, Poll, Socket, Stack, Step,
    Transfer, Usage, Wait, Weave,
};
pub use tables::{LaneTotals, longest_steps, never_finished, slowest_waits, totals};
