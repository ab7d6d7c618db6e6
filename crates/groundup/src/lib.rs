//! Asynchronous I/O, built from the ground up.
//!
//! A coroutine is anything that can be resumed until it returns. Everything else in this crate is
//! built on that idea, in layers of which each knows only the ones before it; the list of modules
//! below is in the order of the layers, and reading them in that order is reading the system.
//!
//! 1. **Coroutines**: [`coroutine`] is the one trait; [`generator`](mod@generator) makes
//!    generators of `async` blocks.
//! 2. **Scheduler**: [`ready`] is the queue of what can go on; [`interweave`](mod@interweave) takes
//!    turns on it; [`clock`] and [`timers`] know when; [`inbox`] lets other threads in.
//! 3. **Event loop**: [`poller`] waits for descriptors, [`sources`] knows who watches them,
//!    [`recorder`] hears what happens, and [`event_loop`] is one turn of it all.
//! 4. **Runtime**: [`runtime`] runs futures on the loop, and shows that the loop does not care what
//!    it runs. The Python package is another host of the same loop.
//!
//! Beside these, [`weave`] puts together what a recorder has kept of a run.
//!
//! # Examples
//!
//! ```
//! use groundup::{block_on, sleep, spawn};
//! use std::time::Duration;
//!
//! let sum = block_on(async {
//!     let slow = spawn(async {
//!         sleep(Duration::from_millis(5)).await;
//!         3 * 3
//!     });
//!     let quick = spawn(async { 4 * 4 });
//!     slow.await + quick.await
//! });
//! assert_eq!(sum, 25);
//! ```

pub mod coroutine;
pub mod generator;

pub mod clock;
pub mod inbox;
pub mod interweave;
pub mod ready;
pub mod timers;

pub mod event_loop;
pub mod poller;
pub mod recorder;
pub mod sources;

pub mod runtime;

pub mod weave;

pub use coroutine::{Coroutine, Step};
pub use generator::generator;
pub use interweave::{interweave, run, run_all};
pub use runtime::{block_on, record, sleep, spawn, yield_now};

/// The examples of the project's front page, so that they are tested with the others.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
