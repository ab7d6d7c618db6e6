//! The recorder: what an event loop tells about itself.
//!
//! Everything that happens in a loop passes through these few verbs. [`Off`] hears none of them and
//! costs nothing: its empty methods are compiled away.

mod off;
mod verbs;

pub use off::Off;
pub use verbs::{Recorder, TaskId};
