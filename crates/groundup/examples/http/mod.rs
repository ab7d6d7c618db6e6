//! What the three styles of `wget` share: just enough HTTP/1.0 to fetch a body, and no waiting.
//!
//! RFC 1945. The server ends the response by closing the connection.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// Where a URL leads.
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    host: String,
    path: String,
}

impl Target {
    /// The target of the URL that is this program's only argument.
    pub fn from_arguments() -> io::Result<Self> {
        match <[String; 1]>::try_from(std::env::args().skip(1).collect::<Vec<_>>()) {
            Ok([url]) => Self::parse(&url),
            Err(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "give one URL")),
        }
    }

    /// The target of `http://host[:port][/path]`.
    fn parse(url: &str) -> io::Result<Self> {
        let wrong = |why| io::Error::new(io::ErrorKind::InvalidInput, format!("{url}: {why}"));
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("not an http URL"))?;
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = if has_port { host.to_owned() } else { format!("{host}:80") };
        let address = with_port.to_socket_addrs()?.next().ok_or_else(|| wrong("no address"))?;
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { address, host: host.to_owned(), path: path.to_owned() })
    }

    /// The request to send.
    pub fn request(&self) -> Vec<u8> {
        let Self { host, path, .. } = self;
        format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n").into_bytes()
    }
}

/// Starts to connect; the stream becomes writable when that has ended, well or not.
#[allow(dead_code, reason = "the runtime's `Async::connect` also waits for the end")]
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(error) => Err(error.into()),
    }
}

/// Reads once, adds what comes to `response`, and says how much: zero is the end.
pub fn read(mut stream: &TcpStream, response: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 16 * 1024];
    let length = stream.read(&mut chunk)?;
    response.extend_from_slice(&chunk[..length]);
    Ok(length)
}

/// The body of a whole response.
pub fn body(response: &[u8]) -> io::Result<&[u8]> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why);
    let end = response.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = response.split_at(end.ok_or_else(|| wrong("the response has no head"))? + 4);
    let head = String::from_utf8_lossy(head);
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(wrong(status));
    }
    let promised =
        head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
    match promised {
        Some(Ok(length)) if length == body.len() => Ok(body),
        None => Ok(body),
        Some(_) => Err(wrong("the body is not as long as its head promised")),
    }
}
