//! Streams: the readers and writers of `asyncio.start_server` and `open_connection`, quick.
//!
//! asyncio makes its own readers, protocols and writers. Where a transport finds one that is just as
//! asyncio makes them, it gives it a class of this module, whose methods are in Rust ([`adoption`]), or
//! puts one of this module in its place ([`accepted`]); what arrives goes from the transport into the
//! reader's state without a call into Python. Everything else, and whatever somebody has changed, is
//! asyncio's own code.

mod accepted;
mod adoption;
mod classes;
mod coroutine;
mod flow;
mod native_class;
mod native_method;
mod protocol;
mod reader;
mod reader_attributes;
mod reader_methods;
mod reading;
mod received;
pub mod waiter;
mod writer;
mod writer_attributes;

pub use adoption::{adopt, deliver};
pub use classes::Classes;
pub use coroutine::StreamCoroutine;
pub use reader::ReaderState;
