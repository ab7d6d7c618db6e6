//! Where a load goes to, and how a connection to it is made.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::stream::Stream;

/// A server.
#[derive(Clone)]
pub enum Target {
    Tcp(SocketAddr),
    Udp(SocketAddr),
    Unix(PathBuf),
    Tls(SocketAddr, Arc<ClientConfig>),
}

impl Target {
    /// Makes the connection with this number, which does not block.
    pub fn connect(&self, number: usize) -> io::Result<Stream> {
        match self {
            Self::Tcp(address) => Ok(Stream::Tcp(tcp(*address, number)?)),
            Self::Tls(address, config) => {
                let name = ServerName::IpAddress(address.ip().into());
                let session = ClientConnection::new(Arc::clone(config), name);
                let session = session.map_err(io::Error::other)?;
                Ok(Stream::Tls(Box::new(StreamOwned::new(session, tcp(*address, number)?))))
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_nonblocking(true)?;
                Ok(Stream::Unix(stream))
            }
            Self::Udp(address) => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                socket.connect(address)?;
                socket.set_nonblocking(true)?;
                Ok(Stream::Udp(socket))
            }
        }
    }
}

/// Connects from one of many addresses of loopback: those of one would run out of ports.
///
/// The port is chosen when the server is known. Before that it would have to be free for all
/// servers, and looking for one costs milliseconds while many connections of earlier measurements
/// wait for their end.
fn tcp(address: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let host = 2 + (number / 1000 % 200) as u8;
    setsockopt(&socket, IpBindAddressNoPort, &true)?;
    bind(&socket, &SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, host)), 0))?;
    connect(&socket, &address)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
