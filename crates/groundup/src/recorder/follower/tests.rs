//! What a follower reads of a recording that grows.

use proptest::prelude::*;
use rustix::fs::{MemfdFlags, memfd_create};

use super::super::{FlightRecorder, Verb};
use super::*;
use crate::clock::{Timestamp, Virtual};

const NAMES: usize = 3 * 512;

/// A recorder, and the file that it would write into if it were mapped.
pub(crate) struct Written {
    pub(crate) recorder: FlightRecorder<Vec<u8>, Virtual>,
    file: File,
}

impl Written {
    pub(crate) fn new(places: usize) -> Self {
        let (records, names) = (vec![0; places * SIZE], vec![0; NAMES]);
        let recorder = FlightRecorder::new(records, names, Virtual::default());
        let file = File::from(memfd_create("recording", MemfdFlags::CLOEXEC).unwrap());
        let head = Head {
            length: HEAD as u32,
            names: NAMES as u64,
            records: (places * SIZE) as u64,
            process: 1,
            monotonic: Timestamp(0),
            wall: 0,
        };
        file.write_all_at(&head.to_bytes(), 0).unwrap();
        let written = Self { recorder, file };
        written.flush();
        written
    }

    /// Brings what was recorded into the file.
    pub(crate) fn flush(&self) {
        self.recorder.look(|ring, names| {
            self.file.write_all_at(names.memory(), HEAD as u64).unwrap();
            self.file.write_all_at(ring.memory(), (HEAD + NAMES) as u64).unwrap();
        });
    }

    fn follower(&self) -> Follower {
        Follower::new(self.file()).unwrap()
    }

    pub(crate) fn file(&self) -> File {
        self.file.try_clone().unwrap()
    }

    fn write(&self, count: u64) {
        let first = self.recorder.look(|ring, _| ring.count());
        (first..first + count).for_each(|it| self.recorder.note(Verb::Mark, it, 0));
        self.flush();
    }
}

/// The subjects of all that is new, and whether anything was lost.
fn read_all(follower: &mut Follower) -> (Vec<u64>, bool) {
    let (mut all, mut batch, mut gap) = (Vec::new(), Vec::new(), false);
    loop {
        match follower.read(&mut batch).unwrap() {
            News::Records => all.extend(batch.iter().map(|record| record.subject)),
            News::Nothing => return (all, gap),
            News::Gap => gap = true,
        }
    }
}

proptest! {
    #[test]
    fn each_record_is_read_once_and_in_order(
        before in 0_u64..200,
        pieces in prop::collection::vec(0_u64..30, 0..40),
    ) {
        let written = Written::new(32);
        written.write(before);
        let mut follower = written.follower();
        let mut next = read_all(&mut follower).0.last().map_or(0, |last| last + 1);
        prop_assert_eq!(next, before);
        for piece in pieces {
            written.write(piece);
            let expected: Vec<u64> = (next..next + piece).collect();
            prop_assert_eq!(read_all(&mut follower), (expected, false));
            next += piece;
        }
    }

    #[test]
    fn who_comes_too_late_goes_on_with_the_oldest(late in 33_u64..500) {
        let written = Written::new(32);
        let mut follower = written.follower();
        written.write(late);
        let oldest = late + 32 / LEAD - 32;
        prop_assert_eq!(read_all(&mut follower), ((oldest..late).collect(), true));
    }
}

#[test]
fn a_record_that_is_being_written_is_waited_for() {
    let written = Written::new(32);
    written.write(3);
    let place = written.follower().offset(2);
    let mut whole = [0; SIZE];
    written.file.read_exact_at(&mut whole, place).unwrap();
    written.file.write_all_at(&[0x55; 8], place + 8).unwrap();
    let mut follower = written.follower();
    assert_eq!(read_all(&mut follower).0, [0, 1]);
    written.file.write_all_at(&whole, place).unwrap();
    assert_eq!(read_all(&mut follower).0, [2]);
}

#[test]
fn names_are_read_where_they_stand() {
    let written = Written::new(32);
    let (short, long) = ("fetch", "ä".repeat(200));
    let [first, second] = [short, &long].map(|it| written.recorder.name(it));
    written.flush();
    let follower = written.follower();
    assert_eq!(follower.name(first).unwrap(), short);
    assert_eq!(follower.name(second).unwrap(), long);
    assert_eq!(follower.name(0).unwrap(), "");
    assert_eq!(follower.name(NAMES as u32 + 9).unwrap(), "");
}

#[test]
fn what_is_no_recording_is_refused() {
    let file = File::from(memfd_create("other", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(b"GET / HTTP/1.1", 0).unwrap();
    let error = Follower::new(file).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(error.to_string(), "not a recording of groundup");
}
