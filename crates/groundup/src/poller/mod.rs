//! Pollers: how a loop waits for descriptors.
//!
//! The contract is in `contract.rs`; [`Epoll`] is the driver for Linux, [`Portable`] the one for
//! everything that the crate `polling` supports. The same conformance tests run on both.

mod contract;
mod epoll;
mod portable;

pub use contract::{Event, Poller, Readiness, Token};
pub use epoll::{Epoll, EventFd};
pub use portable::{Portable, PortableNotifier};
