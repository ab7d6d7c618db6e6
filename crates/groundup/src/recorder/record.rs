//! A record: what is kept of one thing that happened. All are of one size, and their bytes are the
//! same on every machine.
//!
//! It must not know where records are kept, nor what becomes of them.

use crate::clock::Timestamp;

/// The bytes of a record.
pub const SIZE: usize = 32;

/// Mixed into a record's check, so that memory that nobody has written is no record.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        /// What happened. The numbers are those in a recording, and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Verb {
            $($(#[$doc])* $name = $number,)+
        }

        impl Verb {
            /// Every verb there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

verbs! {
    /// A task came into being. Subject: the task. Detail: its number, which names it if nothing else
    /// does; 0 if it has none.
    Spawn = 1,
    /// What a task is called. Subject: the task. Detail: two names, its own and its coroutine's.
    Called = 2,
    /// Where a task was made. Subject: the task. Detail: the file's name, and the line.
    Place = 3,
    /// A task was put on the ready queue. Subject: the task.
    Wake = 4,
    /// A step begins. Subject: the task, or what else is resumed.
    StepBegin = 5,
    /// The step that began last ended.
    StepEnd = 6,
    /// A task waits. Subject: the task. Detail: what for, a name, and the chain of who awaits whom.
    Wait = 7,
    /// A task ended. Subject: the task. Detail: a name, how, and another, with what exception.
    Finish = 8,
    /// A task was asked to cancel itself. Subject: the task.
    Cancel = 9,
    /// A source is told that its descriptor is ready. Subject: the descriptor.
    DispatchBegin = 10,
    /// The dispatch that began last ended.
    DispatchEnd = 11,
    /// The loop asks for events. Subject: how many entries are ready. Detail: for how many
    /// nanoseconds it may sleep; all ones: without end.
    PollBegin = 12,
    /// It got them. Detail: how many.
    PollEnd = 13,
    /// A timer was set. Subject: what it wakes. Detail: its deadline in nanoseconds.
    TimerSet = 14,
    /// A timer was cancelled. Subject: what it would have woken.
    TimerCancel = 15,
    /// A timer expired. Subject: what it wakes.
    TimerExpire = 16,
    /// What other threads have brought goes on the ready queue. Detail: how much.
    Arrive = 17,
    /// Bytes came. Subject: the descriptor. Detail: how many, and nanoseconds in the kernel.
    Read = 18,
    /// Bytes went. Subject: the descriptor. Detail: how many, and nanoseconds in the kernel.
    Write = 19,
    /// A connection was opened, or has become of another kind; or this is said again. Subject: the
    /// descriptor. Detail: two names, its kind and its peer.
    Open = 20,
    /// A connection was closed. Subject: the descriptor.
    Close = 21,
    /// A collection of garbage begins. Detail: the generation.
    CollectBegin = 22,
    /// It ended. Detail: how many objects it took.
    CollectEnd = 23,
    /// The step that has just begun calls a function. Detail: two names, its own and its place's.
    Callback = 24,
    /// A link of a chain of awaits. Subject: the chain's number. Detail: the name of who awaits,
    /// and the number of the chain that it awaits, 0 at the end.
    Link = 25,
    /// A signal was handled. Subject: its number.
    Signal = 26,
    /// What the thread has used. Subject: nanoseconds in the kernel. Detail: nanoseconds elsewhere.
    Usage = 27,
    /// A job was given to an executor, or ended. Subject: its future. Detail: its function's name.
    Job = 28,
    /// The program says something. Detail: a name, what.
    Mark = 29,
    /// A fact about the recording. Detail: two names, of what, and what it is.
    Fact = 30,
    /// Where the step that goes on is, for it takes long. Detail: a name, the stack.
    Stack = 31,
    /// The step that has just begun resumes a task. Subject: the task.
    Resume = 32,
    /// A task lives that has come into being earlier. Subject: the task. Detail: its number, as of
    /// [`Spawn`](Self::Spawn).
    Live = 33,
}

/// What is kept of one thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// How many records came before it, of the same loop.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    pub verb: Verb,
    /// To whom or what.
    pub subject: u64,
    /// More of it; see [`Verb`].
    pub detail: u64,
}

impl Record {
    /// The record in bytes.
    #[inline]
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIZE] {
        let time = self.time.0.cast_unsigned();
        let head = self.number << 16 | u64::from(self.verb as u8) << 8;
        let head = head | u64::from(check(head, time, self.subject, self.detail));
        let mut bytes = [0; SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip([head, time, self.subject, self.detail])
        {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// What stands in these bytes; `None` when that is no record, or only a part of one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SIZE]) -> Option<Self> {
        let word = |n: usize| {
            u64::from_le_bytes(bytes[8 * n..8 * (n + 1)].try_into().expect("eight bytes"))
        };
        let [head, time, subject, detail] = [0, 1, 2, 3].map(word);
        if check(head & !0xff, time, subject, detail) != head as u8 {
            return None;
        }
        let verb = Verb::from_number((head >> 8) as u8)?;
        Some(Self {
            number: head >> 16,
            time: Timestamp(time.cast_signed()),
            verb,
            subject,
            detail,
        })
    }
}

/// Two numbers of half the size as a detail.
#[inline]
#[must_use]
pub fn pair(first: u32, second: u32) -> u64 {
    u64::from(first) | u64::from(second) << 32
}

/// The two numbers of a detail that is a [`pair`].
#[must_use]
pub fn halves(detail: u64) -> (u32, u32) {
    (detail as u32, (detail >> 32) as u32)
}

/// Eight bits that hang on every bit of a record.
#[inline]
fn check(head: u64, time: u64, subject: u64, detail: u64) -> u8 {
    let mixed = (head ^ SEED)
        .wrapping_add(time.rotate_left(13))
        .wrapping_mul(SEED)
        .wrapping_add(subject.rotate_left(29) ^ detail)
        .wrapping_mul(SEED);
    (mixed >> 56) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_record()(
            number in 0_u64..1 << 48,
            time in any::<i64>(),
            verb in proptest::sample::select(Verb::ALL),
            subject in any::<u64>(),
            detail in any::<u64>(),
        ) -> Record {
            Record { number, time: Timestamp(time), verb, subject, detail }
        }
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(record in any_record()) {
            prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
        }

        #[test]
        fn two_halves_are_what_was_paired(first in any::<u32>(), second in any::<u32>()) {
            prop_assert_eq!(halves(pair(first, second)), (first, second));
        }
    }

    #[test]
    fn a_record_of_which_a_part_is_missing_is_none() {
        let time = Timestamp(1_234_567_890);
        let record = Record { number: 77, time, verb: Verb::Wake, subject: 0x7f00_1234, detail: 9 };
        let whole = record.to_bytes();
        let torn = (1..4).filter(|words| {
            let mut bytes = [0; SIZE];
            bytes[..8 * words].copy_from_slice(&whole[..8 * words]);
            Record::from_bytes(&bytes).is_some()
        });
        assert_eq!(torn.count(), 0);
    }

    #[test]
    fn memory_that_nobody_has_written_is_no_record() {
        assert_eq!(Record::from_bytes(&[0; SIZE]), None);
        assert_eq!(Record::from_bytes(&[0xff; SIZE]), None);
    }
}
