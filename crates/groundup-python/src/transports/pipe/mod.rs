//! Pipe transports: the reading and the writing end of a pipe, a FIFO, a socket or a character device.
//!
//! They are for what streams are not: files that go one way, and that a Python file object owns. They
//! are watched through handles, as `add_reader` watches, so that two ends may have one descriptor.

mod end;
mod reading;
mod reports;
mod write_methods;
mod writing;

pub use reading::ReadPipeTransport;
pub use writing::WritePipeTransport;
