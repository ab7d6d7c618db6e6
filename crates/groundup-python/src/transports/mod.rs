//! Transports: bytes in, protocol calls out.

mod address;
mod limits;
mod listener;
mod sendfile_protocol;
mod server;
mod stream;
mod tls;
mod unix_path;

pub use listener::Listener;
pub use sendfile_protocol::SendfileProtocol;
pub use server::Server;
pub use stream::{FileSending, Origin, StreamSocket, StreamTransport};
pub use tls::{Session, TlsOptions, TlsProtocol, TlsTransport};
pub use unix_path::{UnixPath, is_abstract};
