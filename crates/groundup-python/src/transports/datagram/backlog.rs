//! Datagrams that wait until they can be sent, in order.

use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::destination::Destination;

/// What a datagram counts beside its data, in bytes, from Python 3.13 on.
const HEADER: usize = 8;

/// A datagram that is to be sent.
#[derive(Debug)]
pub struct Datagram {
    pub data: Py<PyBytes>,
    pub destination: Destination,
}

/// A queue of datagrams.
#[derive(Debug)]
pub struct Backlog {
    datagrams: VecDeque<Datagram>,
    /// How much is waiting, headers included.
    size: usize,
    header: usize,
}

impl Backlog {
    /// An empty queue that counts as the running version of asyncio does.
    pub fn new(py: Python<'_>) -> Self {
        let header = if py.version_info() >= (3, 13) { HEADER } else { 0 };
        Self { datagrams: VecDeque::new(), size: 0, header }
    }

    /// How much is waiting, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The datagrams that are waiting.
    pub fn iter(&self) -> impl Iterator<Item = &Datagram> {
        self.datagrams.iter()
    }

    /// Adds a datagram at the end.
    pub fn push(&mut self, py: Python<'_>, datagram: Datagram) {
        self.size += self.weight(py, &datagram);
        self.datagrams.push_back(datagram);
    }

    /// Takes the datagram that is next.
    pub fn pop(&mut self, py: Python<'_>) -> Option<Datagram> {
        let datagram = self.datagrams.pop_front()?;
        self.size -= self.weight(py, &datagram);
        Some(datagram)
    }

    /// Makes a datagram the next again, which could not be sent.
    pub fn put_back(&mut self, py: Python<'_>, datagram: Datagram) {
        self.size += self.weight(py, &datagram);
        self.datagrams.push_front(datagram);
    }

    /// Takes all datagrams out unsent; dropping them may run Python code.
    pub fn take(&mut self) -> VecDeque<Datagram> {
        self.size = 0;
        std::mem::take(&mut self.datagrams)
    }

    fn weight(&self, py: Python<'_>, datagram: &Datagram) -> usize {
        datagram.data.as_bytes(py).len() + self.header
    }
}
