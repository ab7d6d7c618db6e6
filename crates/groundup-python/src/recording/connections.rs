//! What is told of connections: how they come and go.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::RawFd;

use groundup::recorder::{Verb, pair};
use pyo3::prelude::*;

use super::narrator::Narrator;
use crate::event_loop::EventLoop;
use crate::ffi;
use crate::transports::Address;

/// What was said of the connections that are open, by their descriptors: to be said again in time.
pub type Connections = RefCell<HashMap<RawFd, Connection>>;

/// What is known of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// What it is, as `tcp`.
    pub kind: &'static str,
    /// Who is at the other end, in words.
    pub peer: String,
}

impl Connection {
    /// That of a connected stream socket.
    pub fn of_stream(descriptor: RawFd) -> Self {
        let fd = ffi::borrow_descriptor(descriptor);
        Self::between(&Address::of_socket(fd), &Address::of_peer(fd))
    }

    /// That of a stream socket with these two ends.
    pub fn between(own: &Address, peer: &Address) -> Self {
        let kind = match own {
            Address::Internet(_) | Address::Link(_) => "tcp",
            Address::Unix(_) => "unix",
            Address::Unknown => "socket",
        };
        Self { kind, peer: peer.to_string() }
    }

    /// The same with a TLS session over it.
    pub fn over_tls(self) -> Self {
        Self { kind: "tls", ..self }
    }

    /// That of a socket that listens; who may come is not known, so its own address stands for that.
    pub fn of_listener(descriptor: RawFd) -> Self {
        let own = Address::of_socket(ffi::borrow_descriptor(descriptor));
        let kind = match own {
            Address::Unix(_) => "unix listener",
            _ => "tcp listener",
        };
        Self { kind, peer: own.to_string() }
    }

    /// That of a socket for datagrams; the peer is named if there is but one.
    pub fn of_datagrams(descriptor: RawFd) -> Self {
        let fd = ffi::borrow_descriptor(descriptor);
        let kind = match Address::of_socket(fd) {
            Address::Internet(_) | Address::Link(_) => "udp",
            Address::Unix(_) => "unix datagrams",
            Address::Unknown => "datagrams",
        };
        Self { kind, peer: Address::of_peer(fd).to_string() }
    }
}

impl EventLoop {
    /// Says that a connection was opened, or is of another kind from now on, if anybody records.
    #[inline(always)]
    pub fn tell_open(
        &self,
        py: Python<'_>,
        descriptor: RawFd,
        describe: impl FnOnce() -> Connection,
    ) {
        self.tell(py, |narrator| narrator.open(descriptor, describe()));
    }

    /// Says that a connection is closed, if anybody records.
    #[inline(always)]
    pub fn tell_close(&self, py: Python<'_>, descriptor: RawFd) {
        self.tell(py, |narrator| narrator.close(descriptor));
    }
}

impl Narrator {
    /// Says that a connection was opened, or lives, or is of another kind from now on.
    pub fn open(&self, descriptor: RawFd, connection: Connection) {
        self.tell_connection(descriptor, &connection);
        self.connections.borrow_mut().insert(descriptor, connection);
    }

    fn close(&self, descriptor: RawFd) {
        self.connections.borrow_mut().remove(&descriptor);
        self.flight.note(Verb::Close, subject(descriptor), 0);
    }

    /// Says again which connections there are.
    pub(super) fn tell_of_connections(&self) {
        for (&descriptor, connection) in &*self.connections.borrow() {
            self.tell_connection(descriptor, connection);
        }
    }

    fn tell_connection(&self, descriptor: RawFd, connection: &Connection) {
        let names = pair(self.flight.name(connection.kind), self.flight.name(&connection.peer));
        self.flight.note(Verb::Open, subject(descriptor), names);
    }
}

/// A descriptor as the subject of a record.
pub(super) fn subject(descriptor: RawFd) -> u64 {
    u64::from(descriptor.cast_unsigned())
}
