//! Socket addresses, kept small until Python asks for them.

use std::fmt;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::BorrowedFd;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use rustix::net::{AddressFamily, SocketAddrAny, netdevice};

use crate::ffi;

/// The address of one end of a connection.
#[derive(Clone, Debug)]
pub enum Address {
    /// IPv4 or IPv6.
    Internet(SocketAddr),
    /// IPv6 on one link only, with the link's name.
    Link(Box<(SocketAddrV6, String)>),
    /// A Unix socket's: a path, an abstract name, or nothing.
    Unix(Box<[u8]>),
    /// None, or of a family that is not known here.
    Unknown,
}

impl Address {
    /// The address of a socket's own end.
    pub fn of_socket(fd: BorrowedFd<'_>) -> Self {
        rustix::net::getsockname(fd).map_or(Self::Unknown, |address| Self::new(fd, address))
    }

    /// The address of the other end of a connected socket.
    pub fn of_peer(fd: BorrowedFd<'_>) -> Self {
        let peer = rustix::net::getpeername(fd).ok().flatten();
        peer.map_or(Self::Unknown, |address| Self::new(fd, address))
    }

    /// An address that the system gave for a socket.
    pub fn new(fd: BorrowedFd<'_>, address: SocketAddrAny) -> Self {
        match address.address_family() {
            AddressFamily::UNIX => Self::Unix(ffi::unix_name(&address)),
            AddressFamily::INET | AddressFamily::INET6 => SocketAddr::try_from(address)
                .map_or(Self::Unknown, |internet| Self::internet(fd, internet)),
            _ => Self::Unknown,
        }
    }

    fn internet(fd: BorrowedFd<'_>, address: SocketAddr) -> Self {
        if let SocketAddr::V6(v6) = address
            && v6.scope_id() != 0
            && let Ok(link) = netdevice::index_to_name(fd, v6.scope_id())
        {
            return Self::Link(Box::new((v6, link)));
        }
        Self::Internet(address)
    }

    /// Whether it is an IPv4 or IPv6 address.
    pub fn is_internet(&self) -> bool {
        matches!(self, Self::Internet(_) | Self::Link(_))
    }

    /// The address as Python's `socket` module gives it; None if it is unknown.
    pub fn to_python(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let object = match self {
            Self::Internet(SocketAddr::V4(v4)) => {
                (v4.ip().to_string(), v4.port()).into_pyobject(py)?.into_any()
            }
            Self::Internet(SocketAddr::V6(v6)) => v6_tuple(py, v6, v6.ip().to_string())?,
            Self::Link(link) => v6_tuple(py, &link.0, format!("{}%{}", link.0.ip(), link.1))?,
            Self::Unix(name) => return unix_name(py, name),
            Self::Unknown => return Ok(py.None()),
        };
        Ok(object.unbind())
    }
}

impl fmt::Display for Address {
    /// A host and a port, a path, or `@` and an abstract name; nothing for an end without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internet(address) => address.fmt(f),
            Self::Link(link) => write!(f, "[{}%{}]:{}", link.0.ip(), link.1, link.0.port()),
            Self::Unix(name) => match name.split_first() {
                Some((0, [])) | None => Ok(()),
                Some((0, name)) => write!(f, "@{}", String::from_utf8_lossy(name)),
                Some(_) => f.write_str(&String::from_utf8_lossy(path_of(name))),
            },
            Self::Unknown => Ok(()),
        }
    }
}

fn v6_tuple<'py>(
    py: Python<'py>,
    address: &SocketAddrV6,
    host: String,
) -> PyResult<Bound<'py, PyAny>> {
    Ok((host, address.port(), address.flowinfo(), address.scope_id()).into_pyobject(py)?.into_any())
}

/// A path as str, an abstract name as bytes that begin with NUL, and '' for a socket without a name.
fn unix_name(py: Python<'_>, name: &[u8]) -> PyResult<Py<PyAny>> {
    if name.starts_with(b"\0") {
        return Ok(PyBytes::new(py, name).into_any().unbind());
    }
    let path = path_of(name);
    match str::from_utf8(path) {
        Ok(path) if path.is_ascii() => Ok(PyString::new(py, path).into_any().unbind()),
        _ => Ok(py.import("os")?.call_method1("fsdecode", (PyBytes::new(py, path),))?.unbind()),
    }
}

/// A path, up to the NUL at its end.
fn path_of(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}
