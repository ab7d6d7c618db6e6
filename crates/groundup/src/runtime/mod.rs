//! A runtime for futures: the Rust host of the [event loop](crate::event_loop).
//!
//! [`block_on`] makes a loop for the calling thread and runs a future on it; futures on it may
//! [`spawn`] others, [`sleep`], give way with [`yield_now`], and wait for descriptors through
//! [`Async`]. Tasks stay on their thread, so they need not be `Send`; their wakers may go anywhere.
//!
//! [`record`] writes down what they do.

mod async_io;
mod awaited;
mod block_on;
mod host;
mod join_handle;
mod lives;
mod origin;
mod sleep;
mod tape;
mod tasks;
mod traffic;
mod waiters;
mod witness;

pub use async_io::Async;
pub use block_on::block_on;
pub use join_handle::{JoinHandle, spawn};
pub use sleep::{Sleep, YieldNow, sleep, yield_now};
pub use tape::{Tape, record};
