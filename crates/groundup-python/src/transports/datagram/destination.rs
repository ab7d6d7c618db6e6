//! Where a datagram goes: what `sendto` was told, as the system takes it.
//!
//! Literal addresses are read here. What is left (names of hosts, which have to be looked up, and
//! families that only Python's socket knows) stays a Python object for the socket's own `sendto`,
//! which also says what is wrong with an address that is none.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::BorrowedFd;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple};
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix};

/// The longest path that is sent with the NUL at its end, in bytes.
const PATH_MAX: usize = 107;

/// Where a datagram goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// To the peer that the socket is connected to.
    Peer,
    /// To an IPv4 or IPv6 address.
    Internet(SocketAddr),
    /// To a Unix socket.
    Unix(Box<SocketAddrUnix>),
    /// To what Python's socket makes of this.
    Python(Py<PyAny>),
}

impl Destination {
    /// What an address means to a socket of a family.
    pub fn of(family: AddressFamily, address: &Bound<'_, PyAny>) -> Self {
        let known = match family {
            AddressFamily::INET => ipv4(address).map(|v4| Self::Internet(v4.into())),
            AddressFamily::INET6 => ipv6(address).map(|v6| Self::Internet(v6.into())),
            AddressFamily::UNIX => unix(address).map(|unix| Self::Unix(unix.into())),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Python(address.clone().unbind()))
    }

    /// Sends data there; `None` if only Python's socket can.
    pub fn send(&self, fd: BorrowedFd<'_>, data: &[u8]) -> Option<rustix::io::Result<usize>> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match self {
            Self::Peer => Some(rustix::net::send(fd, data, flags)),
            Self::Internet(address) => Some(rustix::net::sendto(fd, data, flags, address)),
            Self::Unix(address) => Some(rustix::net::sendto(fd, data, flags, &**address)),
            Self::Python(_) => None,
        }
    }

    /// Has a Python socket send data there; as for any destination, that is one datagram.
    ///
    /// # Errors
    ///
    /// Those of the socket's `send` and `sendto`.
    pub fn send_by_socket(
        &self,
        socket: &Bound<'_, PyAny>,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<usize> {
        let py = socket.py();
        match self {
            Self::Python(address) => socket.call_method1(intern!(py, "sendto"), (data, address)),
            _ => socket.call_method1(intern!(py, "send"), (data,)),
        }?
        .extract()
    }
}

/// A pair of a literal address and a port.
fn ipv4(address: &Bound<'_, PyAny>) -> Option<SocketAddrV4> {
    let parts = address.cast_exact::<PyTuple>().ok()?;
    if parts.len() != 2 {
        return None;
    }
    let host = text(parts, 0)?;
    let host: Ipv4Addr = host.to_str().ok()?.parse().ok()?;
    Some(SocketAddrV4::new(host, number(parts, 1)?))
}

/// A literal address and a port; a flow and a scope may follow.
fn ipv6(address: &Bound<'_, PyAny>) -> Option<SocketAddrV6> {
    let parts = address.cast_exact::<PyTuple>().ok()?;
    let (flow, scope) = match parts.len() {
        2 => (0, 0),
        4 => (number(parts, 2)?, number(parts, 3)?),
        _ => return None,
    };
    let host = text(parts, 0)?;
    let host: Ipv6Addr = host.to_str().ok()?.parse().ok()?;
    // Larger flows are refused, with words of their own.
    (flow <= 0xf_ffff)
        .then(|| number(parts, 1))
        .flatten()
        .map(|port| SocketAddrV6::new(host, port, flow, scope))
}

/// A path, or an abstract name, which begins with NUL.
fn unix(address: &Bound<'_, PyAny>) -> Option<SocketAddrUnix> {
    if let Ok(bytes) = address.cast_exact::<PyBytes>() {
        return named(bytes.as_bytes());
    }
    let text = address.cast_exact::<PyString>().ok()?;
    // What is not ASCII depends on the encoding of file names.
    named(text.to_str().ok().filter(|text| text.is_ascii())?.as_bytes())
}

fn named(name: &[u8]) -> Option<SocketAddrUnix> {
    match name {
        [] => None,
        [0, name @ ..] => SocketAddrUnix::new_abstract_name(name).ok(),
        path if path.len() <= PATH_MAX => SocketAddrUnix::new(path).ok(),
        _ => None,
    }
}

fn text<'py>(parts: &Bound<'py, PyTuple>, index: usize) -> Option<Bound<'py, PyString>> {
    parts.get_item(index).ok()?.cast_into_exact().ok()
}

fn number<'py, T>(parts: &Bound<'py, PyTuple>, index: usize) -> Option<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let number = parts.get_item(index).ok()?.cast_into_exact::<PyInt>().ok()?;
    number.extract().ok()
}
