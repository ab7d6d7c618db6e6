//! Bytes objects that nobody refers to any more, kept to be filled again.
//!
//! What is read and handed to a protocol is most often dropped soon, and so is what was written: the next
//! piece of about that size takes its place, without malloc. That matters most for large pieces, whose
//! memory malloc tends to give back to the system, to take it anew for the next. What a program keeps for
//! a while, as what a stream's reader gave until the next read returns, is lent: it is looked at again later.
//! An object that anybody else refers to is never touched.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::io::Errno;

/// Smaller ones are not worth keeping, in bytes: Python's own allocator is quick.
const LEAST: usize = 512;
/// Larger ones are not kept, in bytes.
const MOST: usize = 512 * 1024;
/// How much is kept, and how much is lent, together, in bytes.
const TOGETHER: usize = 4 * 1024 * 1024;
/// How many classes there are.
const CLASSES: usize = class_of(MOST) + 1;

/// Bytes objects to be filled again, by size; only this refers to them.
pub struct SpareBytes {
    classes: RefCell<[Vec<Py<PyBytes>>; CLASSES]>,
    held: Cell<usize>,
    /// Somebody else refers to these, or did when they were lent; and their rooms.
    lent: RefCell<VecDeque<(Py<PyBytes>, usize)>>,
    lent_size: Cell<usize>,
}

/// Bytes that serve now, and that may have room for more than they are.
pub struct Served<'py> {
    bytes: Bound<'py, PyBytes>,
    room: usize,
}

impl Default for SpareBytes {
    fn default() -> Self {
        Self {
            classes: RefCell::new([const { Vec::new() }; CLASSES]),
            held: Cell::default(),
            lent: RefCell::default(),
            lent_size: Cell::default(),
        }
    }
}

impl SpareBytes {
    /// Bytes with a content.
    pub fn copy<'py>(&self, py: Python<'py>, content: &[u8]) -> Served<'py> {
        match self.take(py, content.len()) {
            Some(spare) => spare.fill(content),
            None => PyBytes::new(py, content).into(),
        }
    }

    /// What `receive` gives, up to `most` bytes of the `waiting` ones.
    ///
    /// # Errors
    ///
    /// Those of `receive`; `NOMEM`.
    pub fn receive<'py>(
        &self,
        py: Python<'py>,
        waiting: usize,
        most: usize,
        receive: impl FnOnce(&mut [u8]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<Served<'py>> {
        let room = room_for(waiting).min(most);
        let filled = self.fill(py, room, receive)?;
        let count = filled.len();
        Ok(self.shorten(filled, room, count))
    }

    /// What `receive` gives, up to `room` bytes, in an object that may be much larger than that.
    ///
    /// # Errors
    ///
    /// Those of `receive`; `NOMEM`.
    pub fn fill<'py>(
        &self,
        py: Python<'py>,
        room: usize,
        receive: impl FnOnce(&mut [u8]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<Served<'py>> {
        let mut spare = self.with_room(py, room).ok_or(Errno::NOMEM)?;
        match receive(&mut spare.memory()[..room]) {
            Ok(count) => Ok(spare.shorten(count)),
            Err(error) => {
                self.keep(spare);
                Err(error)
            }
        }
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
        let class = class_of(room);
        if self.held.get() + room > TOGETHER {
            if let Some(last) = classes[class].last_mut() {
                // malloc gives back to the system what is free at the end of its memory: what lies there
                // is kept.
                if spare.bytes.as_ptr() > last.as_ptr() {
                    self.held.set(self.held.get() - room_of(last) + room);
                    *last = spare.bytes.unbind();
                }
                return;
            }
            self.drop_most_common(&mut classes, room);
        }
        self.held.set(self.held.get() + room);
        classes[class].push(spare.bytes.unbind());
    }

    /// Makes room for a size by letting go of what there is most of.
    fn drop_most_common(&self, classes: &mut [Vec<Py<PyBytes>>; CLASSES], room: usize) {
        let about = |class: &Vec<_>| class.first().map_or(0, |first| class.len() * room_of(first));
        while self.held.get() + room > TOGETHER
            && let Some(most) = classes.iter_mut().max_by_key(|class| about(class))
        {
            self.held.set(self.held.get() - room_of(&most.swap_remove(0)));
        }
    }

    /// Keeps bytes as soon as nobody else does any more: now, or when they are looked at again.
    pub fn lend(&self, served: Served<'_>) {
        let (py, room) = (served.bytes.py(), served.room);
        if is_unshared(&served.bytes) {
            return self.keep(served);
        }
        if !(LEAST..=MOST).contains(&room) {
            return;
        }
        while self.lent_size.get() + room > TOGETHER {
            drop(self.end_oldest_loan(py));
        }
        self.lent_size.set(self.lent_size.get() + room);
        self.lent.borrow_mut().push_back((served.bytes.unbind(), room));
    }

    /// Keeps the bytes that were lent first, as far as they have come back.
    fn take_back(&self, py: Python<'_>) {
        let has_come_back = || {
            let lent = self.lent.borrow();
            lent.front().is_some_and(|(oldest, _)| is_unshared(oldest.bind(py)))
        };
        while has_come_back()
            && let Some(oldest) = self.end_oldest_loan(py)
        {
            self.keep(oldest);
        }
    }

    fn end_oldest_loan<'py>(&self, py: Python<'py>) -> Option<Served<'py>> {
        let (oldest, room) = self.lent.borrow_mut().pop_front()?;
        self.lent_size.set(self.lent_size.get() - room);
        Some(Served { bytes: oldest.into_bound(py), room })
    }

    /// An object with room for a size, of which that leaves less than half.
    fn take<'py>(&self, py: Python<'py>, size: usize) -> Option<Served<'py>> {
        if !(LEAST..=MOST).contains(&size) {
            return None;
        }
        let class = class_of(size);
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
        Self { room: room_of(bytes.as_unbound()), bytes }
    }
}

/// The size of an object, which is its room as long as it is spare.
fn room_of(bytes: &Py<PyBytes>) -> usize {
    // SAFETY: the object is live, and has a size, which only who holds the lock changes: it is asked by the
    // loop's thread alone.
    unsafe { ffi::Py_SIZE(bytes.as_ptr()) as usize }
}

/// Sizes of one class have the same number of binary digits, and the same two behind the first.
const fn class_of(size: usize) -> usize {
    let digits = size.ilog2();
    (digits * 4) as usize + ((size >> (digits - 2)) & 3)
}

/// The least size of a class that is no less than a size: a quarter more at most.
const fn room_for(size: usize) -> usize {
    size.next_multiple_of(1 << (size.ilog2() - 2))
}

/// Whether this is the only reference to an object of exactly the class `bytes`.
fn is_unshared(bytes: &Bound<'_, PyBytes>) -> bool {
    // SAFETY: the object is live and the lock is held.
    unsafe { ffi::Py_REFCNT(bytes.as_ptr()) == 1 && ffi::PyBytes_CheckExact(bytes.as_ptr()) == 1 }
}
