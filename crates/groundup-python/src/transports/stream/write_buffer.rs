//! Bytes that are to be written: kept as they came, and handed to the kernel many pieces at once.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};
use rustix::net::{SendAncillaryBuffer, SendFlags};

use crate::ffi;

/// How many pieces one system call takes.
const PIECES: usize = 64;

/// A piece of what is to be written.
#[derive(Debug)]
pub enum Piece {
    /// An immutable object of Python's, referred to.
    Bytes(Py<PyBytes>),
    /// A copy of what Python code may yet change.
    Copy(Box<[u8]>),
}

impl Piece {
    /// What is to be written of an object with a buffer; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// `TypeError` when it has no buffer.
    pub fn of(data: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            let is_empty = bytes.as_bytes().is_empty();
            return Ok((!is_empty).then(|| Self::Bytes(bytes.clone().unbind())));
        }
        let buffer = PyUntypedBuffer::get(data)?;
        if buffer.is_c_contiguous() {
            let copy: Box<[u8]> = ffi::with_bytes(&buffer, |bytes| Box::from(bytes))?;
            return Ok((!copy.is_empty()).then_some(Self::Copy(copy)));
        }
        // A view in steps: its bytes have to be put together first.
        Self::of(&PyMemoryView::from(data)?.call_method0("tobytes")?)
    }

    fn bytes<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(py),
            Self::Copy(bytes) => bytes,
        }
    }
}

/// A queue of bytes.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    pieces: VecDeque<Piece>,
    /// How much of the first piece has been written.
    written: usize,
    len: usize,
}

impl WriteBuffer {
    /// How many bytes are waiting.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none are waiting.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a piece at the end.
    pub fn push(&mut self, py: Python<'_>, piece: Piece) {
        let len = piece.bytes(py).len();
        if len > 0 {
            self.len += len;
            self.pieces.push_back(piece);
        }
    }

    /// Takes all pieces out unwritten; dropping them may run Python code.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Writes what a socket takes; what it does not take stays.
    ///
    /// # Errors
    ///
    /// Those of `send` and `sendmsg`, `AGAIN` among them.
    pub fn write_to(&mut self, py: Python<'_>, fd: BorrowedFd<'_>) -> rustix::io::Result<()> {
        self.write_with(py, |slices| send(fd, slices))
    }

    /// Has `write` take what it takes, in as many calls as that needs; what it does not take stays.
    ///
    /// # Errors
    ///
    /// Those of `write`; `AGAIN` when it took less than it was offered.
    pub fn write_with(
        &mut self,
        py: Python<'_>,
        write: impl Fn(&[IoSlice<'_>]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<()> {
        while !self.is_empty() {
            let offered = self.offer(py, &write)?;
            if offered.taken < offered.len {
                self.advance(py, offered.taken);
                return Err(rustix::io::Errno::AGAIN);
            }
            self.advance(py, offered.taken);
        }
        Ok(())
    }

    fn offer(
        &self,
        py: Python<'_>,
        write: impl Fn(&[IoSlice<'_>]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<Offer> {
        if let [only] = self.pieces.as_slices().0 {
            let bytes = &only.bytes(py)[self.written..];
            return Ok(Offer { len: bytes.len(), taken: write(&[IoSlice::new(bytes)])? });
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        let (mut count, mut len, mut skip) = (0, 0, self.written);
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            let bytes = &piece.bytes(py)[skip..];
            (*slice, skip) = (IoSlice::new(bytes), 0);
            count += 1;
            len += bytes.len();
        }
        Ok(Offer { len, taken: write(&slices[..count])? })
    }

    fn advance(&mut self, py: Python<'_>, taken: usize) {
        self.len -= taken;
        self.written += taken;
        while let Some(piece) = self.pieces.front() {
            let len = piece.bytes(py).len();
            if self.written < len {
                return;
            }
            self.written -= len;
            // A bytes object: dropping it runs no Python code.
            self.pieces.pop_front();
        }
    }
}

fn send(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    if let [only] = slices {
        return rustix::net::send(fd, only, flags);
    }
    rustix::net::sendmsg(fd, slices, &mut SendAncillaryBuffer::default(), flags)
}

/// What one system call was offered and what it took, in bytes.
struct Offer {
    len: usize,
    taken: usize,
}
