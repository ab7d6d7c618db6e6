//! The event loop, on a small host with epoll and the virtual clock.

mod busy;
mod contents;
mod errors;
mod host;
#[path = "../limit/mod.rs"]
mod limit;
mod parts;
mod portable;
mod prefetching;
mod probe;
mod recorder;
mod sources;
mod threads;
mod turn;
