//! A recording: the records of a loop and the names in them, as they stand in a file.
//!
//! ```text
//! 0   magic          89 57 45 41 56 45 0d 0a   ("WEAVE" between bytes that text never has)
//! 8   version        u32
//! 12  length         u32   of the head, in bytes: 64 or more; what is more is not used
//! 16  names          u64   bytes of the names after the head
//! 24  records        u64   bytes of the records after the names
//! 32  process        u64   its number
//! 40  monotonic      i64   nanoseconds, when the recording began
//! 48  wall           i64   the same moment, in nanoseconds since 1970
//! 56  head's check   u64
//! ```
//!
//! Numbers are little-endian. A file that ends early is read as far as it goes: records are known
//! by their checks, and names that are not there are empty. So the same layout serves for a file
//! that a process has mapped and writes into, and for one that was written in one piece.

use std::fmt;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use super::flight::FlightRecorder;
use super::names;
use super::record::{Record, Verb, halves, pair};
use super::ring;
use crate::clock::{Clock, Monotonic, Timestamp};

/// What a recording begins with.
pub const MAGIC: [u8; 8] = *b"\x89WEAVE\r\n";
/// The version of the format that this code writes, and the newest it reads.
pub const VERSION: u32 = 1;
/// The bytes of a head's fields, and of the shortest head.
pub const HEAD: usize = 64;

/// The head of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the head, [`HEAD`] or more.
    pub length: u32,
    /// Bytes of names.
    pub names: u64,
    /// Bytes of records.
    pub records: u64,
    /// The number of the process.
    pub process: u64,
    /// When the recording began, on the clock of its records.
    pub monotonic: Timestamp,
    /// The same moment, in nanoseconds since 1970.
    pub wall: i64,
}

/// Why something cannot be read as a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// It does not begin as one does.
    NotARecording,
    /// It ends within its head, or the head is damaged.
    Damaged,
    /// Its format is newer than what this code knows.
    Newer(u32),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecording => write!(f, "not a recording of groundup"),
            Self::Damaged => write!(f, "a recording whose beginning is damaged or missing"),
            Self::Newer(version) => {
                write!(f, "a recording of format {version}; this groundup reads up to {VERSION}")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Head {
    /// The head of a recording by this process that begins now, and has nothing in it yet.
    #[must_use]
    pub fn now() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX);
        let (length, process) = (HEAD as u32, u64::from(std::process::id()));
        Self { length, names: 0, records: 0, process, monotonic: Monotonic.now(), wall }
    }

    /// The fields of the head in bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEAD] {
        let [monotonic, wall] = [self.monotonic.0, self.wall].map(i64::cast_unsigned);
        let version = pair(VERSION, self.length);
        let mut words = [0; HEAD / 8];
        words[0] = u64::from_le_bytes(MAGIC);
        words[1..7].copy_from_slice(&[
            version,
            self.names,
            self.records,
            self.process,
            monotonic,
            wall,
        ]);
        words[7] = check(&words);
        let mut bytes = [0; HEAD];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads the head that a recording begins with.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], if it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(Unreadable::NotARecording);
        }
        let head: &[u8; HEAD] = bytes.first_chunk().ok_or(Unreadable::Damaged)?;
        let word = |n: usize| {
            u64::from_le_bytes(head[8 * n..8 * (n + 1)].try_into().expect("eight bytes"))
        };
        let words: [u64; HEAD / 8] = std::array::from_fn(word);
        // The version comes first: the heads of others may have another check.
        let (version, length) = halves(words[1]);
        if version > VERSION {
            return Err(Unreadable::Newer(version));
        }
        if words[7] != check(&words) || (length as usize) < HEAD {
            return Err(Unreadable::Damaged);
        }
        let [names, records, process] = [words[2], words[3], words[4]];
        let monotonic = Timestamp(words[5].cast_signed());
        Ok(Self { length, names, records, process, monotonic, wall: words[6].cast_signed() })
    }
}

/// A number that hangs on all words of a head but the last.
fn check(words: &[u64; HEAD / 8]) -> u64 {
    words[..HEAD / 8 - 1].iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| {
        (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    })
}

/// A recording that was read.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its head.
    pub head: Head,
    /// Its records, oldest first.
    pub records: Vec<Record>,
    names: Vec<u8>,
}

impl Recording {
    /// Reads a recording, as far as it goes.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], if it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let head = Head::from_bytes(bytes)?;
        let rest = bytes.get(head.length as usize..).unwrap_or_default();
        let names = usize::try_from(head.names).map_or(rest.len(), |names| names.min(rest.len()));
        let (names, rest) = rest.split_at(names);
        let records = usize::try_from(head.records).map_or(rest.len(), |it| it.min(rest.len()));
        let (records, names) = (ring::read(&rest[..records]), names.to_vec());
        Ok(Self { head, records, names })
    }

    /// What a recorder has kept up to now, of a recording that began as this head says.
    #[must_use]
    pub fn kept_by<M, C>(recorder: &FlightRecorder<M, C>, head: Head) -> Self
    where
        M: AsRef<[u8]> + AsMut<[u8]>,
        C: Clock,
    {
        recorder.look(|ring, names| {
            let records = ring::read(ring.memory());
            Self { head, records, names: names.memory()[..names.used()].to_vec() }
        })
    }

    /// The text of a name in a record.
    #[must_use]
    pub fn name(&self, name: names::Name) -> &str {
        names::text(&self.names, name)
    }

    /// How many records are missing: those that had to make room for newer ones, and those that
    /// were being written when the end came.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let newest = self.records.last().map_or(0, |record| record.number + 1);
        newest - self.records.len() as u64
    }

    /// The records of a verb.
    pub fn of(&self, verb: Verb) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.verb == verb)
    }

    /// Writes the recording without what is unused.
    ///
    /// # Errors
    ///
    /// Those of `file`.
    pub fn write(&self, mut file: impl Write) -> io::Result<()> {
        let records = (self.records.len() * super::RECORD_SIZE) as u64;
        let head =
            Head { length: HEAD as u32, names: self.names.len() as u64, records, ..self.head };
        file.write_all(&head.to_bytes())?;
        file.write_all(&self.names)?;
        self.records.iter().try_for_each(|record| file.write_all(&record.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FlightRecorder, RECORD_SIZE, Recorder, TaskId, pair};
    use super::*;
    use crate::clock::Virtual;

    fn some_recording() -> Vec<u8> {
        let recorder =
            FlightRecorder::new(vec![0; 8 * RECORD_SIZE], vec![0; 40], Virtual::default());
        let fetch = recorder.name("fetch");
        recorder.spawn(TaskId(7));
        recorder.note(Verb::Called, 7, pair(fetch, 0));
        recorder.wake(TaskId(7));
        recorder.look(|ring, names| {
            let (process, monotonic, wall) = (1, Timestamp(5), 6);
            let (names, records) = (names.memory(), ring.memory());
            let head = Head {
                length: HEAD as u32,
                names: names.len() as u64,
                records: records.len() as u64,
                process,
                monotonic,
                wall,
            };
            [&head.to_bytes(), names, records].concat()
        })
    }

    fn verbs(recording: &Recording) -> Vec<Verb> {
        recording.records.iter().map(|record| record.verb).collect()
    }

    #[test]
    fn a_recording_is_read_with_its_names() {
        let recording = Recording::read(&some_recording()).unwrap();
        assert_eq!(verbs(&recording), [Verb::Spawn, Verb::Called, Verb::Wake]);
        assert_eq!(recording.name(halves(recording.records[1].detail).0), "fetch");
        assert_eq!((recording.head.process, recording.lost()), (1, 0));
    }

    #[test]
    fn a_recording_is_the_same_without_what_is_unused() {
        let recording = Recording::read(&some_recording()).unwrap();
        let mut file = Vec::new();
        recording.write(&mut file).unwrap();
        assert_eq!(file.len(), HEAD + 40 + 3 * RECORD_SIZE);
        assert_eq!(Recording::read(&file).unwrap().records, recording.records);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_the_reason() {
        let refused = |bytes: &[u8]| Recording::read(bytes).unwrap_err();
        assert_eq!(refused(b"GET / HTTP/1.1"), Unreadable::NotARecording);
        assert_eq!(refused(b""), Unreadable::NotARecording);
        let mut bytes = some_recording();
        assert_eq!(refused(&bytes[..HEAD - 1]), Unreadable::Damaged);
        bytes[20] ^= 1;
        assert_eq!(refused(&bytes), Unreadable::Damaged);
        bytes[8] = 9;
        let reason = refused(&bytes);
        assert_eq!(reason.to_string(), "a recording of format 9; this groundup reads up to 1");
    }

    proptest! {
        #[test]
        fn a_recording_that_ends_early_is_read_as_far_as_it_goes(length in HEAD..HEAD + 40 + 8 * 32) {
            let whole = some_recording();
            let recording = Recording::read(&whole[..length]).unwrap();
            let expected = [Verb::Spawn, Verb::Called, Verb::Wake];
            let there = length.saturating_sub(HEAD + 40) / RECORD_SIZE;
            prop_assert_eq!(verbs(&recording), &expected[..there.min(3)]);
        }

        #[test]
        fn bytes_of_any_content_are_read_or_refused(
            bytes in any::<Vec<u8>>(),
            names in any::<u64>(),
            records in any::<u64>(),
        ) {
            let (process, monotonic, wall) = (0, Timestamp(0), 0);
            let head = Head { length: 64, names, records, process, monotonic, wall };
            let recording = Recording::read(&[&head.to_bytes(), &bytes[..]].concat()).unwrap();
            prop_assert!(recording.records.len() <= bytes.len() / RECORD_SIZE);
            let _ = Recording::read(&bytes);
        }
    }
}
