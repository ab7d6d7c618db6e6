//! Bytes that are to be written: kept as they came, and handed to the kernel many pieces at once.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem;
use std::os::fd::BorrowedFd;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};
use rustix::net::{SendAncillaryBuffer, SendFlags};

use crate::ffi;
use crate::spare_bytes::SpareBytes;

/// How many pieces one system call takes.
const PIECES: usize = 64;

/// What is to be written of an object with a buffer: itself, if nobody can change it any more, or a
/// copy; `None` if it is empty.
///
/// # Errors
///
/// `TypeError` when it has no buffer.
pub fn piece_of<'py>(
    data: &Bound<'py, PyAny>,
    spares: &SpareBytes,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    if let Ok(bytes) = data.cast_exact::<PyBytes>() {
        return Ok((!bytes.as_bytes().is_empty()).then(|| bytes.clone()));
    }
    let py = data.py();
    let buffer = PyUntypedBuffer::get(data)?;
    if buffer.is_c_contiguous() {
        let copy = ffi::with_bytes(&buffer, |bytes| spares.copy(py, bytes))?.into_bytes();
        return Ok((!copy.as_bytes().is_empty()).then_some(copy));
    }
    // A view in steps: its bytes have to be put together first.
    piece_of(&PyMemoryView::from(data)?.call_method0("tobytes")?, spares)
}

/// A queue of bytes.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    /// The first piece, most often the only one, which needs no memory of its own.
    first: Option<Py<PyBytes>>,
    rest: VecDeque<Py<PyBytes>>,
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

    /// Adds a piece at the end, which is not empty.
    pub fn push(&mut self, piece: Bound<'_, PyBytes>) {
        self.len += piece.as_bytes().len();
        if self.first.is_none() {
            self.first = Some(piece.unbind());
        } else {
            self.rest.push_back(piece.unbind());
        }
    }

    /// Takes all pieces out unwritten.
    pub fn take(&mut self) -> Self {
        mem::take(self)
    }

    /// Has `write` take what it takes, in as many calls as that needs; what it does not take stays, and
    /// what it took may be filled again.
    ///
    /// # Errors
    ///
    /// Those of `write`; `AGAIN` when it took less than it was offered.
    pub fn write_with(
        &mut self,
        py: Python<'_>,
        spares: &SpareBytes,
        write: impl Fn(&[IoSlice<'_>]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<()> {
        while !self.is_empty() {
            let offered = self.offer(py, &write)?;
            self.advance(py, offered.taken, spares);
            if offered.taken < offered.len {
                return Err(rustix::io::Errno::AGAIN);
            }
        }
        Ok(())
    }

    fn offer(
        &self,
        py: Python<'_>,
        write: impl Fn(&[IoSlice<'_>]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<Offer> {
        let first = self.first.as_ref().map(|piece| &piece.as_bytes(py)[self.written..]);
        if self.rest.is_empty() {
            let bytes = first.unwrap_or_default();
            return Ok(Offer { len: bytes.len(), taken: write(&[IoSlice::new(bytes)])? });
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        let (mut count, mut len) = (0, 0);
        let pieces = first.into_iter().chain(self.rest.iter().map(|piece| piece.as_bytes(py)));
        for (slice, bytes) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(bytes);
            count += 1;
            len += bytes.len();
        }
        Ok(Offer { len, taken: write(&slices[..count])? })
    }

    fn advance(&mut self, py: Python<'_>, taken: usize, spares: &SpareBytes) {
        self.len -= taken;
        self.written += taken;
        while let Some(piece) = &self.first {
            let len = piece.as_bytes(py).len();
            if self.written < len {
                return;
            }
            self.written -= len;
            let piece = mem::replace(&mut self.first, self.rest.pop_front());
            // A bytes object: dropping it runs no Python code.
            piece.into_iter().for_each(|piece| spares.keep(piece.into_bound(py)));
        }
    }
}

/// Sends to a socket what it takes now, in bytes.
///
/// # Errors
///
/// Those of `send` and `sendmsg`.
pub fn send(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> rustix::io::Result<usize> {
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
