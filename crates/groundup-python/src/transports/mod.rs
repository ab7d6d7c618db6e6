//! Transports: bytes in, protocol calls out.

mod address;
mod data;
mod datagram;
mod limits;
mod listener;
mod reports;
mod sendfile_protocol;
mod server;
mod stream;
mod tls;
mod unix_path;

pub use address::Address;
pub use datagram::{DatagramTransport, Destination, Step, family_of, is_native};
pub use listener::Listener;
pub use sendfile_protocol::SendfileProtocol;
pub use server::Server;
pub use stream::{FileSending, Origin, StreamSocket, StreamTransport};
pub use tls::{Session, TlsOptions, TlsProtocol, TlsTransport};
pub use unix_path::{UnixPath, is_abstract};
