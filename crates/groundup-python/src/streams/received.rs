//! What a reader has received and nobody has read: the bytes as they came, or all in one piece.

use memchr::{memchr, memmem};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::spare_bytes::SpareBytes;

/// What a piece of memory may hold on to when all of it is read, in bytes.
const KEPT: usize = 4096;

/// A queue of bytes.
#[derive(Default)]
pub struct Received {
    /// All there is, while it came in one piece.
    piece: Option<Py<PyBytes>>,
    /// Else all there is.
    bytes: Vec<u8>,
    /// How much of it has been read.
    start: usize,
}

impl Received {
    /// What has not been read.
    pub fn unread<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match &self.piece {
            Some(piece) => &piece.as_bytes(py)[self.start..],
            None => &self.bytes[self.start..],
        }
    }

    /// How much has not been read.
    pub fn len(&self, py: Python<'_>) -> usize {
        self.unread(py).len()
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, data: &Bound<'_, PyBytes>) {
        let py = data.py();
        if self.len(py) == 0 {
            self.clear();
            self.piece = Some(data.clone().unbind());
            return;
        }
        if let Some(piece) = self.piece.take() {
            self.bytes.extend_from_slice(&piece.as_bytes(py)[self.start..]);
        } else if self.start > 0 {
            self.bytes.drain(..self.start);
        }
        self.start = 0;
        self.bytes.extend_from_slice(data.as_bytes());
    }

    /// Takes so many bytes from the front, at most all there are.
    pub fn take<'py>(
        &mut self,
        py: Python<'py>,
        count: usize,
        spares: &SpareBytes,
    ) -> Bound<'py, PyBytes> {
        let len = self.len(py);
        let count = count.min(len);
        if count == len
            && self.start == 0
            && let Some(piece) = self.piece.take()
        {
            return piece.into_bound(py);
        }
        let copy = spares.copy(py, &self.unread(py)[..count]);
        let taken = copy.bytes().clone();
        spares.lend(copy);
        self.skip(py, count);
        taken
    }

    /// Forgets so many bytes at the front.
    pub fn skip(&mut self, py: Python<'_>, count: usize) {
        if count < self.len(py) {
            self.start += count;
        } else {
            self.clear();
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.piece = None;
        self.start = 0;
        self.bytes.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }
}

/// Where `wanted` is found first, from `offset` on.
pub fn find(bytes: &[u8], wanted: &[u8], offset: usize) -> Option<usize> {
    let rest = &bytes[offset.min(bytes.len())..];
    let found = match wanted {
        [only] => memchr(*only, rest),
        wanted => memmem::find(rest, wanted),
    };
    found.map(|index| offset + index)
}
