//! Transports: bytes in, protocol calls out.

mod address;
mod listener;
mod server;
mod stream;
mod stream_methods;
mod stream_socket;
mod write_buffer;

pub use listener::Listener;
pub use server::Server;
pub use stream::{Origin, StreamTransport};
pub use stream_socket::StreamSocket;
