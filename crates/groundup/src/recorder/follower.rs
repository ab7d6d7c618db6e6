//! A follower: reads a recording while a recorder goes on writing into it, and only what is new.
//!
//! Who records does nothing for it: the ring is a file, and each record in it carries its number. So
//! a follower knows where the next one will stand, whether it is there, and whether it came too late.
//! It reads by system calls and maps nothing: a file that is made shorter is read as far as it goes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::names::{self, Name};
use super::record::{Record, SIZE};
use super::recording::{HEAD, Head, Unreadable};

/// How many records are read at a time.
const BATCH: u64 = 2048;
/// The part of a ring that is left to who writes, when reading begins with the oldest record.
const LEAD: u64 = 16;
/// How much of a name is read at once; most are shorter.
const SHORT_NAME: usize = 256;

/// Reads a recording that is being written.
#[derive(Debug)]
pub struct Follower {
    file: File,
    head: Head,
    capacity: u64,
    next: u64,
    buffer: Vec<u8>,
}

/// What reading on has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Records came; there may be more.
    Records,
    /// There is nothing new.
    Nothing,
    /// Records were lost: their places were taken before they were read. Reading goes on with the
    /// oldest that is there.
    Gap,
}

impl Follower {
    /// Reads this file from the oldest record on.
    ///
    /// # Errors
    ///
    /// Those of reading it; of the kind `InvalidData` with an [`Unreadable`], if it is no recording.
    pub fn new(file: File) -> io::Result<Self> {
        let mut head = [0; HEAD];
        let there = read_at(&file, &mut head, 0)?;
        let invalid = |it: Unreadable| io::Error::new(io::ErrorKind::InvalidData, it);
        let head = Head::from_bytes(&head[..there]).map_err(invalid)?;
        let places = head.records / SIZE as u64;
        if places == 0 || places > 1 << 40 {
            return Err(invalid(Unreadable::Damaged));
        }
        let capacity = places.next_power_of_two();
        let mut follower = Self { file, head, capacity, next: 0, buffer: Vec::new() };
        follower.next = follower.oldest()?;
        Ok(follower)
    }

    /// How many records the ring has room for.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The number of the next record that will be read.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Reads on, and puts what is new in the place of what was in `batch`.
    ///
    /// # Errors
    ///
    /// Those of reading the file.
    pub fn read(&mut self, batch: &mut Vec<Record>) -> io::Result<News> {
        batch.clear();
        let place = self.next & (self.capacity - 1);
        let count = BATCH.min(self.capacity - place) as usize;
        let offset = self.offset(place);
        self.buffer.resize(count * SIZE, 0);
        let there = read_at(&self.file, &mut self.buffer, offset)?;
        for bytes in self.buffer[..there].chunks_exact(SIZE) {
            let record = Record::from_bytes(bytes.try_into().expect("the size of one"));
            match record {
                Some(record) if record.number == self.next => batch.push(record),
                Some(record) if record.number > self.next && batch.is_empty() => {
                    self.next = self.oldest()?;
                    return Ok(News::Gap);
                }
                // It is older, or is being written: there are no more yet.
                _ => break,
            }
            self.next += 1;
        }
        Ok(if batch.is_empty() { News::Nothing } else { News::Records })
    }

    /// The text of a name in a record that was read not long ago.
    ///
    /// # Errors
    ///
    /// Those of reading the file.
    pub fn name(&self, name: Name) -> io::Result<String> {
        if name == 0 || u64::from(name) >= self.head.names {
            return Ok(String::new());
        }
        let offset = u64::from(self.head.length) + u64::from(name);
        let mut bytes = vec![0; SHORT_NAME];
        let there = read_at(&self.file, &mut bytes, offset)?;
        let length = 2 + usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        bytes.resize(length, 0);
        if length > there {
            read_at(&self.file, &mut bytes, offset)?;
        }
        Ok(names::text(&bytes, 0).to_owned())
    }

    /// The number of the oldest record that will not be overwritten at once.
    ///
    /// Whatever stands between the beginning of the ring and the newest record is of one lap, and the
    /// rest is of the lap before.
    fn oldest(&self) -> io::Result<u64> {
        let Some(first) = self.number_at(0)? else { return Ok(0) };
        let (mut newest, mut end) = (0, self.capacity);
        while end - newest > 1 {
            let middle = newest.midpoint(end);
            match self.number_at(middle)? {
                Some(number) if number == first + middle => newest = middle,
                _ => end = middle,
            }
        }
        let next = first + newest + 1 + self.capacity / LEAD;
        Ok(next.saturating_sub(self.capacity))
    }

    fn number_at(&self, place: u64) -> io::Result<Option<u64>> {
        let mut bytes = [0; SIZE];
        let there = read_at(&self.file, &mut bytes, self.offset(place))?;
        let record = Record::from_bytes(&bytes).filter(|_| there == SIZE);
        Ok(record.map(|record| record.number))
    }

    fn offset(&self, place: u64) -> u64 {
        let records = u64::from(self.head.length).saturating_add(self.head.names);
        records.saturating_add(place * SIZE as u64)
    }
}

/// Reads what there is at a place, up to the length of `bytes`.
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut there = 0;
    while there < bytes.len() {
        match file.read_at(&mut bytes[there..], offset.saturating_add(there as u64)) {
            Ok(0) => break,
            Ok(more) => there += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

#[cfg(test)]
pub(crate) mod tests;
