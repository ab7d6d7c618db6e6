//! The recorder: what an event loop tells about itself.
//!
//! Everything that happens in a loop passes through these few verbs. [`Off`] hears none of them and
//! costs nothing: its empty methods are compiled away. [`FlightRecorder`] keeps the last of them,
//! [`recording`] is what it keeps, in a file, and with a [`Switch`] it is put in while a loop runs.
//! A [`Follower`] reads such a file while it is written.

mod flight;
pub(crate) mod follower;
mod names;
mod off;
mod record;
pub mod recording;
mod ring;
mod switch;
mod verbs;

pub use flight::FlightRecorder;
pub use follower::{Follower, News};
pub use names::{LONGEST as LONGEST_NAME, Name, Names};
pub use off::Off;
pub use record::{Record, SIZE as RECORD_SIZE, Verb, halves, pair};
pub use ring::Ring;
pub use switch::Switch;
pub use verbs::{Recorder, TaskId};
