//! Bytes objects that nobody refers to any more, kept to be filled again.
//!
//! What is read and handed to a protocol is most often dropped soon, and so is what was written: the next
//! piece of about that size takes its place, without malloc. That matters most for large pieces, whose
//! memory malloc tends to give back to the system, to take it anew for the next. What a stream's reader
//! was given is kept by a program until its next read returns: it is lent, and looked at again later.
//! An object that anybody else refers to is never touched.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::os::fd::BorrowedFd;
use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvFlags};

/// Smaller ones are not worth keeping, in bytes: Python's own allocator is quick.
const LEAST: usize = 512;
/// Larger ones are not kept, in bytes.
const MOST: usize = 512 * 1024;
/// How much is kept together, in bytes.
const TOGETHER: usize = 1024 * 1024;
/// Sizes of one class have the same number of binary digits.
const CLASSES: usize = MOST.ilog2() as usize + 1;

/// Bytes objects to be filled again, by size; only this refers to them.
#[derive(Default)]
pub struct SpareBytes {
    classes: RefCell<[Vec<Py<PyBytes>>; CLASSES]>,
    held: Cell<usize>,
    /// Somebody else refers to these, or did when they were lent.
    lent: RefCell<VecDeque<Py<PyBytes>>>,
    lent_size: Cell<usize>,
}

/// Bytes that serve now, and that may have room for more than they are.
pub struct Served<'py> {
    bytes: Bound<'py, PyBytes>,
    room: usize,
}

impl SpareBytes {
    /// Bytes with a content.
    pub fn copy<'py>(&self, py: Python<'py>, content: &[u8]) -> Served<'py> {
        match self.take(py, content.len()) {
            Some(spare) => spare.fill(content),
            None => PyBytes::new(py, content).into(),
        }
    }

    /// What a socket has received. What exceeds `size` goes through the scratch buffer, as all does
    /// that is much less; bytes never have much more room than they need.
    ///
    /// # Errors
    ///
    /// Those of `recvmsg`; `NOMEM`.
    pub fn receive<'py>(
        &self,
        py: Python<'py>,
        fd: BorrowedFd<'_>,
        size: usize,
        scratch: &mut [u8],
    ) -> rustix::io::Result<Served<'py>> {
        let mut spare = self.with_room(py, size).ok_or(Errno::NOMEM)?;
        let (first, rest) = (&mut spare.memory()[..size], &mut scratch[size..]);
        let mut slices = [IoSliceMut::new(first), IoSliceMut::new(rest)];
        let (mut none, flags) = (RecvAncillaryBuffer::default(), RecvFlags::DONTWAIT);
        let received = rustix::net::recvmsg(fd, &mut slices, &mut none, flags);
        let data = match received.map(|message| message.bytes) {
            Ok(count) if count > size => {
                scratch[..size].copy_from_slice(&spare.memory()[..size]);
                Ok(self.copy(py, &scratch[..count]))
            }
            Ok(count) => return Ok(self.shorten(spare, size, count)),
            Err(error) => Err(error),
        };
        self.keep(spare);
        data
    }

    /// Bytes to be filled, with room for so many; none without memory.
    pub fn with_room<'py>(&self, py: Python<'py>, room: usize) -> Option<Served<'py>> {
        self.take(py, room).or_else(|| Served::with_room(py, room))
    }

    /// The first bytes of what was filled, in another object if they are much fewer than was asked for.
    pub fn shorten<'py>(&self, mut filled: Served<'py>, asked: usize, count: usize) -> Served<'py> {
        if count > asked / 4 * 3 {
            return filled.shorten(count);
        }
        let copy = self.copy(filled.bytes.py(), &filled.memory()[..count]);
        self.keep(filled);
        copy
    }

    /// Lets go of bytes that have served, and keeps them if nobody else refers to them.
    pub fn keep<'py>(&self, served: impl Into<Served<'py>>) {
        let served = served.into();
        if !(LEAST..=MOST).contains(&served.room) || !is_unshared(&served.bytes) {
            return;
        }
        let room = served.room;
        let spare = served.resize(room);
        // Only bytes objects are dropped here, which runs no Python code.
        let mut classes = self.classes.borrow_mut();
        if self.held.get() + spare.room > TOGETHER {
            *classes = Default::default();
            self.held.set(0);
        }
        self.held.set(self.held.get() + spare.room);
        classes[spare.room.ilog2() as usize].push(spare.bytes.unbind());
    }

    /// Notes bytes that somebody keeps for a while, to keep them when nobody else does any more.
    pub fn lend(&self, served: Served<'_>) {
        let (py, size) = (served.bytes.py(), served.len());
        if !(LEAST..=MOST).contains(&size) {
            return;
        }
        while self.lent_size.get() + size > TOGETHER {
            drop(self.end_oldest_loan(py));
        }
        self.lent_size.set(self.lent_size.get() + size);
        self.lent.borrow_mut().push_back(served.bytes.unbind());
    }

    /// Keeps the bytes that were lent first, if they have come back.
    fn take_back(&self, py: Python<'_>) {
        let has_come_back = {
            let lent = self.lent.borrow();
            lent.front().is_some_and(|oldest| is_unshared(oldest.bind(py)))
        };
        if has_come_back && let Some(oldest) = self.end_oldest_loan(py) {
            self.keep(oldest);
        }
    }

    fn end_oldest_loan<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let oldest = self.lent.borrow_mut().pop_front()?.into_bound(py);
        self.lent_size.set(self.lent_size.get() - oldest.as_bytes().len());
        Some(oldest)
    }

    /// An object with room for a size, of which that leaves less than half.
    fn take<'py>(&self, py: Python<'py>, size: usize) -> Option<Served<'py>> {
        if !(LEAST..=MOST).contains(&size) {
            return None;
        }
        let class = size.ilog2() as usize;
        if self.classes.borrow()[class].is_empty() {
            self.take_back(py);
        }
        let spare = self.classes.borrow_mut()[class].pop()?;
        let spare = Served::from(spare.into_bound(py));
        self.held.set(self.held.get() - spare.room);
        // What is too small would stand before others for ever.
        (spare.room >= size).then_some(spare)
    }
}

impl<'py> Served<'py> {
    fn with_room(py: Python<'py>, room: usize) -> Option<Self> {
        PyBytes::new_with(py, room, |_| Ok(())).ok().map(Self::from)
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bound<'py, PyBytes> {
        &self.bytes
    }

    /// The bytes, whose room nobody knows of any more.
    pub fn into_bytes(self) -> Bound<'py, PyBytes> {
        self.bytes
    }

    /// How many there is room for.
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.bytes.as_bytes().len()
    }

    /// The memory behind the first bytes, of an object that nobody has seen yet.
    pub fn memory_behind(&mut self, count: usize) -> &mut [u8] {
        let room = self.room;
        &mut self.memory()[count..room]
    }

    /// The same bytes with a content, for which there is room.
    fn fill(mut self, content: &[u8]) -> Self {
        self.memory()[..content.len()].copy_from_slice(content);
        self.shorten(content.len())
    }

    /// The memory of bytes that nobody has seen yet, with the NUL behind them.
    #[inline]
    fn memory(&mut self) -> &mut [u8] {
        debug_assert!(is_unshared(&self.bytes));
        // SAFETY: the object has room for so many bytes and a NUL. It is new, or was kept because nobody
        // else referred to it: nobody sees the bytes change, or has a slice of them while this is borrowed.
        // All were written once, if only with zeros.
        unsafe {
            let object = self.bytes.as_ptr().cast::<ffi::PyBytesObject>();
            slice::from_raw_parts_mut((&raw mut (*object).ob_sval).cast(), self.room + 1)
        }
    }

    /// The same bytes, of which so many have got a content.
    #[inline]
    fn shorten(mut self, size: usize) -> Self {
        self.memory()[size] = 0;
        self.resize(size)
    }

    /// The same bytes with another size, for which there is room, and a hash that is yet to be computed.
    #[allow(deprecated)] // there is no other way, for as long as there is the field
    fn resize(self, size: usize) -> Self {
        debug_assert!(size <= self.room && is_unshared(&self.bytes));
        // SAFETY: the object is of this layout, has room for so many bytes, all of which were written once,
        // and nobody else refers to it.
        unsafe {
            let object = self.bytes.as_ptr().cast::<ffi::PyBytesObject>();
            (*object).ob_base.ob_size = size as ffi::Py_ssize_t;
            (*object).ob_shash = -1;
        }
        self
    }
}

impl<'py> From<Bound<'py, PyBytes>> for Served<'py> {
    fn from(bytes: Bound<'py, PyBytes>) -> Self {
        // SAFETY: the object is live, and has a size.
        let room = unsafe { ffi::Py_SIZE(bytes.as_ptr()) } as usize;
        Self { room, bytes }
    }
}

/// Whether this is the only reference to an object of exactly the class `bytes`.
fn is_unshared(bytes: &Bound<'_, PyBytes>) -> bool {
    // SAFETY: the object is live and the lock is held.
    unsafe { ffi::Py_REFCNT(bytes.as_ptr()) == 1 && ffi::PyBytes_CheckExact(bytes.as_ptr()) == 1 }
}
