//! Transports: bytes in, protocol calls out.

mod address;
mod listener;
mod server;
mod stream;

pub use listener::Listener;
pub use server::Server;
pub use stream::{Origin, StreamSocket, StreamTransport};
