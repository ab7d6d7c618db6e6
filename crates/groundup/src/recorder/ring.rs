//! The ring: the last records, in memory of a fixed size; when it is full, each new one takes the
//! place of the oldest.
//!
//! The memory may be a mapped file, which outlives the process. So nothing in it says where the
//! newest record is: each carries its number, and one that was being written when the end came is
//! known by its check. It must not know what the records say.

use super::record::{Record, SIZE, Verb};
use crate::clock::Timestamp;

/// The last records of a loop.
#[derive(Debug)]
pub struct Ring<M> {
    memory: M,
    /// One less than the number of places, which is a power of two.
    mask: u64,
    next: u64,
    /// When the last record was made.
    latest: Timestamp,
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Ring<M> {
    /// An empty ring in this memory, or in as much of it as holds a power of two of records.
    ///
    /// The memory holds no records yet: it is all zeros. It is not written to before it is needed,
    /// so that a large ring costs what is used of it.
    ///
    /// # Panics
    ///
    /// When the memory does not hold a single one.
    pub fn new(memory: M) -> Self {
        let places = memory.as_ref().len() / SIZE;
        assert!(places > 0, "a ring needs room for a record, {SIZE} bytes");
        Self { memory, mask: (1 << places.ilog2()) - 1, next: 0, latest: Timestamp::default() }
    }

    /// Keeps what happened.
    #[inline]
    pub fn push(&mut self, time: Timestamp, verb: Verb, subject: u64, detail: u64) {
        let record = Record { number: self.next, time, verb, subject, detail };
        let place = (self.next & self.mask) as usize * SIZE;
        if let Some(memory) = self.memory.as_mut().get_mut(place..place + SIZE) {
            memory.copy_from_slice(&record.to_bytes());
        }
        self.next += 1;
        self.latest = time;
    }

    /// When the last record was made.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// How many records the ring has room for.
    pub fn capacity(&self) -> u64 {
        self.mask + 1
    }

    /// How many records were ever kept.
    pub fn count(&self) -> u64 {
        self.next
    }

    /// How many of them had to go.
    pub fn lost(&self) -> u64 {
        self.next.saturating_sub(self.capacity())
    }

    /// Goes on in other memory, of any content; what was kept stays in the former.
    pub(super) fn move_to(&mut self, memory: M) {
        self.memory = memory;
    }

    /// The memory.
    pub fn memory(&self) -> &[u8] {
        self.memory.as_ref()
    }
}

/// The records that stand in the memory of a ring, oldest first; whatever is no record is left out.
#[must_use]
pub fn read(memory: &[u8]) -> Vec<Record> {
    let places = memory.chunks_exact(SIZE).map(|bytes| bytes.try_into().expect("the size of one"));
    let mut records: Vec<Record> = places.filter_map(Record::from_bytes).collect();
    records.sort_unstable_by_key(|record| record.number);
    records
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(places: usize, count: u64) -> Ring<Vec<u8>> {
        let mut ring = Ring::new(vec![0; places * SIZE]);
        for number in 0..count {
            ring.push(Timestamp(number as i64), Verb::Wake, number, 0);
        }
        ring
    }

    fn subjects(ring: &Ring<Vec<u8>>) -> Vec<u64> {
        read(ring.memory()).iter().map(|record| record.subject).collect()
    }

    proptest! {
        #[test]
        fn the_last_records_are_kept_in_order(places in 1_usize..70, count in 0_u64..300) {
            let ring = filled(places, count);
            let kept = count.min(ring.capacity());
            prop_assert_eq!(subjects(&ring), (count - kept..count).collect::<Vec<_>>());
            prop_assert_eq!(ring.lost(), count - kept);
        }

        #[test]
        fn what_is_cut_off_costs_only_the_records_in_it(cut in 0_usize..8 * SIZE) {
            let ring = filled(8, 8);
            let whole = cut / SIZE;
            let kept = read(&ring.memory()[..cut]);
            prop_assert_eq!(kept.len(), whole);
        }
    }

    #[test]
    fn a_record_that_is_half_written_is_left_out() {
        let ring = filled(4, 6);
        let mut memory = ring.memory().to_vec();
        memory[SIZE + 8..2 * SIZE].fill(0x55);
        let numbers: Vec<u64> = read(&memory).iter().map(|record| record.number).collect();
        assert_eq!(numbers, [2, 3, 4]);
    }
}
