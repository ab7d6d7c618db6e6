//! Transports: bytes in, protocol calls out.

mod address;
mod calls;
mod data;
mod datagram;
mod limits;
mod listener;
mod pipe;
mod reports;
mod sendfile_protocol;
mod server;
mod stream;
mod subprocess;
mod tls;
mod unix_path;

pub use address::Address;
pub use datagram::{DatagramTransport, Destination, Senders, Step, family_of, is_native};
pub use listener::Listener;
pub use pipe::{ReadPipeTransport, WritePipeTransport};
pub use sendfile_protocol::SendfileProtocol;
pub use server::Server;
pub use stream::{FileSending, Origin, StreamSocket, StreamTransport, receive};
pub use subprocess::SubprocessTransport;
pub use tls::{Session, TlsOptions, TlsProtocol, TlsTransport};
pub use unix_path::{UnixPath, is_abstract, remove_stale};

use std::os::fd::RawFd;

use pyo3::prelude::*;

/// Makes what is called for each piece of data quick, once.
///
/// # Errors
///
/// What changing a class raises.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    stream::prepare(py)
}

/// The descriptor that a transport goes over, if it is one of this module's.
pub fn descriptor_of(transport: &Bound<'_, PyAny>) -> Option<RawFd> {
    if let Ok(stream) = transport.cast_exact::<StreamTransport>() {
        return Some(stream.get().descriptor());
    }
    if let Ok(tls) = transport.cast_exact::<TlsTransport>() {
        return descriptor_of(&tls.get().lower(tls.py())?);
    }
    if let Ok(pipe) = transport.cast_exact::<ReadPipeTransport>() {
        return Some(pipe.get().descriptor());
    }
    let pipe = transport.cast_exact::<WritePipeTransport>().ok()?;
    Some(pipe.get().descriptor())
}
